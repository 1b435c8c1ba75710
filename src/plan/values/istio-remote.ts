// Values of chart istio-remote (Istio 1.24 and later): types the plan, and becomes the chart's values.schema.json.
import { z } from 'zod';
import { HelmGlobal } from './common.ts';

export const IstioRemoteValues = z
  .strictObject({
    global: HelmGlobal,
    clusterName: z.string().min(1).max(63).describe('Name of this cluster in the mesh: the cluster ID its sidecars carry'),
    network: z.string().max(63).default('').describe('Network of this cluster; empty when the mesh has no networks'),
    revision: z.string().max(63).default('').describe('Revision of the control plane in the primary; empty for the default one'),
    remotePilotAddresses: z
      .array(z.union([z.ipv4(), z.ipv6()]))
      .default([])
      .readonly()
      .describe("Addresses at which the primary's istiod answers on 15012 and 15017, one or several, all of one family"),
    webhook: z
      .strictObject({
        injectionURL: z
          .string()
          .regex(/^(https:\/\/.+)?$/)
          .default('')
          .describe('URL of the injection webhook, instead of the Service; for control planes known by a host name only'),
        caBundle: z.string().default('').describe('CA of the webhook, base64; istiod fills it in when empty'),
        failurePolicy: z.enum(['Fail', 'Ignore']).default('Fail').describe('What happens to new pods while istiod cannot be reached'),
        timeoutSeconds: z.int().min(1).max(30).default(10).describe('Seconds the API server waits for istiod'),
        reinvocationPolicy: z
          .enum(['Never', 'IfNeeded'])
          .default('Never')
          .describe('Whether injection runs again after other webhooks changed the pod'),
        enableNamespacesByDefault: z.boolean().default(false).describe('Inject in every namespace that does not say otherwise'),
      })
      .readonly()
      .prefault({}),
    reader: z
      .strictObject({
        serviceAccount: z
          .string()
          .min(1)
          .max(253)
          .default('istio-reader-service-account')
          .describe('ServiceAccount whose token lets the primary read this cluster'),
        token: z.boolean().default(true).describe('Keep a token Secret for it, from which the remote secret is made'),
      })
      .readonly()
      .prefault({}),
  })
  .readonly();

export type IstioRemoteValues = z.infer<typeof IstioRemoteValues>;
