// Values of chart eastwest-gateway (Istio 1.24 and later): types the plan, and becomes the chart's values.schema.json.
import * as z from 'zod';
import { HelmGlobal, ImagePullSecrets, loadBalancerFields, MeshName, Revision } from './common.ts';

const Expose = z
  .strictObject({
    services: z
      .boolean()
      .default(true)
      .describe('Let the gateways of this istiod pass traffic of other networks to every service of the mesh; true where an istiod runs'),
    istiod: z
      .boolean()
      .default(false)
      .describe('Let remotes in other networks reach the istiod of this cluster on 15012 (proxies) and 15017 (webhook)'),
  })
  .readonly()
  .prefault({})
  .describe('What the other networks reach through the gateway');

const Service = z
  .strictObject({
    keep: z.boolean().default(true).describe('Keep the Service, and with it its address, when the release is uninstalled'),
    annotations: z
      .record(z.string(), z.string())
      .readonly()
      .default({})
      .describe('Annotations, such as those that make the load balancer internal'),
    ...loadBalancerFields,
    externalTrafficPolicy: z
      .enum(['Cluster', 'Local'])
      .default('Cluster')
      .describe('Local keeps the source address, and needs a gateway pod on each node that the load balancer uses'),
  })
  .readonly()
  .prefault({})
  .describe('The Service of type LoadBalancer in front of the gateway');

const Autoscaling = z
  .strictObject({
    enabled: z.boolean().default(false).describe('Scale by CPU; needs the metrics API. `replicas` is then the least'),
    maxReplicas: z.int().min(1).max(100).default(5).describe('Most pods'),
    cpuPercent: z.int().min(1).max(100).default(80).describe('CPU that is aimed at, percent of what is requested'),
  })
  .readonly()
  .prefault({})
  .describe('HorizontalPodAutoscaler');

export const EastwestGatewayValues = z
  .strictObject({
    global: HelmGlobal,
    network: MeshName.describe('Network of this cluster'),
    revision: Revision.describe('Revision of the control plane that injects the gateway; empty for the default one'),
    expose: Expose,
    service: Service,
    replicas: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe('Pods of the gateway; with two or more, one is always left when nodes are drained'),
    autoscaling: Autoscaling,
    resources: z
      .looseObject({})
      .readonly()
      .default({ requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '1Gi' } })
      .describe('Resource requests and limits of each pod'),
    imagePullPolicy: z
      .enum(['Always', 'IfNotPresent', 'Never'])
      .default('IfNotPresent')
      .describe('When the kubelet pulls the image that istiod fills in; where it is not set, Kubernetes takes Always for the image `auto`'),
    imagePullSecrets: ImagePullSecrets,
    priorityClassName: z.string().default('').describe('Priority of the pods; empty for that of the cluster'),
    nodeSelector: z
      .record(z.string(), z.string())
      .readonly()
      .default({ 'kubernetes.io/os': 'linux' })
      .describe('Nodes that the pods may run on'),
    tolerations: z.array(z.looseObject({}).readonly()).readonly().default([]).describe('Taints that the pods tolerate'),
  })
  .readonly();

export type EastwestGatewayValues = z.infer<typeof EastwestGatewayValues>;
