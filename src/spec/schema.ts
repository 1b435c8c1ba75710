// mesh.yaml as a schema: it types the code, validates the file, and documents every field.
import major from 'semver/functions/major.js';
import * as z from 'zod';
import { maxClusterName } from '../base/names.ts';
import {
  address,
  cidr,
  hostOrAddress,
  httpsUrl,
  imagePath,
  istioVersion,
  labelValue,
  name,
  networkName,
  path,
  plainText,
  relativePath,
  routableCidr,
  routeProtocol,
} from './fields.ts';

/** The field `istio`. */
export const Istio = z
  .strictObject({
    version: istioVersion.describe('Istio of the mesh, such as 1.30.3; 0.8.x selects the classic charts, otherwise 1.24 or later'),
    namespace: name('System namespace of Istio, the same in every cluster', 63).default('istio-system'),
    revision: z
      .string()
      // istiod's Service is named istiod-<revision>, and a Service name has 63 characters at most.
      .max(56, 'is longer than 56 characters')
      .regex(
        /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)?$/,
        'must be lower-case letters, digits and dashes, and start and end with a letter or digit',
      )
      .default('')
      .describe('Revision of the control plane; empty for the default one'),
    hub: imagePath("Registry and path of Istio's images; the version's own default when absent").optional(),
    meshID: labelValue('Mesh ID; metadata.name when absent').optional(),
    trustDomain: z
      .string()
      .max(253, 'is longer than 253 characters')
      .regex(/^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/, 'must be lower-case letters, digits, dots, dashes and underscores')
      .default('cluster.local')
      .describe('Trust domain of the mesh'),
    ca: path(
      "Folder made by `isthmus ca init`, from the folder of mesh.yaml; install puts each primary's part into its Secret cacerts",
    ).optional(),
    dataplane: z
      .enum(['sidecar', 'ambient'])
      .default('sidecar')
      .describe(
        'sidecar: a proxy in every pod; ambient: ztunnel on every node, for primaries in different networks, Istio 1.27 or later, not proven by traffic here',
      ),
    install: z
      .boolean()
      .default(false)
      .describe("Install istiod in the primaries, from Istio's own charts; without it a primary must have one already"),
    adopt: z
      .boolean()
      .default(false)
      .describe('With `install`: take over an Istio of the same revision that was installed by other means, instead of refusing'),
    charts: plainText(
      "Where Istio's charts are: a folder (an unpacked Istio release, or one with base/ and istiod/) or a chart repository, https:// or oci://; Istio's own repository when absent",
    ).optional(),
    values: z
      .record(z.string(), z.unknown())
      .readonly()
      .default({})
      .describe('Values of the istiod chart, such as resources; what isthmus sets itself wins'),
  })
  .readonly();

const Routes = z
  .strictObject({
    provider: z
      .enum(['routes', 'bgp', 'none'])
      .default('routes')
      .describe('routes: isthmus programs the nodes; bgp or none: the network carries pod addresses already, nothing is installed'),
    keeper: z.boolean().default(true).describe('Keep a DaemonSet that puts routes back after a reboot, a link flap or on a new node'),
    protocol: routeProtocol
      .default(157)
      .describe('Route protocol number that marks routes as ours, 5 to 254 without those of other routing software'),
    image: imagePath("Image with a POSIX shell and iproute2; Istio's proxyv2 of the mesh's version when absent").optional(),
    namespace: name('Namespace of route-installer and of the Lease', 63).default('isthmus-system'),
    onlink: z
      .boolean()
      .default(false)
      .describe('Use next hops that the kernel cannot see on a link; only where the nodes share a layer 2 segment without a common subnet'),
  })
  .readonly();

const annotationKey = z
  .string()
  .regex(/^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, 'is no name of an annotation');

const LoadBalancer = z
  .strictObject({
    platform: name(
      'aws, azure, gke, ibm, openstack, metallb, kube-vip, cilium, keepalived, ...; found by itself when absent',
      63,
    ).optional(),
    class: plainText('spec.loadBalancerClass').optional(),
    annotations: z
      .record(annotationKey, z.string())
      .readonly()
      .default({})
      .describe('Annotations added to every Service, over those of the platform'),
    addresses: z
      .record(name('Name of a Service', 63), address)
      .readonly()
      .default({})
      .describe('Fixed address per Service, such as istiod-ilb: 10.0.0.5 or istio-eastwestgateway: 10.0.0.9'),
    sourceRanges: z
      .array(cidr)
      .readonly()
      .optional()
      .describe('Who may connect, [] for everyone; when absent, nodes and pods of the other clusters to an ILB, and everyone to a gateway'),
  })
  .readonly();

