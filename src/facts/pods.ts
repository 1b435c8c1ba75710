// The proof of the pod blocks: every address that a live pod has lies in a block of the pod's own node.
import { type Cidr, contains, formatAddress, parseAddress, parseCidr } from '../base/cidr.ts';
import { examplesOf } from './lists.ts';
import { hostAddresses, isForeignKernel, type Node } from './nodes.ts';
import type { Reads } from './reads.ts';
import type { Block } from './schema.ts';

export interface PodAddress {
  readonly pod: string;
  readonly node: string;
  readonly address: string;
}

const columns = ['Name', 'IP', 'Node'] as const;

/** Finished pods have given their address back. */
const live = { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' };

/** Addresses of live pods, from the server's Table form: a pod is three cells there instead of kilobytes of JSON. */
export async function readPodAddresses(reads: Reads): Promise<readonly PodAddress[] | undefined> {
  const rows = await reads.table('/api/v1/pods', columns, live);
  if (rows === undefined) return undefined;
  return rows.flatMap(([pod, address, node]) => {
    const isPlaced = typeof pod === 'string' && typeof address === 'string' && typeof node === 'string';
    return isPlaced && typeof parseAddress(address) !== 'string' ? [{ pod, address, node }] : [];
  });
}

/**
 * Reports (ISM038) pods whose address lies in no block of their node. Left out are pods on the host network, which have an
 * address of a node, and pods of nodes that get no routes.
 * @param blocks pod blocks by node name; without any there is nothing to prove
 */
export function proveBlocks(
  pods: readonly PodAddress[],
  nodes: readonly Node[],
  { blocks, report }: { readonly blocks: ReadonlyMap<string, readonly Block[]>; readonly report: Reads['report'] },
): void {
  if (blocks.size === 0) return;
  const hosts = hostAddresses(nodes);
  const proved = new Map(nodes.filter((node) => !isForeignKernel(node)).map((node) => [node.name, parsed(blocks.get(node.name) ?? [])]));
  const outside = pods.filter(({ address, node }) => !hosts.has(address) && proved.has(node) && !isIn(proved.get(node) ?? [], address));
  if (outside.length === 0) return;
  const [subject, its] = outside.length === 1 ? ['pod has an address', 'its'] : ['pods have addresses', 'their'];
  report({
    code: 'ISM038',
    where: 'Pods',
    message: `${outside.length} ${subject} outside the blocks of ${its} node: ${examplesOf(outside.map(describe))}`,
    hint: 'Inspect again, as blocks move while a cluster grows; if it stays, the blocks come from the wrong source: write podCIDRs per node into mesh.yaml.',
  });
}

function parsed(blocks: readonly Block[]): Cidr[] {
  return blocks.map((block) => parseCidr(block.cidr)).filter((cidr): cidr is Cidr => typeof cidr !== 'string');
}

function isIn(blocks: readonly Cidr[], text: string): boolean {
  const address = parseAddress(text);
  return typeof address !== 'string' && blocks.some((block) => contains(block, address));
}

function describe({ pod, address, node }: PodAddress): string {
  const parsedAddress = parseAddress(address);
  return `${pod} (${typeof parsedAddress === 'string' ? address : formatAddress(parsedAddress)}) on ${node}`;
}
