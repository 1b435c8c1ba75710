// Pod blocks that Kubernetes itself hands out: node.spec.podCIDRs.
import { type Cidr, contains, parseCidr } from '../../base/cidr.ts';
import { validCidrs } from '../cidrs.ts';
import { examplesOf } from '../lists.ts';
import type { Node } from '../nodes.ts';
import type { Reads } from '../reads.ts';
import type { Block } from '../schema.ts';

/** Blocks by node from `spec.podCIDRs`; nodes without any are left out. */
export function nodeBlocks(nodes: readonly Node[], report: Reads['report']): Map<string, readonly Block[]> {
  const blocks = new Map<string, readonly Block[]>();
  for (const node of nodes) {
    const cidrs = validCidrs(node.podCIDRs, `Node ${node.name} spec.podCIDRs`, report);
    if (cidrs.length > 0)
      blocks.set(
        node.name,
        cidrs.map((cidr) => ({ cidr, source: 'node.spec.podCIDRs' })),
      );
  }
  return blocks;
}

/** Reports (ISM033) nodes whose `spec.podCIDRs` hold none of the blocks that the CNI gave them; the CNI's blocks are used. */
export function reportDisagreement(nodes: readonly Node[], blocks: ReadonlyMap<string, readonly Block[]>, report: Reads['report']): void {
  const apart = nodes.filter((node) => node.podCIDRs.length > 0 && isApart(node, blocks.get(node.name) ?? [])).map(({ name }) => name);
  if (apart.length === 0) return;
  report({
    code: 'ISM033',
    where: 'node.spec.podCIDRs',
    message: `The CNI gave other pod blocks than node.spec.podCIDRs says to ${examplesOf(apart)}; the blocks of the CNI are used`,
  });
}

function isApart(node: Node, blocks: readonly Block[]): boolean {
  const own = parsed(node.podCIDRs);
  const given = parsed(blocks.filter((block) => block.borrowed !== true).map((block) => block.cidr));
  return given.some((block) => !own.some((cidr) => contains(cidr, block)));
}

function parsed(texts: readonly string[]): Cidr[] {
  return texts.map(parseCidr).filter((cidr): cidr is Cidr => typeof cidr !== 'string');
}
