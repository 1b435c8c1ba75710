// Which nodes can be next hops, at which address, and with which blocks.
import { type Cidr, contains, type Family, formatAddress } from '../base/cidr.ts';
import { isPrivate, reservedRangeOf } from '../base/ranges.ts';
import { type FindingCode, makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import { soundBlocks } from './blocks.ts';
import type { NodeAddress, ResolvedNode, RoutableNode, UnplacedCluster } from './cluster.ts';
import { count, listText } from './text.ts';

export interface RoutableNodes {
  /** In order of name. */
  readonly nodes: readonly RoutableNode[];
  readonly findings: readonly Finding[];
}

/** What is said about a group of nodes at once, so that 5,000 nodes do not make 5,000 findings. */
interface Remark {
  readonly code: FindingCode;
  readonly node: string;
  readonly text: string;
}

/** The nodes that get routes and that routes lead to. */
export function routableNodes(cluster: UnplacedCluster): RoutableNodes {
  const candidates = cluster.nodes.filter((node) => stateRemark(node)?.code !== 'ISM041' && hasLinuxKernel(node));
  const chosen = candidates.map((node) => ({ node, ...chooseHops(node) }));
  const { blocks, findings } = soundBlocks(
    cluster,
    chosen.filter(({ hops }) => hops.size > 0).map(({ node }) => node),
  );
  const remarks = [...cluster.nodes.flatMap((node) => stateRemark(node) ?? []), ...chosen.flatMap((choice) => choice.remarks)];
  return {
    nodes: chosen
      .filter(({ hops }) => hops.size > 0)
      .map(({ node, hops }) => ({
        name: node.name,
        ready: node.facts.ready,
        hops,
        subnets: node.subnets,
        blocks: blocks.get(node.name) ?? [],
      })),
    findings: [...noNodes(cluster), ...remarkFindings(cluster, remarks), ...findings],
  };
}

function hasLinuxKernel(node: ResolvedNode): boolean {
  return node.facts.os === 'linux' && !node.facts.virtual;
}

function stateRemark({ name, facts }: ResolvedNode): Remark | undefined {
  if (facts.deleting) return { code: 'ISM041', node: name, text: 'being deleted' };
  if (facts.virtual) return { code: 'ISM045', node: name, text: 'virtual' };
  if (facts.os !== 'linux') return { code: 'ISM045', node: name, text: facts.os };
  return facts.ready ? undefined : { code: 'ISM040', node: name, text: 'not ready' };
}

/** The next hop of each family: what the CNI says, else the only one, else the only one in a known subnet of the node. */
function chooseHops(node: ResolvedNode): { readonly hops: ReadonlyMap<Family, Cidr>; readonly remarks: readonly Remark[] } {
  const hops = new Map<Family, Cidr>();
  const remarks: Remark[] = [];
  for (const family of [4, 6] as const) {
    const usable = node.addresses.filter(({ cidr }) => cidr.family === family && isUsable(cidr));
    const choice = chooseAddress(usable, node.subnets);
    if (choice.address !== undefined) hops.set(family, choice.address);
    if (choice.remark !== undefined) remarks.push({ ...choice.remark, node: node.name });
    else if (choice.address === undefined && node.blocks.some((block) => block.cidr.family === family)) {
      remarks.push({ code: 'ISM042', node: node.name, text: `IPv${family} blocks and no IPv${family} address` });
    }
  }
  if (hops.size === 0 && remarks.length === 0) remarks.push({ code: 'ISM042', node: node.name, text: 'no usable address' });
  return { hops, remarks };
}

/** Link-local and the like cannot be reached from another cluster. */
function isUsable(address: Cidr): boolean {
  return isPrivate(address) || reservedRangeOf(address) === undefined;
}

interface Choice {
  readonly address?: Cidr;
  readonly remark?: Omit<Remark, 'node'>;
}

function chooseAddress(candidates: readonly NodeAddress[], subnets: readonly Cidr[]): Choice {
  const [first, ...rest] = candidates;
  if (first === undefined) return {};
  const others = rest.filter(({ cidr }) => cidr.start !== first.cidr.start);
  if (others.length === 0) return { address: first.cidr };
  const texts = listText([first, ...others].map(({ cidr }) => formatAddress(cidr)));
  if (others.every(({ source }) => source !== first.source)) {
    // The facts list the address that the CNI itself announces before the InternalIPs, with a source of its own.
    const agrees = rest.some(({ cidr, source }) => source !== first.source && cidr.start === first.cidr.start);
    return agrees ? { address: first.cidr } : { address: first.cidr, remark: { code: 'ISM044', text: texts } };
  }
  const onSubnet = [first, ...others].filter(({ cidr }) => subnets.some((subnet) => contains(subnet, cidr)));
  const [only] = onSubnet;
  return only !== undefined && onSubnet.length === 1 ? { address: only.cidr } : { remark: { code: 'ISM043', text: texts } };
}

function noNodes(cluster: UnplacedCluster): Finding[] {
  if (cluster.nodes.length > 0) return [];
  return [makeFinding({ code: 'ISM039', cluster: cluster.name, message: 'No nodes are known, so nothing can be routed to it or in it.' })];
}

const remarkTexts: Readonly<Partial<Record<FindingCode, string>>> = {
  ISM040: 'Routes to the blocks there are kept.',
  ISM041: 'No route leads there.',
  ISM042: 'No route can lead there.',
  ISM043: 'The next hop cannot be chosen.',
  ISM044: 'The first address, which the CNI uses, is the next hop.',
  ISM045: 'No routes are installed there.',
};

function remarkFindings(cluster: UnplacedCluster, remarks: readonly Remark[]): Finding[] {
  const reported = new Set(cluster.facts.problems.map((problem) => problem.code));
  const codes = [...new Set(remarks.map((remark) => remark.code))].filter((code) => code !== 'ISM044' || !reported.has(code));
  return codes.map((code) => {
    const nodes = remarks.filter((remark) => remark.code === code).map((remark) => `${remark.node} (${remark.text})`);
    return makeFinding({
      code,
      cluster: cluster.name,
      message: `${count(nodes.length, 'node')}: ${listText(nodes)}. ${remarkTexts[code]}`,
    });
  });
}
