// Decides for each pair of clusters whether routes join them, and says why or why not.

import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { Mesh } from '../spec/schema.ts';
import { unroutableReason } from './addressing.ts';
import type { ResolvedCluster, RoutableNode } from './cluster.ts';
import { cniName } from './cni.ts';
import { checkHops } from './hops.ts';
import { checkPair } from './pairs.ts';
import type { Link } from './types.ts';

export interface Links {
  readonly links: readonly Link[];
  readonly findings: readonly Finding[];
}

/** A pair of clusters with what the decision needs. */
interface Pair {
  readonly a: ResolvedCluster;
  readonly b: ResolvedCluster;
  readonly mesh: Mesh;
  readonly nodes: ReadonlyMap<string, readonly RoutableNode[]>;
}

type Decision = Pick<Link, 'by' | 'reason'> & { readonly findings?: readonly Finding[] };

/** One link for each pair of clusters, in the order of mesh.yaml. */
export function planLinks(mesh: Mesh, clusters: readonly ResolvedCluster[], nodes: Pair['nodes']): Links {
  const results = clusters.flatMap((a, index) =>
    clusters.slice(index + 1).map((b) => {
      const { by, reason, findings = [] } = decide({ a, b, mesh, nodes });
      return { link: { clusters: [a.name, b.name] as const, by, reason }, findings };
    }),
  );
  return { links: results.map((result) => result.link), findings: [...new Set(results.flatMap((result) => result.findings))] };
}

/** Names of the clusters that routes join with `cluster`. */
export function routedPeers(links: readonly Link[], cluster: string): string[] {
  return peersBy(links, cluster, ['routes']);
}

/** Names of the clusters whose pods `cluster` reaches without gateways: by routes, or because the network carries them. */
export function directPeers(links: readonly Link[], cluster: string): string[] {
  return peersBy(links, cluster, ['routes', 'network']);
}

function peersBy(links: readonly Link[], cluster: string, ways: readonly Link['by'][]): string[] {
  return links.flatMap(({ clusters: [a, b], by }) => {
    if (!ways.includes(by) || (a !== cluster && b !== cluster)) return [];
    return [a === cluster ? b : a];
  });
}

function decide(pair: Pair): Decision {
  const { a, b, mesh } = pair;
  if (a.spec.network !== b.spec.network) return { by: 'gateways', ...differentNetworks(a, b) };
  const { findings, conflict } = checkPair(a, b);
  if (conflict !== undefined) return { by: 'nothing', reason: conflict, findings };
  if (mesh.routes.provider !== 'routes') {
    return { by: 'network', reason: `routes.provider is ${mesh.routes.provider}: the network carries pod addresses`, findings };
  }
  const way = decideRoutes(pair);
  return { ...way, findings: [...findings, ...(way.findings ?? [])] };
}

function decideRoutes({ a, b, mesh, nodes }: Pair): Decision {
  const unroutable = unroutableReason(a) ?? unroutableReason(b);
  if (unroutable !== undefined) return { by: 'nothing', reason: unroutable };
  const tunnelled = [a, b].filter((cluster) => cluster.facts.cni?.value.flat === false);
  const [first] = tunnelled;
  if (first !== undefined) {
    return {
      by: 'nothing',
      reason: `the pod network of ${first.name} is not flat; gateways can join them`,
      findings: tunnelled.map(notFlat),
    };
  }
  if (mesh.routes.onlink) return { by: 'routes', reason: 'one network; next hops are used as they are (routes.onlink)' };
  const check = checkHops(hopsOf(a, nodes), hopsOf(b, nodes));
  if (check.conflict !== undefined) return { by: 'nothing', reason: check.conflict, findings: check.findings };
  return { by: 'routes', reason: `one network, ${a.spec.network}`, findings: check.findings };
}

function hopsOf(cluster: ResolvedCluster, nodes: Pair['nodes']) {
  return { cluster: cluster.name, nodes: nodes.get(cluster.name) ?? [] };
}

function differentNetworks(a: ResolvedCluster, b: ResolvedCluster): Pick<Decision, 'reason' | 'findings'> {
  const reason = `${a.name} is in network ${a.spec.network}, ${b.name} in ${b.spec.network}`;
  return { reason, findings: [makeFinding({ code: 'ISM053', message: `${reason}; they need gateways, which isthmus does not install.` })] };
}

function notFlat(cluster: ResolvedCluster): Finding {
  const cni = cluster.facts.cni?.value;
  return makeFinding({
    code: 'ISM052',
    cluster: cluster.name,
    message: `${cniName(cni?.name ?? 'unknown')} carries pod packets in its own tunnels only (${cni?.encapsulation}).`,
  });
}
