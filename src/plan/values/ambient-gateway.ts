// Values of chart ambient-gateway (Istio 1.27 and later): types the plan, and becomes the chart's values.schema.json.
import * as z from 'zod';
import { HelmGlobal, loadBalancerFields, MeshName, Revision } from './common.ts';

/** Every version of the Gateway API takes as many in `spec.infrastructure.annotations` of a Gateway. */
const maxAnnotations = 8;

const Service = z
  .strictObject({
    annotations: z
      .record(z.string(), z.string())
      .refine((annotations) => Object.keys(annotations).length <= maxAnnotations, `must be ${maxAnnotations} at most`)
      .readonly()
      .default({})
      .describe('Annotations, such as those that make the load balancer internal; 8 at most'),
    ...loadBalancerFields,
  })
  .readonly()
  .prefault({})
  .describe('The Service of type LoadBalancer that istiod makes');

export const AmbientGatewayValues = z
  .strictObject({
    global: HelmGlobal,
    network: MeshName.describe('Network of this cluster'),
    revision: Revision.describe('Revision of the control plane that makes the gateway; empty for the default one'),
    service: Service,
    replicas: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe('Pods of the gateway; with two or more, one is always left when nodes are drained'),
  })
  .readonly();

export type AmbientGatewayValues = z.infer<typeof AmbientGatewayValues>;
