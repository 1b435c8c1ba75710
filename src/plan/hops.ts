// Whether the nodes of one cluster can route through those of another: next hops must be on a common link.
import { type Cidr, contains, formatAddress, formatCidr } from '../base/cidr.ts';
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { RoutableNode } from './cluster.ts';
import { listText } from './text.ts';

/** A cluster and its routable nodes. */
export interface Hops {
  readonly cluster: string;
  readonly nodes: readonly RoutableNode[];
}

export interface HopCheck {
  readonly findings: readonly Finding[];
  /** Why no routes may join the two; undefined when every next hop is, or may be, on a common link. */
  readonly conflict: string | undefined;
}

/** Checks the next hops of two clusters, both ways. Without known subnets nothing is guessed: each node checks for itself. */
export function checkHops(a: Hops, b: Hops): HopCheck {
  const off = [...offLink(a, b), ...offLink(b, a)];
  const [first] = off;
  if (first !== undefined)
    return { findings: off, conflict: first.message.replace('Its nodes', `nodes of ${first.cluster}`).replace(/\.$/, '') };
  const blind = [a, b].filter((side) => side.nodes.some((node) => node.subnets.length === 0)).map((side) => side.cluster);
  return { findings: blind.length === 0 ? [] : [unknownLink(blind, [a.cluster, b.cluster])], conflict: undefined };
}

/** Next hops among `to` that some node of `from` does not have on a link. */
function offLink(from: Hops, to: Hops): Finding[] {
  const links = distinctSubnets(from.nodes);
  const wrong: string[] = [];
  for (const node of to.nodes) {
    for (const hop of node.hops.values()) {
      const link = links.find((subnets) => !reaches(subnets, hop));
      if (link !== undefined) wrong.push(`${formatAddress(hop)} is not in ${listText(link.map(formatCidr))}`);
    }
  }
  if (wrong.length === 0) return [];
  return [
    makeFinding({
      code: 'ISM046',
      cluster: from.cluster,
      message: `Its nodes cannot route through nodes of ${to.cluster}: ${listText(wrong)}.`,
    }),
  ];
}

/** Each different list of subnets once: most clusters have one. */
function distinctSubnets(nodes: readonly RoutableNode[]): (readonly Cidr[])[] {
  const lists = new Map(nodes.map((node) => [node.subnets.map(formatCidr).join(), node.subnets]));
  lists.delete('');
  return [...lists.values()];
}

/** Subnets of one family say nothing about the other. */
function reaches(subnets: readonly Cidr[], hop: Cidr): boolean {
  const same = subnets.filter((subnet) => subnet.family === hop.family);
  return same.length === 0 || same.some((subnet) => contains(subnet, hop));
}

function unknownLink(blind: readonly string[], pair: readonly string[]): Finding {
  const others = pair.filter((cluster) => !blind.includes(cluster));
  const link = others.length === 0 ? 'a link' : `a link with those of ${listText(others)}`;
  return makeFinding({
    code: 'ISM046',
    severity: 'info',
    message: `The node subnets of ${listText(blind)} are unknown, and so is whether these nodes share ${link}.`,
    hint: 'Each node checks its next hops before it takes a route, and says so when one is out of reach.',
  });
}
