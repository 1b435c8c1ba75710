// The plan of one cluster, put together from its routes, source NAT, control plane and releases.
import { formatAddress, formatCidr } from '../base/cidr.ts';
import { istioNames, primaryReader, remoteSecretName } from '../base/names.ts';
import type { Finding } from '../findings/types.ts';
import type { Era, Mesh } from '../spec/schema.ts';
import type { ResolvedCluster, RoutableNode } from './cluster.ts';
import { describeCni } from './cni.ts';
import { isAmbient } from './control-plane/ambient.ts';
import { istioReleases } from './control-plane/install.ts';
import type { GatewayPlan, RemotePlan } from './control-plane/plan.ts';
import {
  ambientGatewayRelease,
  gatewayRelease,
  ilbRelease,
  type ReleaseResult,
  readerRelease,
  remoteRelease,
  routeRelease,
} from './releases.ts';
import type { ClusterPlan, ClusterSummary, Ilb, PlannedNamespace, PlannedNode, RemoteSecret, Route, SourceNat } from './types.ts';

export interface ClusterScene {
  readonly mesh: Mesh;
  readonly meshID: string;
  readonly era: Era;
  readonly cluster: ResolvedCluster;
  readonly nodes: readonly RoutableNode[];
  readonly routes: readonly Route[];
  /** Clusters that the routes lead to. */
  readonly peers: readonly ResolvedCluster[];
  readonly sourceNat: SourceNat;
  readonly ilbs: readonly Ilb[];
  readonly gateway?: GatewayPlan;
  /** Every remote of the mesh. */
  readonly remotes: readonly RemotePlan[];
  /** Every primary of the mesh that runs an istiod, as far as that is known. */
  readonly primaries: readonly ResolvedCluster[];
}

/** Account of Istio 0.8's multicluster set-up; later versions have istio-reader-service-account. */
const classicReader = 'istio-multi';

/** Route-installer changes the network of its hosts, which Pod Security allows to privileged namespaces only. */
const privileged = {
  'pod-security.kubernetes.io/enforce': 'privileged',
  'pod-security.kubernetes.io/audit': 'privileged',
  'pod-security.kubernetes.io/warn': 'privileged',
} as const;

/** The plan of one cluster, and findings about values that no chart takes. */
export function planCluster(scene: ClusterScene): { plan: ClusterPlan; findings: readonly Finding[] } {
  const { cluster } = scene;
  const own = scene.remotes.find((plan) => plan.remote === cluster);
  const results = planReleases(scene, own);
  const remoteSecrets = planSecrets(scene);
  const idle = results.length === 0 && remoteSecrets.length === 0 && cluster.givenRoot === undefined;
  const plan: ClusterPlan = {
    name: cluster.name,
    role: cluster.spec.role,
    network: cluster.network,
    networkReason: cluster.networkReason,
    ...(own === undefined ? {} : { controlPlane: own.primary.name }),
    ...(cluster.facts.uid === undefined ? {} : { uid: cluster.facts.uid.value }),
    ...(cluster.givenRoot === undefined ? {} : { root: cluster.givenRoot.value }),
    summary: summarize(cluster),
    nodes: scene.nodes.map(plannedNode),
    routes: scene.routes,
    sourceNat: scene.sourceNat,
    namespaces: idle ? [] : plannedNamespaces(scene, own),
    releases: results.flatMap(({ release }) => (release === undefined ? [] : [release])),
    remoteSecrets,
  };
  return { plan, findings: results.flatMap((result) => result.findings) };
}

