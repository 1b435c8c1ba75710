// Plans made by hand, for tests of what comes after planning: the 2018 clusters with Istio 0.8 and with today's, and variations.
import type { ClusterPlan, Ilb, MeshPlan, PlannedNode, Route, ServicePort } from '../../src/plan/types.ts';
import { IstioRemoteValues } from '../../src/plan/values/istio-remote.ts';
import { IstioRemoteClassicValues } from '../../src/plan/values/istio-remote-classic.ts';
import { RouteInstallerValues } from '../../src/plan/values/route-installer.ts';
import { type LoadedMesh, Mesh } from '../../src/spec/schema.ts';

const nodes1: readonly PlannedNode[] = [
  { name: '9.111.255.129', address: '9.111.255.129', ready: true, blocks: ['10.1.158.192/26'] },
  { name: '9.111.255.21', address: '9.111.255.21', ready: true, blocks: ['10.1.198.128/26'] },
  { name: '9.111.255.29', address: '9.111.255.29', ready: true, blocks: ['10.1.43.0/26'] },
];
const nodes2: readonly PlannedNode[] = [
  { name: '9.111.255.152', address: '9.111.255.152', ready: true, blocks: ['20.1.31.128/26'] },
  { name: '9.111.255.155', address: '9.111.255.155', ready: true, blocks: ['20.1.35.192/26'] },
  { name: '9.111.255.77', address: '9.111.255.77', ready: true, blocks: ['20.1.47.128/26'] },
];

/** The two clusters of 2018 with Istio 0.8 and the ILB addresses of its author. */
export function classicPlan(): MeshPlan {
  const ilbs = [
    ilb('istio-pilot-ilb', '9.111.255.5', [15003, 15005, 15007, 15010, 15011, 8080, 9093], { istio: 'pilot' }),
    ilb('istio-policy-ilb', '9.111.255.7', [9091, 15004, 9093], { istio: 'mixer', 'istio-mixer-type': 'policy' }),
    ilb('istio-statsd-prom-bridge-ilb', '9.111.255.4', [], { istio: 'statsd-prom-bridge' }, [
      { ...tcp(9125), name: 'statsd-udp', protocol: 'UDP' },
    ]),
    ilb('zipkin-ilb', '9.111.255.3', [9411], { app: 'jaeger' }),
    ilb('istio-citadel-ilb', '9.111.255.10', [8060, 9093], { istio: 'citadel' }),
  ];
  const values = IstioRemoteClassicValues.parse({
    clusterName: 'cluster2',
    endpoints: { pilot: ['9.111.255.5'], policy: ['9.111.255.7'], statsd: ['9.111.255.4'], zipkin: ['9.111.255.3'] },
  });
  const remote = { name: 'istio-remote-classic', namespace: 'istio-system', chart: 'istio-remote-classic', values, waitsFor: [] } as const;
  return twoClusters({ era: 'classic', version: '0.8.0', ilbs, remote });
}

/** The same clusters with today's Istio; `addresses` empty leaves the ILB pending, and with it the remote. */
export function modernPlan(addresses: readonly string[] = ['9.111.255.5']): MeshPlan {
  const waitsFor = addresses.length === 0 ? ['address of istiod-ilb in cluster1'] : [];
  const values = IstioRemoteValues.parse({ clusterName: 'cluster2', network: 'network1', remotePilotAddresses: addresses });
  const remote = { name: 'istio-remote', namespace: 'istio-system', chart: 'istio-remote', values, waitsFor } as const;
  const address = addresses.length === 0 ? undefined : addresses[0];
  return twoClusters({ era: 'modern', version: '1.30.3', ilbs: [ilb('istiod-ilb', address, [15012, 15017], { app: 'istiod' })], remote });
}

/** A mesh file that names the clusters of a plan, with a context each. */
export function loadedFor(plan: MeshPlan): Pick<LoadedMesh, 'mesh' | 'text'> {
  const clusters = plan.clusters.map(({ name, role }) => ({ name, role, context: name.replace('cluster', 'icp-') }));
  const mesh = Mesh.parse({
    apiVersion: 'isthmus/v1',
    kind: 'Mesh',
    metadata: { name: plan.mesh },
    istio: { version: plan.istio.version },
    clusters,
  });
  return { mesh, text: `# mesh.yaml as its author wrote it\nmetadata: {name: ${plan.mesh}}\n` };
}

/** A cluster of `count` nodes that is a remote of no one in particular: for pictures and lists of many. */
export function plainCluster(name: string, index: number, count: number): ClusterPlan {
  const nodes = Array.from({ length: count }, (_, node) => ({
    name: `${name}-worker-${node + 1}`,
    address: `10.${index}.${Math.floor(node / 250)}.${(node % 250) + 1}`,
    ready: true,
    blocks: [`10.${100 + index}.${Math.floor(node / 256)}.${node % 256}/32`],
  }));
  return cluster({ name, role: 'remote', nodes, podCIDR: `10.${100 + index}.0.0/16`, peers: [] });
}

