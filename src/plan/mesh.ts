// From what the user wants and what the clusters are to what will be. Pure: no clock, no files, no clusters.
import type { Finding } from '../findings/types.ts';
import { eraOf, type Mesh } from '../spec/schema.ts';
import { checkRanges } from './addressing.ts';
import type { ResolvedCluster, RoutableNode } from './cluster.ts';
import { planCluster } from './cluster-plan.ts';
import { checkInstall, withOwnIstio } from './control-plane/install.ts';
import { type ControlPlanePlan, planControlPlane } from './control-plane/plan.ts';
import { hasIstiod } from './control-plane/revision.ts';
import { createFlatness } from './flat.ts';
import { checkForeignRoutes } from './foreign.ts';
import { findReported, findSameClusters, findStale, findSwapped, findUnknown, findUnknownIgnores } from './inputs.ts';
import { directPeers, planLinks, routedPeers } from './links.ts';
import { planNetworks } from './networks.ts';
import { routableNodes } from './nodes.ts';
import { commonFamilies } from './pairs.ts';
import { checkProtocol } from './protocols.ts';
import { resolveClusters } from './resolve.ts';
import { checkRouteCount, planRoutes } from './routes.ts';
import { checkEncapsulation, planSourceNat } from './source-nat.ts';
import { compareText } from './text.ts';
import type { ClusterInput, ClusterPlan, Link, MeshPlan } from './types.ts';

export interface PlanInput {
  readonly mesh: Mesh;
  /** What is known about the clusters, in any order; entries for clusters that mesh.yaml does not name are left alone. */
  readonly inputs: readonly ClusterInput[];
  /** The time now; without it the age of facts is not judged. */
  readonly now?: Date;
  /** `mesh.yaml:6:11` of the value at a path of mesh.yaml, for sources and findings. */
  locate?(path: readonly (string | number)[]): string;
}

/** What every cluster of the mesh needs to know of the others. */
interface Scene {
  readonly mesh: Mesh;
  readonly meshID: string;
  readonly clusters: readonly ResolvedCluster[];
  readonly nodes: ReadonlyMap<string, readonly RoutableNode[]>;
  readonly links: readonly Link[];
  readonly controlPlane: ControlPlanePlan;
}

/**
 * Plans a mesh: routes, source NAT, ILBs, endpoints, chart values, and findings about all of it.
 * Total: problems of the data are findings, never exceptions. Linear in nodes and blocks. The same inputs give the same plan in any
 * order of inputs and lists; clusters keep the order of mesh.yaml.
 */
export function planMesh({ mesh, inputs, now, locate = () => 'mesh.yaml' }: PlanInput): MeshPlan {
  const era = eraOf(mesh);
  const meshID = mesh.istio.meshID ?? mesh.metadata.name;
  const { clusters: unplaced, findings } = resolveClusters(mesh, inputs);
  const routable = new Map(unplaced.map((cluster) => [cluster.name, routableNodes(cluster)]));
  const nodes = new Map([...routable].map(([name, { nodes: list }]) => [name, list]));
  const flatness = createFlatness(mesh, unplaced, nodes);
  const clusters = planNetworks(mesh, unplaced, flatness).map((cluster) => withOwnIstio(mesh, meshID, cluster));
  const used = inputs.filter((input) => nodes.has(input.name));
  const { links, findings: linkFindings } = planLinks(mesh, clusters, flatness);
  const controlPlane = planControlPlane({ mesh, meshID, era, clusters, locate });
  const scene = { mesh, meshID, clusters, nodes, links, controlPlane };
  const results = clusters.map((cluster) => planOne(scene, cluster));
  const all = [
    ...findings,
    ...findUnknownIgnores(mesh, locate),
    ...findSameClusters(clusters),
    ...findSwapped(used),
    ...(now === undefined ? [] : findStale(used, now)),
    ...clusters.flatMap((cluster) => checkOne(mesh, clusters, cluster)),
    ...clusters.flatMap((cluster) => (needsRoutes(mesh, clusters, cluster) ? (routable.get(cluster.name)?.findings ?? []) : [])),
    ...linkFindings,
    ...(mesh.routes.provider === 'routes' ? checkProtocol(mesh, clusters) : []),
    ...unplaced.flatMap((cluster) => checkInstall(mesh, cluster)),
    ...controlPlane.findings,
    ...results.flatMap((result) => result.findings),
  ];
  return {
    apiVersion: 'isthmus/v1',
    kind: 'MeshPlan',
    mesh: mesh.metadata.name,
    meshID,
    era,
    istio: { version: mesh.istio.version, namespace: mesh.istio.namespace, revision: mesh.istio.revision },
    links,
    clusters: results.map((result) => result.plan),
    findings: orderFindings(all, mesh.ignore),
  };
}

