// The routes of a cluster: each pod block of the other clusters through the node it lives on.
import { aggregate, type Cidr, compareCidrs, type Family, formatAddress, formatCidr } from '../base/cidr.ts';
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import { podFamilies, type ResolvedCluster, type RoutableNode } from './cluster.ts';
import type { Route } from './types.ts';

/** Routes of one node above which changes take noticeable time. */
const manyRoutes = 20_000;

export interface Peer {
  readonly cluster: ResolvedCluster;
  readonly nodes: readonly RoutableNode[];
}

/**
 * Routes of every node of `cluster` to the pods of its peers, in address order.
 * Blocks of one node are joined where the union is exact; borrowed addresses stay alone, because they must be longer than the
 * block they lie in. IP families that `cluster` itself does not have are left out.
 */
export function planRoutes(cluster: ResolvedCluster, peers: readonly Peer[]): Route[] {
  const families = podFamilies(cluster);
  const found = peers.flatMap((peer) => peer.nodes.flatMap((node) => nodeRoutes(peer.cluster.name, node, families)));
  return found.sort((a, b) => compareCidrs(a.cidr, b.cidr)).map(({ route }) => route);
}

/** Says when a node would get more routes than is comfortable. */
export function checkRouteCount(cluster: string, routes: readonly Route[]): Finding[] {
  if (routes.length <= manyRoutes) return [];
  return [makeFinding({ code: 'ISM047', cluster, message: `Each node gets ${routes.length} routes.` })];
}

function nodeRoutes(cluster: string, node: RoutableNode, families: ReadonlySet<Family>): { cidr: Cidr; route: Route }[] {
  const blocks = node.blocks.filter((block) => families.has(block.cidr.family));
  const own = aggregate(blocks.filter((block) => !block.borrowed).map((block) => block.cidr));
  const borrowed = blocks.filter((block) => block.borrowed).map((block) => block.cidr);
  return [...own, ...borrowed].flatMap((cidr) => {
    const via = node.hops.get(cidr.family);
    return via === undefined ? [] : [{ cidr, route: { dst: formatCidr(cidr), via: formatAddress(via), cluster, node: node.name } }];
  });
}
