// Which blocks of which node may be routed: inside the pod CIDRs, and with one owner each.
import { compareCidrs, contains, formatCidr } from '../base/cidr.ts';
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { PodBlock, ResolvedNode, UnplacedCluster } from './cluster.ts';
import { coverOf, disjoint } from './overlap.ts';
import { count, listText } from './text.ts';

export interface SoundBlocks {
  /** Blocks by node name. */
  readonly blocks: ReadonlyMap<string, readonly PodBlock[]>;
  readonly findings: readonly Finding[];
}

interface OwnedBlock extends PodBlock {
  readonly node: string;
}

/**
 * The blocks of `nodes` that routes may lead to. Afterwards no two nodes have blocks in common, but for borrowed addresses,
 * which lie inside a block of another node and win over it by being longer.
 */
export function soundBlocks(cluster: UnplacedCluster, nodes: readonly ResolvedNode[]): SoundBlocks {
  const pods = disjoint(cluster.podCIDRs);
  const all = nodes.flatMap((node) => node.blocks.map(({ cidr, borrowed }): OwnedBlock => ({ cidr, borrowed, node: node.name })));
  const inside = all.filter((block) => !cluster.podCIDRsKnown || coverOf(pods, block.cidr) !== undefined);
  const disputed = new Set([...disputedBlocks(inside), ...disputedAddresses(inside)]);
  const taken = new Set(inside.filter((block) => block.borrowed).map(key));
  const blocks = new Map<string, OwnedBlock[]>();
  for (const block of inside) {
    // A borrowed address that is a whole block of another node: packets must go where it is used.
    const isTaken = taken.size > 0 && !block.borrowed && taken.has(key(block));
    if (disputed.has(block) || isTaken) continue;
    const list = blocks.get(block.node);
    if (list === undefined) blocks.set(block.node, [block]);
    else list.push(block);
  }
  const outside = all.filter((block) => cluster.podCIDRsKnown && coverOf(pods, block.cidr) === undefined);
  return { blocks, findings: [...noBlocks(cluster, all), ...outsideFinding(cluster, outside), ...disputedFinding(cluster, disputed)] };
}

function key(block: OwnedBlock): string {
  return formatCidr(block.cidr);
}

/** Blocks of two nodes that are equal or nested. One pass over the blocks in order. */
function disputedBlocks(all: readonly OwnedBlock[]): Set<OwnedBlock> {
  const disputed = new Set<OwnedBlock>();
  let cover: OwnedBlock | undefined;
  for (const block of all.filter((one) => !one.borrowed).sort((a, b) => compareCidrs(a.cidr, b.cidr))) {
    if (cover === undefined || !contains(cover.cidr, block.cidr)) cover = block;
    else if (cover.node !== block.node) disputed.add(cover).add(block);
  }
  return disputed;
}

/** Borrowed addresses that two nodes claim. */
function disputedAddresses(all: readonly OwnedBlock[]): Set<OwnedBlock> {
  const disputed = new Set<OwnedBlock>();
  const users = new Map<string, OwnedBlock>();
  for (const block of all.filter((one) => one.borrowed)) {
    const other = users.get(key(block));
    if (other !== undefined && other.node !== block.node) disputed.add(other).add(block);
    users.set(key(block), block);
  }
  return disputed;
}

function noBlocks(cluster: UnplacedCluster, all: readonly OwnedBlock[]): Finding[] {
  const reported = cluster.facts.problems.some((problem) => problem.code === 'ISM032');
  if (all.length > 0 || reported || cluster.nodes.length === 0) return [];
  return [
    makeFinding({
      code: 'ISM032',
      cluster: cluster.name,
      message: `No pod blocks are known on its ${count(cluster.nodes.length, 'node')}.`,
      hint: blockHint(cluster),
    }),
  ];
}

/** What helps with the CNI at hand. */
function blockHint(cluster: UnplacedCluster): string {
  const cni = cluster.facts.cni?.value.name.toLowerCase() ?? '';
  if (cni.includes('aws') || cni.includes('azure') || cni.includes('gke')) {
    return "The cloud's own network carries pod addresses: set `routes.provider: none`.";
  }
  if (cni.includes('calico'))
    return 'Let isthmus read the BlockAffinity objects, or paste the output of `ip route` of each node into `nodes` in mesh.yaml.';
  return 'Write `nodes` with `podCIDRs`, or with the output of `ip route` of each node, in mesh.yaml.';
}

function outsideFinding(cluster: UnplacedCluster, outside: readonly OwnedBlock[]): Finding[] {
  if (outside.length === 0) return [];
  const blocks = outside.map((block) => `${formatCidr(block.cidr)} on ${block.node}`);
  const pods = listText(cluster.podCIDRs.map(formatCidr));
  return [
    makeFinding({
      code: 'ISM037',
      cluster: cluster.name,
      message: `Outside its pod CIDRs ${pods}: ${listText(blocks)}. No route leads there.`,
    }),
  ];
}

function disputedFinding(cluster: UnplacedCluster, disputed: ReadonlySet<OwnedBlock>): Finding[] {
  if (disputed.size === 0) return [];
  const claims = [...disputed].sort((a, b) => compareCidrs(a.cidr, b.cidr)).map((block) => `${formatCidr(block.cidr)} on ${block.node}`);
  return [
    makeFinding({ code: 'ISM034', cluster: cluster.name, message: `Claimed by two nodes: ${listText(claims)}. No route leads there.` }),
  ];
}