/** In the order of installation: the gateway of a primary first, because remotes need its address; that of a remote last, because istiod injects it. */
function planReleases(scene: ClusterScene, own: RemotePlan | undefined): ReleaseResult[] {
  const { mesh, cluster, gateway } = scene;
  const remote = own === undefined ? [] : [remoteRelease(mesh, own)];
  const waitsFor = remote.flatMap(({ release }) => release?.waitsFor ?? []);
  const planGateway = (plan: GatewayPlan) =>
    isAmbient(mesh) ? ambientGatewayRelease(mesh, cluster, plan) : gatewayRelease(mesh, cluster, { ...plan, waitsFor });
  const gateways = gateway === undefined ? [] : [planGateway(gateway)];
  const isPrimary = cluster.spec.role === 'primary';
  const servesRemotes = scene.remotes.some(({ primary }) => primary === cluster);
  return [
    ...istioReleases(mesh, scene.meshID, { cluster, servesRemotes }).map((release) => ({ release, findings: [] })),
    ...(scene.ilbs.length > 0 ? [ilbRelease(mesh, scene.ilbs)] : []),
    ...(isPrimary ? gateways : []),
    ...(scene.peers.length > 0 ? [routeRelease(scene)] : []),
    ...(isRead(scene) ? [readerRelease(mesh)] : []),
    ...remote,
    ...(isPrimary ? [] : gateways),
  ];
}

/** True for a primary that another primary reads. */
function isRead({ era, cluster, primaries }: ClusterScene): boolean {
  return era === 'modern' && primaries.includes(cluster) && primaries.length > 1;
}

/** istiod reads every other cluster, whoever serves it; pilot of Istio 0.8 reads its own remotes. */
function planSecrets(scene: ClusterScene): RemoteSecret[] {
  const { era, cluster, primaries, remotes } = scene;
  const readsAll = era === 'modern' && primaries.includes(cluster);
  const read = remotes.filter(({ primary }) => readsAll || primary === cluster).map(({ remote }) => remote);
  const others = readsAll ? primaries.filter((primary) => primary !== cluster) : [];
  return [...others, ...read].map((remote) => remoteSecret(scene, remote));
}

function summarize({ facts, podCIDRs, podSource, serviceCIDRs }: ResolvedCluster): ClusterSummary {
  const cni = facts.cni?.value;
  return {
    ...(facts.kubernetes === undefined ? {} : { kubernetes: facts.kubernetes.value }),
    ...(facts.platform === undefined ? {} : { platform: facts.platform.value }),
    ...(cni === undefined ? {} : { cni: describeCni(cni) }),
    podCIDRs: podCIDRs.map((cidr) => ({ cidr: formatCidr(cidr), source: podSource })),
    serviceCIDRs: serviceCIDRs.map(formatCidr),
  };
}

function plannedNode({ name, ready, hops, blocks }: RoutableNode): PlannedNode {
  const hop = hops.get(4) ?? hops.get(6);
  return { name, address: hop === undefined ? '' : formatAddress(hop), ready, blocks: blocks.map((block) => formatCidr(block.cidr)) };
}

/** Namespaces before everything else: istiod looks at the annotation when it first sees the remote. */
function plannedNamespaces({ mesh, era, cluster, peers }: ClusterScene, own: RemotePlan | undefined): PlannedNamespace[] {
  const modern = era === 'modern';
  return [
    {
      name: mesh.istio.namespace,
      labels: modern ? { [istioNames.networkLabel]: cluster.network } : {},
      annotations: modern && own !== undefined ? { [istioNames.controlPlaneClusters]: own.primary.name } : {},
    },
    { name: mesh.routes.namespace, labels: peers.length > 0 ? privileged : {}, annotations: {} },
  ];
}

/** Pilot of Istio 0.8 reads the key that is named like the Secret, so there the Secret is named like the cluster. */
function remoteSecret({ mesh, era, cluster }: ClusterScene, read: ResolvedCluster): RemoteSecret {
  const server = read.spec.apiServer ?? read.facts.server?.value;
  const serviceAccount = readerOf(era, read);
  return {
    name: era === 'classic' ? read.name : remoteSecretName(read.name),
    namespace: mesh.istio.namespace,
    remote: read.name,
    primary: cluster.name,
    ...(server === undefined ? {} : { server }),
    serviceAccount,
    tokenSecret: `${serviceAccount}-istio-remote-secret-token`,
  };
}

function readerOf(era: Era, { spec }: ResolvedCluster): string {
  if (era === 'classic') return classicReader;
  return spec.role === 'primary' ? primaryReader : istioNames.readerServiceAccount;
}