/** True when routes may lead to and from the cluster, so that its nodes and blocks matter. */
function needsRoutes(mesh: Mesh, clusters: readonly ResolvedCluster[], cluster: ResolvedCluster): boolean {
  return mesh.routes.provider === 'routes' && clusters.some((other) => other !== cluster && other.network === cluster.network);
}

function checkOne(mesh: Mesh, clusters: readonly ResolvedCluster[], cluster: ResolvedCluster): Finding[] {
  const routed = needsRoutes(mesh, clusters, cluster);
  return [...findReported(cluster, routed), ...(clusters.length > 1 ? findUnknown(cluster) : []), ...checkRanges(cluster, routed)];
}

function planOne(scene: Scene, cluster: ResolvedCluster): { plan: ClusterPlan; findings: readonly Finding[] } {
  const { mesh, clusters, links, controlPlane } = scene;
  const nodesOf = (name: string) => scene.nodes.get(name) ?? [];
  const peerNames = new Set(routedPeers(links, cluster.name));
  const peers = clusters.filter((other) => peerNames.has(other.name));
  const routes = planRoutes(
    cluster,
    peers.map((peer) => ({ cluster: peer, nodes: nodesOf(peer.name) })),
  );
  const sourceNat = planSourceNat({ cluster, remotes: reachedPods(scene, cluster), installs: peers.length > 0 });
  const gateway = controlPlane.gateways.get(cluster.name);
  const { plan, findings } = planCluster({
    mesh,
    meshID: scene.meshID,
    era: eraOf(mesh),
    cluster,
    nodes: nodesOf(cluster.name),
    routes,
    peers,
    sourceNat: sourceNat.plan,
    ilbs: controlPlane.ilbs.get(cluster.name) ?? [],
    ...(gateway === undefined ? {} : { gateway }),
    remotes: controlPlane.remotes,
    primaries: clusters.filter(({ spec, facts, readable }) => spec.role === 'primary' && (!readable || hasIstiod(facts))),
  });
  const peerPods = peers.flatMap((peer) => peer.podCIDRs);
  return {
    plan,
    findings: [
      ...findings,
      ...checkRouteCount(cluster.name, routes),
      ...checkForeignRoutes({ cluster, routes, peerPods, protocol: mesh.routes.protocol }),
      ...sourceNat.findings,
      ...(peers.length > 0 ? checkEncapsulation(cluster) : []),
    ],
  };
}

/** Pods of other clusters that are reached without gateways, in the IP families both have. */
function reachedPods({ clusters, links }: Scene, cluster: ResolvedCluster) {
  const names = new Set(directPeers(links, cluster.name));
  return clusters
    .filter((other) => names.has(other.name))
    .map((other) => {
      const families = commonFamilies(cluster, other);
      return { cluster: other.name, podCIDRs: other.podCIDRs.filter((cidr) => families.includes(cidr.family)) };
    });
}

const ranks = { error: 0, warning: 1, info: 2 } as const;

/** Each finding once, errors first, marked where mesh.yaml accepts it. */
function orderFindings(findings: readonly Finding[], ignore: readonly string[]): Finding[] {
  const accepted = new Set(ignore);
  const marked = findings.map((finding) => (accepted.has(finding.code) ? { ...finding, ignored: true } : finding));
  const unique = [...new Map(marked.map((finding) => [JSON.stringify(finding), finding])).values()];
  return unique.sort(compareFindings);
}

function compareFindings(a: Finding, b: Finding): number {
  const rank = ranks[a.severity] - ranks[b.severity];
  return rank || compareText(sortKey(a), sortKey(b));
}

function sortKey({ code, cluster = '', where = '', message }: Finding): string {
  return [code, cluster, where, message].join('\0');
}
