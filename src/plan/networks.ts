// Decides which network each cluster is in: the one it is given, else one with all clusters that it is flat with.
import { eraOf, type Mesh } from '../spec/schema.ts';
import type { ResolvedCluster, UnplacedCluster } from './cluster.ts';
import { chosenRevision } from './control-plane/revision.ts';
import type { Flatness } from './flat.ts';
import { compareText, listText } from './text.ts';

/** Network of clusters that nothing is said about, as in Istio's own documentation. */
const defaultNetwork = 'network1';

interface Membership {
  readonly network: string;
  readonly reason: string;
}

/**
 * The clusters in their order, each in its network. A cluster that mesh.yaml and its istiod name no network for joins the first one
 * whose clusters are all flat with it, and else gets one of its own, named after it. A network that is only written in mesh.yaml
 * takes no other cluster in: who writes it for one cluster sets that one apart. Istio 0.8 joins no networks, so there all share one.
 * The result does not depend on the order of clusters.
 */
export function planNetworks(mesh: Mesh, clusters: readonly UnplacedCluster[], flatness: Flatness): ResolvedCluster[] {
  const sorted = [...clusters].sort(byRoleAndName);
  const placed = new Map<string, Membership>();
  for (const cluster of sorted) {
    const given = givenNetwork(mesh, cluster);
    if (given !== undefined) placed.set(cluster.name, given);
  }
  const open = new Set(openNetworks(mesh, sorted, placed));
  for (const { name } of sorted) {
    if (placed.has(name)) continue;
    const own = findNetwork(name, { open, placed, flatness });
    placed.set(name, own);
    open.add(own.network);
  }
  return clusters.map((cluster) => {
    const { network, reason } = placed.get(cluster.name) ?? { network: defaultNetwork, reason: '' };
    return { ...cluster, network, networkReason: reason };
  });
}

/** Primaries first: what is decided about them stays when remotes come and go. */
function byRoleAndName(a: UnplacedCluster, b: UnplacedCluster): number {
  if (a.spec.role !== b.spec.role) return a.spec.role === 'primary' ? -1 : 1;
  return compareText(a.name, b.name);
}

function givenNetwork(mesh: Mesh, cluster: UnplacedCluster): Membership | undefined {
  const { spec } = cluster;
  if (spec.network !== undefined) return { network: spec.network, reason: 'written in mesh.yaml' };
  if (eraOf(mesh) === 'classic') return { network: defaultNetwork, reason: 'Istio 0.8 knows no networks' };
  const own = istiodNetwork(mesh, cluster);
  return own === undefined ? undefined : { network: own, reason: 'the network of its istiod' };
}

/** What istiod of a primary was installed with. A label on the namespace is no sign of that: isthmus writes it too. */
function istiodNetwork(mesh: Mesh, cluster: UnplacedCluster): string | undefined {
  if (cluster.spec.role !== 'primary') return undefined;
  const network = chosenRevision(cluster, mesh.istio.revision)?.network;
  return network === '' ? undefined : network;
}

/** Given networks that other clusters may join. */
function openNetworks(mesh: Mesh, sorted: readonly UnplacedCluster[], placed: ReadonlyMap<string, Membership>): string[] {
  const given = sorted.flatMap((cluster) => {
    const network = placed.get(cluster.name)?.network;
    if (network === undefined) return [];
    return network === defaultNetwork || network === istiodNetwork(mesh, cluster) ? [network] : [];
  });
  return given;
}

interface Choice {
  readonly open: ReadonlySet<string>;
  readonly placed: ReadonlyMap<string, Membership>;
  readonly flatness: Flatness;
}

function findNetwork(name: string, { open, placed, flatness }: Choice): Membership {
  const conflicts: string[] = [];
  for (const network of open) {
    const members = [...placed].filter(([, membership]) => membership.network === network).map(([member]) => member);
    const conflict = members.map((member) => conflictWith(flatness, name, member)).find((text) => text !== undefined);
    if (conflict === undefined) return { network, reason: `flat with ${listText(members)}` };
    conflicts.push(conflict);
  }
  const [reason] = conflicts;
  if (reason === undefined) return { network: defaultNetwork, reason: 'no network is given' };
  return { network: freeName(name, placed), reason };
}

function conflictWith(flatness: Flatness, name: string, member: string): string | undefined {
  const { conflict } = flatness(name, member);
  return conflict === undefined ? undefined : `not flat with ${member}: ${conflict}`;
}

/** `network-<cluster>`, numbered where a cluster was given just that. */
function freeName(cluster: string, placed: ReadonlyMap<string, Membership>): string {
  const taken = new Set([...placed.values()].map(({ network }) => network));
  let name = `network-${cluster}`;
  for (let number = 2; taken.has(name); number++) name = `network-${cluster}-${number}`;
  return name;
}
