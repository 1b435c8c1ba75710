// Builders of what a plan starts from: a mesh, facts of clusters, and the two clusters of the 2018 procedure.
import type { ClusterFacts, IstioFacts, NodeFacts } from '../../src/facts/schema.ts';
import type { Finding } from '../../src/findings/types.ts';
import { planMesh } from '../../src/plan/mesh.ts';
import type { ClusterInput, ClusterPlan, MeshPlan, PlannedRelease } from '../../src/plan/types.ts';
import { Mesh } from '../../src/spec/schema.ts';

type ClusterEntry = Readonly<Record<string, unknown>> & { readonly name: string };

/** A mesh of the given cluster entries; the first is the primary unless roles say otherwise. Defaults come from the schema. */
export function mesh(clusters: readonly ClusterEntry[], overrides: Readonly<Record<string, unknown>> = {}): Mesh {
  return Mesh.parse({
    apiVersion: 'isthmus/v1',
    kind: 'Mesh',
    metadata: { name: 'bookinfo' },
    istio: { version: '1.30.3' },
    clusters: clusters.map((cluster, index) => ({ role: index === 0 ? 'primary' : 'remote', ...cluster })),
    ...overrides,
  });
}

/** A Linux node that is ready. */
export function node(name: string, address: string, blocks: readonly string[], overrides: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name,
    os: 'linux',
    ready: true,
    deleting: false,
    virtual: false,
    addresses: [{ value: address, source: 'InternalIP' }],
    subnets: [],
    blocks: blocks.map((cidr) => ({ cidr, source: `BlockAffinity ${name}` })),
    foreignRoutes: [],
    ...overrides,
  };
}

/** Facts of a cluster that was read from its API server, with Calico and nothing unusual. */
export function facts(cluster: string, overrides: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    apiVersion: 'isthmus/v1',
    kind: 'ClusterFacts',
    cluster,
    collectedAt: '2026-08-01T10:00:00Z',
    origin: 'api',
    uid: { value: `uid-of-${cluster}`, source: 'Namespace kube-system' },
    server: { value: `https://${cluster}.example:6443`, source: 'kubeconfig' },
    kubernetes: { value: '1.34.4', source: '/version' },
    platform: { value: 'bare', source: 'no node names a provider' },
    cni: { value: { name: 'calico', encapsulation: 'none', flat: true }, source: 'crd.projectcalico.org/v1 BlockAffinity' },
    felixProtocol: { value: 80, source: "Calico's default" },
    loadBalancer: { value: 'metallb', source: 'API group metallb.io' },
    pools: [],
    nodes: [],
    services: [],
    problems: [],
    ...overrides,
  };
}

/** Facts as mesh.yaml gives them: nothing but what is written. */
export function textFacts(cluster: string, overrides: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    apiVersion: 'isthmus/v1',
    kind: 'ClusterFacts',
    cluster,
    origin: 'text',
    pools: [],
    nodes: [],
    services: [],
    problems: [],
    ...overrides,
  };
}

/** A pool of Calico that hides pod addresses from other clusters. */
export function pool(name: string, cidr: string): ClusterFacts['pools'][number] {
  return { name, cidr, disabled: false, natOutgoing: true, encapsulation: 'none' };
}

/** istiod of a primary that serves remotes; `revision` overrides fields of its one revision. */
export function istio(cluster: string, revision: Partial<IstioFacts['revisions'][number]> = {}): IstioFacts {
  const base = {
    name: '',
    version: '1.30.3',
    selector: { app: 'istiod', istio: 'pilot' },
    readyPods: 1,
    env: { EXTERNAL_ISTIOD: 'true', CLUSTER_ID: cluster },
    network: 'network1',
    meshID: 'bookinfo',
    managedBy: 'Helm release istiod',
  };
  return { namespace: 'istio-system', revisions: [{ ...base, ...revision }], injectionWebhooks: [] };
}

/** Two clusters of two nodes each on one network, read from their API servers, with nothing wrong. */
export function pair(overrides: { readonly one?: Partial<ClusterFacts>; readonly two?: Partial<ClusterFacts> } = {}): ClusterInput[] {
  const subnets = ['192.168.1.0/24'];
  return [
    {
      name: 'cluster1',
      found: facts('cluster1', {
        podCIDRs: { value: ['10.1.0.0/16'], source: 'IPPool default-ipv4-ippool' },
        serviceCIDRs: { value: ['10.96.0.0/16'], source: 'ServiceCIDR kubernetes' },
        pools: [pool('default-ipv4-ippool', '10.1.0.0/16')],
        nodes: [node('n1', '192.168.1.11', ['10.1.1.0/26'], { subnets }), node('n2', '192.168.1.12', ['10.1.2.0/26'], { subnets })],
        istio: istio('cluster1'),
        ...overrides.one,
      }),
    },
    {
      name: 'cluster2',
      found: facts('cluster2', {
        podCIDRs: { value: ['10.2.0.0/16'], source: 'IPPool default-ipv4-ippool' },
        serviceCIDRs: { value: ['10.97.0.0/16'], source: 'ServiceCIDR kubernetes' },
        pools: [pool('default-ipv4-ippool', '10.2.0.0/16')],
        nodes: [node('n1', '192.168.1.21', ['10.2.1.0/26'], { subnets }), node('n2', '192.168.1.22', ['10.2.2.0/26'], { subnets })],
        ...overrides.two,
      }),
    },
  ];
}

