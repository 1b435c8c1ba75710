// Values of chart istio-remote-classic (Istio 0.8): types the plan, and becomes the chart's values.schema.json.
import { z } from 'zod';
import { HelmGlobal, Image, ImagePullSecrets } from './common.ts';

const addresses = (what: string) =>
  z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .min(1)
    .readonly()
    .describe(`Addresses of ${what}: those of its ILB, or of pods (which change with every restart)`);

export const IstioRemoteClassicValues = z
  .strictObject({
    global: HelmGlobal,
    clusterName: z.string().min(1).max(63).describe('Name of this cluster in the mesh'),
    endpoints: z
      .strictObject({
        pilot: addresses('istio-pilot'),
        policy: addresses('istio-policy'),
        statsd: addresses('istio-statsd-prom-bridge'),
        zipkin: addresses('zipkin').optional(),
      })
      .readonly(),
    rbac: z
      .strictObject({ create: z.boolean().default(true).describe('Create the roles of citadel and of the reader') })
      .readonly()
      .prefault({}),
    reader: z
      .strictObject({
        serviceAccount: z
          .string()
          .min(1)
          .max(253)
          .default('istio-multi')
          .describe('ServiceAccount whose token lets pilot read this cluster'),
        token: z.boolean().default(true).describe('Keep a token Secret for it, from which the remote secret is made'),
      })
      .readonly()
      .prefault({}),
    citadel: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Run a citadel in this cluster'),
        image: Image.prefault({ registry: 'docker.io', repository: 'istio/citadel', tag: '0.8.0' }),
        replicas: z.int().min(0).default(1).describe('Number of citadel pods'),
        resources: z.looseObject({}).readonly().default({}).describe('Resource requests and limits'),
      })
      .readonly()
      .prefault({}),
    imagePullSecrets: ImagePullSecrets,
  })
  .readonly();

export type IstioRemoteClassicValues = z.infer<typeof IstioRemoteClassicValues>;
