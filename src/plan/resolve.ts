// Turns mesh.yaml and the inputs into the clusters that the plan works on, and says what is wrong with the inputs themselves.
import { aggregate, type Cidr, compareCidrs, formatCidr, parseAddress, parseCidr } from '../base/cidr.ts';
import type { ClusterFacts, NodeFacts } from '../facts/schema.ts';
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { Cluster, Mesh } from '../spec/schema.ts';
import type { NodeAddress, PodBlock, ResolvedNode, UnplacedCluster } from './cluster.ts';
import { mergeFacts } from './merge.ts';
import { compareText, count, listText, sortBy } from './text.ts';
import type { ClusterInput } from './types.ts';

export interface Resolved {
  /** In the order of mesh.yaml. */
  readonly clusters: readonly UnplacedCluster[];
  readonly findings: readonly Finding[];
}

/** One cluster per entry of mesh.yaml, with user's word and found facts joined and every address parsed. */
export function resolveClusters(mesh: Mesh, inputs: readonly ClusterInput[]): Resolved {
  const byName = new Map(inputs.map((input) => [input.name, input]));
  const results = mesh.clusters.map((spec) => resolveCluster(spec, byName.get(spec.name)));
  return { clusters: results.map((result) => result.cluster), findings: results.flatMap((result) => result.findings) };
}

function resolveCluster(spec: Cluster, input: ClusterInput | undefined): { cluster: UnplacedCluster; findings: Finding[] } {
  const { facts, findings } = mergeFacts(spec.name, input);
  const malformed: string[] = [];
  const parse = (text: string, parser: (text: string) => Cidr | string): Cidr[] => {
    const result = parser(text);
    if (typeof result !== 'string') return [result];
    malformed.push(`${JSON.stringify(text)} ${result}`);
    return [];
  };
  const cidrs = (texts: readonly string[] | undefined) => unique((texts ?? []).flatMap((text) => parse(text, parseCidr)));
  const nodes = sortBy(facts.nodes.filter(hasName), (node) => node.name).map((node) => resolveNode(node, parse));
  const declared = cidrs(facts.podCIDRs?.value);
  const apiServer = serverAddress(facts.server?.value);
  const cluster: UnplacedCluster = {
    name: spec.name,
    spec,
    facts,
    readable: input?.found?.origin === 'api',
    podCIDRs: declared.length > 0 ? declared : aggregate(nodes.flatMap(ownBlocks)),
    podCIDRsKnown: declared.length > 0,
    podSource: declared.length > 0 ? (facts.podCIDRs?.source ?? '') : 'blocks of its nodes',
    serviceCIDRs: cidrs(facts.serviceCIDRs?.value),
    nodes,
    ...(input?.root === undefined ? {} : { givenRoot: input.root }),
    ...(apiServer === undefined ? {} : { apiServer }),
  };
  return {
    cluster,
    findings: [...findings, ...nothingKnown(spec.name, input), ...nameless(spec.name, facts), ...malformedFinding(spec.name, malformed)],
  };
}

type Parse = (text: string, parser: (text: string) => Cidr | string) => Cidr[];

function resolveNode(facts: NodeFacts, parse: Parse): ResolvedNode {
  const addresses = facts.addresses.flatMap(({ value, source }): NodeAddress[] =>
    parse(value, parseAddress).map((cidr) => ({ cidr, source })),
  );
  const blocks = facts.blocks.flatMap(({ cidr, borrowed }): PodBlock[] =>
    parse(cidr, parseCidr).map((block) => ({ cidr: block, borrowed: borrowed === true })),
  );
  return {
    name: facts.name,
    facts,
    addresses,
    subnets: unique(facts.subnets.flatMap((subnet) => parse(subnet, parseCidr))),
    blocks: blocks.sort((a, b) => compareCidrs(a.cidr, b.cidr) || Number(a.borrowed) - Number(b.borrowed)),
  };
}

function ownBlocks(node: ResolvedNode): Cidr[] {
  return node.blocks.filter((block) => !block.borrowed).map((block) => block.cidr);
}

function unique(cidrs: readonly Cidr[]): Cidr[] {
  return [...new Map(cidrs.map((cidr) => [formatCidr(cidr), cidr])).values()].sort(compareCidrs);
}

/** The address in an API server URL; undefined for host names and for what is no URL. */
function serverAddress(url: string | undefined): Cidr | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const address = parseAddress(new URL(url).hostname.replace(/^\[(.*)\]$/, '$1'));
  return typeof address === 'string' ? undefined : address;
}

/** Kubernetes allows node names of 1 to 253 characters; anything else would break the charts. */
function hasName(node: NodeFacts): boolean {
  return node.name.length >= 1 && node.name.length <= 253;
}

function nothingKnown(cluster: string, input: ClusterInput | undefined): Finding[] {
  if (input?.found !== undefined || input?.declared !== undefined) return [];
  const message = 'Nothing is known about this cluster.';
  return [
    makeFinding({ code: 'ISM008', cluster, message, hint: 'Give it a `context`, a `facts` file, or `nodes` and `podCIDRs` in mesh.yaml.' }),
  ];
}

function nameless(cluster: string, facts: ClusterFacts): Finding[] {
  const wrong = facts.nodes.filter((node) => !hasName(node));
  if (wrong.length === 0) return [];
  return [makeFinding({ code: 'ISM008', cluster, message: `${count(wrong.length, 'node')} without a valid name left out.` })];
}

function malformedFinding(cluster: string, malformed: readonly string[]): Finding[] {
  if (malformed.length === 0) return [];
  return [
    makeFinding({ code: 'ISM015', cluster, message: `Left out of the plan: ${listText([...new Set(malformed)].sort(compareText))}.` }),
  ];
}