/** Plans `pair` with a mesh of cluster1 (primary) and cluster2 (remote). */
export function planPair(
  change: Parameters<typeof pair>[0] & {
    readonly mesh?: Readonly<Record<string, unknown>>;
    readonly primary?: Readonly<Record<string, unknown>>;
    readonly remote?: Readonly<Record<string, unknown>>;
  } = {},
): MeshPlan {
  const entries = [
    { name: 'cluster1', ...change.primary },
    { name: 'cluster2', ...change.remote },
  ];
  return planMesh({ mesh: mesh(entries, change.mesh), inputs: pair(change) });
}

/** `planPair`, where mesh.yaml says that both clusters are in one network: what speaks against that is then an error. */
export function planFlat(change: Parameters<typeof planPair>[0] = {}): MeshPlan {
  const network = 'network1';
  return planPair({ ...change, primary: { network, ...change.primary }, remote: { network, ...change.remote } });
}

const seedAddresses = {
  'istio-pilot-ilb': '9.111.255.5',
  'istio-policy-ilb': '9.111.255.7',
  'istio-statsd-prom-bridge-ilb': '9.111.255.4',
  'zipkin-ilb': '9.111.255.3',
  'istio-citadel-ilb': '9.111.255.10',
} as const;

/** The two clusters of 2018 as text, with Istio of `version`. */
export function seed(version = '0.8.0'): { readonly mesh: Mesh; readonly inputs: ClusterInput[] } {
  const addresses = version.startsWith('0.8') ? seedAddresses : { 'istiod-ilb': '9.111.255.5' };
  const entries = [{ name: 'cluster1', loadBalancer: { platform: 'keepalived', addresses } }, { name: 'cluster2' }];
  const seedNode = (address: string, block: string) => node(address, address, [block]);
  return {
    mesh: mesh(entries, { istio: { version } }),
    inputs: [
      {
        name: 'cluster1',
        declared: textFacts('cluster1', {
          podCIDRs: { value: ['10.1.0.0/16'], source: 'icp1/config.yaml network_cidr' },
          nodes: [
            seedNode('9.111.255.21', '10.1.198.128/26'),
            seedNode('9.111.255.129', '10.1.158.192/26'),
            seedNode('9.111.255.29', '10.1.43.0/26'),
          ],
        }),
      },
      {
        name: 'cluster2',
        declared: textFacts('cluster2', {
          podCIDRs: { value: ['20.1.0.0/16'], source: 'icp2/config.yaml network_cidr' },
          nodes: [
            seedNode('9.111.255.77', '20.1.47.128/26'),
            seedNode('9.111.255.155', '20.1.35.192/26'),
            seedNode('9.111.255.152', '20.1.31.128/26'),
          ],
        }),
      },
    ],
  };
}

/** Findings of one code. */
export function findingsOf(plan: MeshPlan, code: string): Finding[] {
  return plan.findings.filter((finding) => finding.code === code);
}

/** Codes of all findings, each once, in order. */
export function codesOf(plan: MeshPlan): string[] {
  return [...new Set(plan.findings.map((finding) => finding.code))].sort();
}

/** The plan of one cluster; throws when there is none. */
export function clusterOf(plan: MeshPlan, name: string): ClusterPlan {
  const found = plan.clusters.find((cluster) => cluster.name === name);
  if (found === undefined) throw new Error(`no plan of ${name}`);
  return found;
}

/** `10.1.43.0/26 via 9.111.255.29` for every route of a cluster. */
export function routeTexts(plan: MeshPlan, cluster: string): string[] {
  return clusterOf(plan, cluster).routes.map(({ dst, via }) => `${dst} via ${via}`);
}

/** The release of one chart in a cluster; throws when there is none. */
export function releaseOf<C extends PlannedRelease['chart']>(
  plan: MeshPlan,
  cluster: string,
  chart: C,
): Extract<PlannedRelease, { chart: C }> {
  const found = clusterOf(plan, cluster).releases.find(
    (release): release is Extract<PlannedRelease, { chart: C }> => release.chart === chart,
  );
  if (found === undefined) throw new Error(`no release of ${chart} in ${cluster}`);
  return found;
}
