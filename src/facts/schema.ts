// What one cluster is: every fact with its source. Saved as facts/<cluster>.yaml, so this is also a file format.
import * as z from 'zod';

/** Version of the facts file; a reader refuses any other. */
export const factsVersion = 'isthmus/v1';

function observed<T extends z.ZodType>(value: T) {
  return z.strictObject({ value, source: z.string() }).readonly();
}

/** A value and where it was read: `IPPool default-ipv4-ippool`, `mesh.yaml:12:5`, `ip route on n1`. */
export interface Observed<T> {
  readonly value: T;
  readonly source: string;
}

const Block = z
  .strictObject({
    cidr: z.string(),
    source: z.string(),
    borrowed: z.boolean().optional().describe('An address (or range) used outside its block: routed on its own, more specific'),
  })
  .readonly();

const ForeignRoute = z
  .strictObject({ dst: z.string(), via: z.string().optional(), protocol: z.string().optional(), dev: z.string().optional() })
  .readonly()
  .describe('A route seen on the node that leads to no block of this cluster; the plan compares it with what it wants there');

const NodeFacts = z
  .strictObject({
    name: z.string(),
    uid: z.string().optional(),
    os: z.string().describe('kubernetes.io/os, `linux` where unknown'),
    ready: z.boolean(),
    deleting: z.boolean().describe('The Node object has a deletionTimestamp'),
    virtual: z.boolean().describe('No kernel of its own to route on: virtual-kubelet, Fargate'),
    addresses: z
      .array(observed(z.string()))
      .readonly()
      .describe('Addresses that may be next hops: the CNI annotation first, then InternalIPs'),
    subnets: z.array(z.string()).readonly().describe('Subnets of the node addresses, CIDR, where known'),
    blocks: z.array(Block).readonly().describe('Pod blocks that live on this node, CIDR, confirmed ones only'),
    foreignRoutes: z.array(ForeignRoute).readonly(),
  })
  .readonly();

const Pool = z
  .strictObject({
    name: z.string(),
    cidr: z.string(),
    disabled: z.boolean(),
    natOutgoing: z.boolean(),
    encapsulation: z.enum(['none', 'ipip', 'ipip-cross-subnet', 'vxlan', 'vxlan-cross-subnet']),
  })
  .readonly();

const LoadBalancerService = z
  .strictObject({
    namespace: z.string(),
    name: z.string(),
    addresses: z.array(z.string()).readonly(),
    hostnames: z.array(z.string()).readonly(),
    requested: z.array(z.string()).readonly().describe('Addresses asked for by spec or annotation'),
  })
  .readonly();

const Istio = z
  .strictObject({
    namespace: z.string(),
    revisions: z
      .array(
        z
          .strictObject({
            name: z.string().describe('Revision, empty for the default one'),
            version: z.string().optional(),
            hub: z.string().optional().describe("Registry and path of istiod's image"),
            selector: z.record(z.string(), z.string()).describe('Selector of its istiod (or pilot) Service'),
            readyPods: z.int(),
            env: z.record(z.string(), z.string()).describe('EXTERNAL_ISTIOD, CLUSTER_ID and what else the plan checks'),
            network: z.string().optional(),
            meshID: z.string().optional(),
            trustDomain: z.string().optional(),
            chart: z.string().optional().describe('Label helm.sh/chart of its Deployment: name and version of the chart'),
            managedBy: z.string().optional().describe('`Helm release istiod`, `istioctl`, `operator`'),
          })
          .readonly(),
      )
      .readonly(),
    rootCertFingerprint: observed(z.string()).optional().describe('SHA-256 of the root in istio-ca-root-cert'),
    namespaceNetwork: observed(z.string()).optional().describe('topology.istio.io/network of the system namespace'),
    injectionWebhooks: z.array(z.string()).readonly(),
  })
  .readonly();

/** Everything known about one cluster. Absent fields are unknown, which is not the same as empty. */
export const ClusterFacts = z
  .strictObject({
    apiVersion: z.literal(factsVersion),
    kind: z.literal('ClusterFacts'),
    cluster: z.string(),
    collectedAt: z.iso.datetime().optional().describe('When the cluster was read, UTC; absent for text'),
    origin: z.enum(['api', 'text']).describe('Read from an API server, or only from text in mesh.yaml'),
    uid: observed(z.string()).optional().describe('UID of namespace kube-system: the identity of the cluster'),
    server: observed(z.string()).optional().describe('API server URL of the kubeconfig context'),
    kubernetes: observed(z.string()).optional().describe('Version such as 1.34.4'),
    platform: observed(z.string()).optional().describe('aws, azure, gke, ibm, ... or bare'),
    cni: observed(
      z
        .strictObject({
          name: z.string(),
          encapsulation: z.string().describe('none, or how pod traffic between nodes is wrapped'),
          flat: z.boolean().describe('False where plain node routes cannot carry pod traffic'),
        })
        .readonly(),
    ).optional(),
    natExemptCIDRs: observed(z.array(z.string()).readonly())
      .optional()
      .describe("Ranges that this CNI already leaves un-masqueraded, such as Cilium's ipv4NativeRoutingCIDR"),
    felixProtocol: observed(z.int()).optional().describe("Route protocol number that Calico's Felix owns exclusively"),
    pools: z.array(Pool).readonly(),
    podCIDRs: observed(z.array(z.string()).readonly()).optional(),
    serviceCIDRs: observed(z.array(z.string()).readonly()).optional(),
    nodes: z.array(NodeFacts).readonly(),
    loadBalancer: observed(z.string())
      .optional()
      .describe('Which implementation answers: cloud, metallb, kube-vip, cilium, keepalived, none'),
    services: z.array(LoadBalancerService).readonly().describe('Services of type LoadBalancer'),
    istio: Istio.optional(),
    gatewayAPI: observed(z.string()).optional().describe('Version in which Gateways of the Gateway API are served'),
    problems: z
      .array(
        z.strictObject({ code: z.string(), where: z.string().optional(), message: z.string(), hint: z.string().optional() }).readonly(),
      )
      .readonly()
      .describe('Findings of the inspection itself'),
  })
  .readonly();

export type ClusterFacts = z.infer<typeof ClusterFacts>;
export type NodeFacts = z.infer<typeof NodeFacts>;
export type Block = z.infer<typeof Block>;
export type ForeignRoute = z.infer<typeof ForeignRoute>;
export type Pool = z.infer<typeof Pool>;
export type LoadBalancerService = z.infer<typeof LoadBalancerService>;
export type IstioFacts = z.infer<typeof Istio>;
