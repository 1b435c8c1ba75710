// Values of chart istio-remote-classic (Istio 0.8): types the plan, and becomes the chart's values.schema.json.
import * as z from 'zod';
import { Address, HelmGlobal, Image, ImagePullSecrets, MeshName, ObjectName } from './common.ts';

const addresses = (what: string) =>
  z.array(Address).min(1).readonly().describe(`Addresses of ${what}: those of its ILB, or of pods (which change with every restart)`);

const Endpoints = z
  .strictObject({
    pilot: addresses('istio-pilot'),
    policy: addresses('istio-policy'),
    statsd: addresses('istio-statsd-prom-bridge'),
    zipkin: addresses('zipkin').optional(),
  })
  .readonly()
  .describe('Where the control plane of the primary answers; addresses only, a host name is refused');

const Reader = z
  .strictObject({
    serviceAccount: ObjectName.default('istio-multi').describe('ServiceAccount whose token lets pilot read this cluster'),
    token: z.boolean().default(true).describe('Keep a token Secret for it, from which the remote secret is made'),
  })
  .readonly()
  .prefault({})
  .describe('What pilot in the primary uses to read this cluster');

const Citadel = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Run a citadel in this cluster'),
    image: Image.prefault({ registry: 'docker.io', repository: 'istio/citadel', tag: '0.8.0' }).describe('Image of citadel'),
    nodeSelector: z.record(z.string(), z.string()).readonly().default({}).describe('Nodes that citadel may run on; the image is for amd64'),
    replicas: z.int().min(0).default(1).describe('Number of citadel pods'),
    resources: z.looseObject({}).readonly().default({}).describe('Resource requests and limits'),
  })
  .readonly()
  .prefault({})
  .describe('The certificate authority that gives the workloads of this cluster their identities');

export const IstioRemoteClassicValues = z
  .strictObject({
    global: HelmGlobal,
    clusterName: MeshName.describe('Name of this cluster in the mesh'),
    endpoints: Endpoints,
    rbac: z
      .strictObject({ create: z.boolean().default(true).describe('Create the roles of citadel and of the reader') })
      .readonly()
      .prefault({})
      .describe('Access to the API'),
    reader: Reader,
    citadel: Citadel,
    imagePullSecrets: ImagePullSecrets,
  })
  .readonly();

export type IstioRemoteClassicValues = z.infer<typeof IstioRemoteClassicValues>;