interface ClusterRequest {
  readonly name: string;
  readonly role: 'primary' | 'remote';
  readonly nodes: readonly PlannedNode[];
  readonly podCIDR: string;
  readonly peers: readonly { readonly cluster: string; readonly nodes: readonly PlannedNode[]; readonly podCIDR: string }[];
}

function twoClusters(options: {
  readonly era: MeshPlan['era'];
  readonly version: string;
  readonly ilbs: readonly Ilb[];
  readonly remote: ClusterPlan['releases'][number];
}): MeshPlan {
  const one = { cluster: 'cluster1', nodes: nodes1, podCIDR: '10.1.0.0/16' };
  const two = { cluster: 'cluster2', nodes: nodes2, podCIDR: '20.1.0.0/16' };
  const classic = options.era === 'classic';
  const secret = {
    name: classic ? 'cluster2' : 'istio-remote-secret-cluster2',
    namespace: 'istio-system',
    remote: 'cluster2',
    primary: 'cluster1',
  };
  const account = classic ? 'istio-multi' : 'istio-reader-service-account';
  const primary = cluster({ name: 'cluster1', role: 'primary', nodes: nodes1, podCIDR: one.podCIDR, peers: [two] });
  const remote = cluster({ name: 'cluster2', role: 'remote', nodes: nodes2, podCIDR: two.podCIDR, peers: [one] });
  return {
    apiVersion: 'isthmus/v1',
    kind: 'MeshPlan',
    mesh: 'bookinfo',
    meshID: 'bookinfo',
    era: options.era,
    istio: { version: options.version, namespace: 'istio-system', revision: '' },
    links: [{ clusters: ['cluster1', 'cluster2'], by: 'routes', reason: 'one network, every next hop on a common link' }],
    clusters: [
      {
        ...primary,
        releases: [
          { name: 'istio-ilb', namespace: 'istio-system', chart: 'istio-ilb', services: options.ilbs, waitsFor: [] },
          ...primary.releases,
        ],
        remoteSecrets: [
          { ...secret, server: 'https://9.111.255.77:8001', serviceAccount: account, tokenSecret: `${account}-istio-remote-secret-token` },
        ],
      },
      { ...remote, controlPlane: 'cluster1', releases: [...remote.releases, options.remote] },
    ],
    findings: [{ code: 'ISM031', severity: 'warning', cluster: 'cluster2', message: 'Pod CIDR 20.1.0.0/16 is public address space.' }],
  };
}

function cluster({ name, role, nodes, podCIDR, peers }: ClusterRequest): ClusterPlan {
  const routes = peers.flatMap((peer) => peer.nodes.flatMap((node) => routesTo(peer.cluster, node)));
  const cidrs = peers.map((peer) => peer.podCIDR);
  const values = RouteInstallerValues.parse({
    clusterName: name,
    routes: routes.map(({ dst, via }) => ({ dst, via })),
    guard: { remotePodCIDRs: cidrs, localPodCIDRs: [podCIDR], nodeCIDRs: nodes.map(({ address }) => `${address}/32`) },
    nodes: nodes.map((node) => node.name),
  });
  const control = { 'topology.istio.io/controlPlaneClusters': 'cluster1' };
  return {
    name,
    role,
    network: 'network1',
    networkReason: 'no network is given',
    summary: { kubernetes: '1.34.4', cni: 'Calico', podCIDRs: [{ cidr: podCIDR, source: 'mesh.yaml:12:5' }], serviceCIDRs: [] },
    nodes,
    routes,
    sourceNat: { cni: 'calico', method: 'ip-pools', cidrs, pools: [], reason: 'Calico leaves addresses of known pools as they are' },
    namespaces: [
      { name: 'istio-system', labels: { 'topology.istio.io/network': 'network1' }, annotations: role === 'remote' ? control : {} },
      { name: 'isthmus-system', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' }, annotations: {} },
    ],
    releases: [{ name: 'route-installer', namespace: 'isthmus-system', chart: 'route-installer', values, waitsFor: [] }],
    remoteSecrets: [],
  };
}

function routesTo(cluster: string, node: PlannedNode): Route[] {
  return node.blocks.map((dst) => ({ dst, via: node.address, cluster, node: node.name }));
}

function tcp(port: number): ServicePort {
  return { name: `tcp-${port}`, port, targetPort: port, protocol: 'TCP' };
}

function ilb(
  name: string,
  address: string | undefined,
  ports: readonly number[],
  selector: Readonly<Record<string, string>>,
  more: readonly ServicePort[] = [],
): Ilb {
  return {
    name,
    namespace: 'istio-system',
    selector,
    ports: [...ports.map(tcp), ...more],
    platform: 'keepalived',
    annotations: {},
    ...(address === undefined ? {} : { loadBalancerIP: address }),
    sourceRanges: ['20.1.0.0/16', '9.111.255.77/32', '9.111.255.152/32', '9.111.255.155/32'],
    address: address === undefined ? { state: 'pending' } : { state: 'fixed', addresses: [address], source: 'mesh.yaml:9:7' },
  };
}