const Node = z
  .strictObject({
    name: z
      .string()
      .max(253, 'is longer than 253 characters')
      .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'must be a node name: lower-case letters, digits, dots and dashes')
      .refine((text) => !(text in Object.prototype), 'is a reserved word')
      .describe('Node name'),
    address: address.optional().describe('Address other nodes reach it at; the name when that is an address'),
    podCIDRs: z.array(routableCidr).readonly().default([]).describe('Pod blocks of this node'),
    routes: z.string().optional().describe('Output of `ip route` on this node, pasted'),
  })
  .readonly();

const RemotePilot = z.union([hostOrAddress, z.array(address).min(1, 'must not be empty').readonly()]);

const cidrs = z.array(routableCidr).min(1, 'must not be empty; leave it out to use what is found').readonly();

/** One entry of `clusters`. */
export const Cluster = z
  .strictObject({
    name: name('Name of the cluster in the mesh; Istio knows it as the cluster ID', maxClusterName),
    role: z.enum(['primary', 'remote']).describe('primary: runs istiod; remote: uses the istiod of a primary'),
    context: plainText('Context of the kubeconfig').optional(),
    kubeconfig: path('Path of the kubeconfig, from the folder of mesh.yaml; KUBECONFIG or ~/.kube/config when absent').optional(),
    facts: relativePath('Path of a facts file written by `isthmus inspect --out`, relative to mesh.yaml').optional(),
    icpConfig: relativePath("Path of IBM Cloud Private's cluster/config.yaml, relative to mesh.yaml").optional(),
    install: z.boolean().optional().describe('Install istiod in this primary; as `istio.install` when absent'),
    controlPlane: z
      .string()
      .optional()
      .describe('The primary that serves this remote; the only one, or the only one of its network, when absent'),
    network: networkName(
      'Network: pods of one network reach each other directly, those of different networks through east-west gateways; found out when absent',
    ).optional(),
    podCIDRs: cidrs.optional().describe('Pod CIDRs; found in the cluster when absent'),
    serviceCIDRs: cidrs.optional().describe('Service CIDRs; found in the cluster when absent'),
    nodes: z
      .array(Node)
      .min(1, 'must not be empty; leave it out to use what is found')
      .readonly()
      .optional()
      .describe('Nodes, for clusters that cannot be read'),
    apiServer: httpsUrl('API server URL as the primary reaches it; that of the kubeconfig when absent').optional(),
    remotePilotAddress: RemotePilot.optional().describe(
      'Control plane address used by this remote: one or several IPs or a host name; the ILB or the gateway of its primary when absent',
    ),
    loadBalancer: LoadBalancer.prefault({}).describe(
      'How the Services of type LoadBalancer get their addresses: the ILBs of a primary, the east-west gateway of any cluster',
    ),
  })
  .readonly();

/** The whole of mesh.yaml, with defaults filled in. */
export const Mesh = z
  .strictObject({
    apiVersion: z.literal('isthmus/v1').describe('Always isthmus/v1'),
    kind: z.literal('Mesh').describe('Always Mesh'),
    metadata: z
      .strictObject({ name: name('Name of the mesh', 63) })
      .readonly()
      .describe('What the mesh is called'),
    istio: Istio.describe('Istio of the mesh, the same in every cluster'),
    clusters: z
      .array(Cluster)
      .min(1, 'names no cluster')
      .readonly()
      .describe('The clusters; the order decides nothing but the order of output'),
    routes: Routes.prefault({}).describe('How nodes learn the way to pods of other clusters'),
    internalCIDRs: z.array(cidr).readonly().default([]).describe('Ranges that count as internal although they look public'),
    ignore: z
      .array(z.string().regex(/^ISM[0-9]{3}$/, 'must be a finding code such as ISM031'))
      .readonly()
      .default([])
      .describe('Findings to accept'),
  })
  .readonly();

export type Mesh = z.infer<typeof Mesh>;
export type Istio = z.infer<typeof Istio>;
export type Cluster = z.infer<typeof Cluster>;
export type LoadBalancer = z.infer<typeof LoadBalancer>;

/** `classic` is Istio 0.8 with its own charts; `modern` is Istio 1.24 and later. */
export type Era = 'classic' | 'modern';

/** The era that the mesh's Istio belongs to. */
export function eraOf(mesh: { readonly istio: Pick<Istio, 'version'> }): Era {
  return major(mesh.istio.version) === 0 ? 'classic' : 'modern';
}

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
