// Values of chart istio-remote (Istio 1.24 and later): types the plan, and becomes the chart's values.schema.json.
import * as z from 'zod';
import { Address, HelmGlobal, MeshName, ObjectName, Revision } from './common.ts';

const Webhook = z
  .strictObject({
    injectionURL: z
      .string()
      .regex(/^(https:\/\/.+)?$/)
      .default('')
      .describe('https URL of the injection webhook instead of the Service; without a path, that of cluster and network is appended'),
    caBundle: z
      .string()
      .regex(/^[A-Za-z0-9+/]*={0,2}$/)
      .default('')
      .describe('CA that signed the webhook, base64 of PEM; istiod writes its own here when it serves this cluster'),
    failurePolicy: z.enum(['Fail', 'Ignore']).default('Fail').describe('What happens to new pods while istiod cannot be reached'),
    timeoutSeconds: z.int().min(1).max(30).default(10).describe('Seconds the API server waits for istiod'),
    reinvocationPolicy: z
      .enum(['Never', 'IfNeeded'])
      .default('Never')
      .describe('Whether injection runs again after other webhooks changed the pod'),
    enableNamespacesByDefault: z
      .boolean()
      .default(false)
      .describe('Inject in every namespace that does not say otherwise; for the default revision'),
  })
  .readonly()
  .prefault({})
  .describe('The webhook that asks istiod for the sidecar of a new pod');

const Reader = z
  .strictObject({
    serviceAccount: ObjectName.default('istio-reader-service-account').describe(
      'ServiceAccount whose token lets the primary read this cluster',
    ),
    token: z.boolean().default(true).describe('Keep a token Secret for it, from which the remote secret is made'),
  })
  .readonly()
  .prefault({})
  .describe('What the primary uses to read this cluster');

export const IstioRemoteValues = z
  .strictObject({
    global: HelmGlobal,
    clusterName: MeshName.describe('Name of this cluster in the mesh: the cluster ID its sidecars carry'),
    network: z
      .union([MeshName, z.literal('')])
      .default('')
      .describe('Network of this cluster; empty when the mesh has no networks'),
    revision: Revision.describe('Revision of the control plane in the primary; empty for the default one'),
    remotePilotAddresses: z
      .array(Address)
      .default([])
      .readonly()
      .describe("Addresses at which the primary's istiod answers on 15012 and 15017, one or several, all of one family"),
    webhook: Webhook,
    reader: Reader,
  })
  .readonly();

export type IstioRemoteValues = z.infer<typeof IstioRemoteValues>;
