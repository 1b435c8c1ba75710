// Joins what was found in a cluster with what mesh.yaml declares about it. The user's word wins, and where the two differ it is said.
import type { ClusterFacts, NodeFacts, Observed } from '../facts/schema.ts';
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import { listText } from './text.ts';
import type { ClusterInput } from './types.ts';

export interface Merged {
  readonly facts: ClusterFacts;
  readonly findings: readonly Finding[];
}

type Lists = Observed<readonly string[]> | undefined;

/** The facts of one cluster as the plan uses them; a cluster of which nothing is known has none of anything. */
export function mergeFacts(name: string, input: ClusterInput | undefined): Merged {
  const { found, declared } = input ?? {};
  if (found === undefined) return { facts: declared ?? noFacts(name), findings: [] };
  if (declared === undefined) return { facts: found, findings: [] };
  return {
    facts: {
      ...declared,
      ...found,
      ...defined({
        server: declared.server ?? found.server,
        cni: declared.cni ?? found.cni,
        podCIDRs: declared.podCIDRs ?? found.podCIDRs,
        serviceCIDRs: declared.serviceCIDRs ?? found.serviceCIDRs,
      }),
      nodes: mergeNodes(found.nodes, declared.nodes),
      problems: [...found.problems, ...declared.problems],
    },
    findings: [
      ...difference(name, 'Pod CIDRs', [declared.podCIDRs, found.podCIDRs]),
      ...difference(name, 'Service CIDRs', [declared.serviceCIDRs, found.serviceCIDRs]),
      ...nodeDifferences(name, found.nodes, declared.nodes),
    ],
  };
}

function noFacts(cluster: string): ClusterFacts {
  return { apiVersion: 'isthmus/v1', kind: 'ClusterFacts', cluster, origin: 'text', pools: [], nodes: [], services: [], problems: [] };
}

function mergeNodes(found: readonly NodeFacts[], declared: readonly NodeFacts[]): NodeFacts[] {
  const nodes = new Map(found.map((node) => [node.name, node]));
  for (const node of declared) {
    const known = nodes.get(node.name);
    nodes.set(node.name, known === undefined ? node : mergeNode(known, node));
  }
  return [...nodes.values()];
}

function mergeNode(found: NodeFacts, declared: NodeFacts): NodeFacts {
  return {
    ...found,
    addresses: declared.addresses.length > 0 ? declared.addresses : found.addresses,
    subnets: declared.subnets.length > 0 ? declared.subnets : found.subnets,
    blocks: declared.blocks.length > 0 ? declared.blocks : found.blocks,
    foreignRoutes: [...found.foreignRoutes, ...declared.foreignRoutes],
  };
}

function nodeDifferences(cluster: string, found: readonly NodeFacts[], declared: readonly NodeFacts[]): Finding[] {
  const known = new Map(found.map((node) => [node.name, node]));
  return declared.flatMap((node) => {
    const other = known.get(node.name);
    if (other === undefined) return [missingNode(cluster, node)];
    return [
      ...difference(cluster, `Addresses of node ${node.name}`, [addressesOf(node), addressesOf(other)]),
      ...difference(cluster, `Blocks of node ${node.name}`, [blocksOf(node), blocksOf(other)]),
    ];
  });
}

function missingNode(cluster: string, node: NodeFacts): Finding {
  return makeFinding({
    code: 'ISM005',
    cluster,
    message: `Node ${node.name} is in mesh.yaml and not in the cluster; it is kept.`,
    hint: 'Remove it from mesh.yaml when it is gone.',
  });
}

function addressesOf(node: NodeFacts): Lists {
  const [first] = node.addresses;
  return first === undefined ? undefined : { value: [first.value], source: first.source };
}

function blocksOf(node: NodeFacts): Lists {
  const [first] = node.blocks;
  return first === undefined ? undefined : { value: node.blocks.map((block) => block.cidr), source: first.source };
}

function difference(cluster: string, what: string, [declared, found]: readonly [Lists, Lists]): Finding[] {
  if (declared === undefined || found === undefined) return [];
  const ours = [...new Set(declared.value)].sort();
  const theirs = [...new Set(found.value)].sort();
  if (ours.join() === theirs.join()) return [];
  return [
    makeFinding({
      code: 'ISM005',
      cluster,
      where: declared.source,
      message: `${what} in mesh.yaml, ${listText(ours)}, differ from what was found, ${listText(theirs)} (${found.source}). mesh.yaml is used.`,
    }),
  ];
}

/** Only the facts that are known: an absent fact must stay absent. */
function defined<T extends object>(facts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
