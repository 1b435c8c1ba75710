// mesh.yaml as a schema: it types the code, validates the file, and documents every field.
import { z } from 'zod';
import { dns1123Label, maxClusterName } from '../base/names.ts';
import { address, cidr, istioVersion } from './fields.ts';

const name = (what: string, longest: number) =>
  z
    .string()
    .max(longest, `is longer than ${longest} characters`)
    .regex(dns1123Label, 'must be lower-case letters, digits and dashes, and start and end with a letter or digit')
    .describe(what);

const Istio = z
  .strictObject({
    version: istioVersion.describe('Istio of the mesh, such as 1.30.3; 0.8.0 selects the classic charts'),
    namespace: name('System namespace of Istio, the same in every cluster', 63).default('istio-system'),
    revision: name('Revision of the control plane; empty for the default one', 63).or(z.literal('')).default(''),
    hub: z.string().optional().describe("Registry and path of Istio's images; the version's own default when absent"),
    meshID: z.string().min(1).optional().describe('Mesh ID; metadata.name when absent'),
    trustDomain: z.string().default('cluster.local').describe('Trust domain of the mesh'),
  })
  .readonly();

const Routes = z
  .strictObject({
    provider: z
      .enum(['routes', 'bgp', 'none'])
      .default('routes')
      .describe('routes: isthmus programs the nodes; bgp or none: the network carries pod addresses already, nothing is installed'),
    keeper: z.boolean().default(true).describe('Keep a DaemonSet that puts routes back after a reboot, a link flap or on a new node'),
    protocol: z.int().min(5).max(254).default(157).describe('Route protocol number that marks routes as ours, 5 to 254'),
    image: z.string().optional().describe("Image with a POSIX shell and iproute2; Istio's proxyv2 of the mesh's version when absent"),
    namespace: name('Namespace of route-installer and of the Lease', 63).default('isthmus-system'),
    onlink: z
      .boolean()
      .default(false)
      .describe('Use next hops that the kernel cannot see on a link; only where the nodes share a layer 2 segment without a common subnet'),
  })
  .readonly();

const LoadBalancer = z
  .strictObject({
    platform: z
      .string()
      .optional()
      .describe('aws, azure, gke, ibm, openstack, metallb, kube-vip, cilium, keepalived, ...; found by itself when absent'),
    class: z.string().optional().describe('spec.loadBalancerClass'),
    annotations: z
      .record(z.string(), z.string())
      .default({})
      .describe('Annotations added to every ILB Service, over those of the platform'),
    addresses: z.record(z.string(), address).default({}).describe('Fixed address per ILB Service, such as istiod-ilb: 10.0.0.5'),
    sourceRanges: z
      .array(cidr)
      .readonly()
      .optional()
      .describe('Who may connect; nodes and pods of the other clusters when absent, [] for everyone'),
  })
  .readonly();

const Node = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'must be a node name: lower-case letters, digits, dots and dashes')
      .describe('Node name'),
    address: address.optional().describe('Address other nodes reach it at; the name when that is an address'),
    podCIDRs: z.array(cidr).readonly().default([]).describe('Pod blocks of this node'),
    routes: z.string().optional().describe('Output of `ip route` on this node, pasted'),
  })
  .readonly();

const RemotePilot = z.union([z.string().min(1), z.array(address).min(1).readonly()]);

const Cluster = z
  .strictObject({
    name: name('Name of the cluster in the mesh; Istio knows it as the cluster ID', maxClusterName),
    role: z.enum(['primary', 'remote']).describe('primary: runs istiod; remote: uses the istiod of a primary'),
    context: z.string().min(1).optional().describe('Context of the kubeconfig'),
    kubeconfig: z
      .string()
      .min(1)
      .optional()
      .describe('Path of the kubeconfig, relative to mesh.yaml; KUBECONFIG or ~/.kube/config when absent'),
    facts: z.string().min(1).optional().describe('Path of a facts file written by `isthmus inspect --out`, relative to mesh.yaml'),
    icpConfig: z.string().min(1).optional().describe("Path of IBM Cloud Private's cluster/config.yaml, relative to mesh.yaml"),
    controlPlane: z.string().optional().describe('The primary that serves this remote; the only one when absent'),
    network: z.string().min(1).max(63).default('network1').describe('Network: clusters of one network reach each other by routes'),
    podCIDRs: z.array(cidr).min(1).readonly().optional().describe('Pod CIDRs; found in the cluster when absent'),
    serviceCIDRs: z.array(cidr).min(1).readonly().optional().describe('Service CIDRs; found in the cluster when absent'),
    nodes: z.array(Node).min(1).readonly().optional().describe('Nodes, for clusters that cannot be read'),
    apiServer: z
      .url({ protocol: /^https$/ })
      .optional()
      .describe('API server URL as the primary reaches it; that of the kubeconfig when absent'),
    remotePilotAddress: RemotePilot.optional().describe(
      'Control plane address used by this remote: one or several IPs or a host name; the ILB of its primary when absent',
    ),
    loadBalancer: LoadBalancer.prefault({}).describe('How the ILB Services of a primary get their addresses'),
  })
  .readonly();

/** The whole of mesh.yaml, with defaults filled in. */
export const Mesh = z
  .strictObject({
    apiVersion: z.literal('isthmus/v1').describe('Always isthmus/v1'),
    kind: z.literal('Mesh').describe('Always Mesh'),
    metadata: z.strictObject({ name: name('Name of the mesh', 63) }).readonly(),
    istio: Istio,
    clusters: z
      .array(Cluster)
      .min(1, 'names no cluster')
      .readonly()
      .describe('The clusters; the order decides nothing but the order of output'),
    routes: Routes.prefault({}).describe('How nodes learn the way to pods of other clusters'),
    internalCIDRs: z.array(cidr).readonly().default([]).describe('Ranges that count as internal although they look public'),
    ignore: z
      .array(z.string().regex(/^ISM[0-9]{3}$/, 'is a finding code such as ISM031'))
      .readonly()
      .default([])
      .describe('Findings to accept'),
  })
  .readonly();

export type Mesh = z.infer<typeof Mesh>;
export type Cluster = z.infer<typeof Cluster>;
export type LoadBalancer = z.infer<typeof LoadBalancer>;

/** `classic` is Istio 0.8 with its own charts; `modern` is Istio 1.24 and later. */
export type Era = 'classic' | 'modern';

/** A mesh and where it came from. Paths in it are still relative to `folder`. */
export interface LoadedMesh {
  readonly mesh: Mesh;
  /** The file's name as the user gave it, for messages. */
  readonly file: string;
  /** Folder that relative paths start from. */
  readonly folder: string;
  readonly text: string;
  /** `mesh.yaml:6:11` of the value at a path. */
  locate(path: readonly (string | number)[]): string;
}
