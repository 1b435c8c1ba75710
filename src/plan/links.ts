// Decides for each pair of clusters what joins them, and says why.
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import { eraOf, type Mesh } from '../spec/schema.ts';
import { unroutableReason } from './addressing.ts';
import type { ResolvedCluster } from './cluster.ts';
import type { Flatness } from './flat.ts';
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
  readonly flatness: Flatness;
}

type Decision = Pick<Link, 'by' | 'reason'> & { readonly findings?: readonly Finding[] };

/** One link for each pair of clusters, in the order of mesh.yaml. */
export function planLinks(mesh: Mesh, clusters: readonly ResolvedCluster[], flatness: Flatness): Links {
  const results = clusters.flatMap((a, index) =>
    clusters.slice(index + 1).map((b) => {
      const { by, reason, findings = [] } = decide({ a, b, mesh, flatness });
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

function decide({ a, b, mesh, flatness }: Pair): Decision {
  const { findings, conflict } = flatness(a.name, b.name);
  if (a.network !== b.network) return differentNetworks(mesh, [a, b], conflict);
  if (conflict !== undefined) return { by: 'nothing', reason: conflict, findings };
  if (mesh.routes.provider !== 'routes')
    return { by: 'network', reason: `routes.provider is ${mesh.routes.provider}: the network carries pod addresses`, findings };
  const unroutable = unroutableReason(a) ?? unroutableReason(b);
  if (unroutable !== undefined) return { by: 'nothing', reason: unroutable, findings };
  const reason = mesh.routes.onlink ? 'one network; next hops are used as they are (routes.onlink)' : `one network, ${a.network}`;
  return { by: 'routes', reason, findings };
}

/** Networks as mesh.yaml names them are a reason of their own; that of the plan is why they cannot be one. */
function differentNetworks(mesh: Mesh, [a, b]: readonly [ResolvedCluster, ResolvedCluster], conflict: string | undefined): Decision {
  const places = `${a.name} is in network ${a.network}, ${b.name} in ${b.network}`;
  const written = a.spec.network !== undefined && b.spec.network !== undefined;
  const reason = written || conflict === undefined ? places : conflict;
  if (eraOf(mesh) === 'classic') {
    const message = `${reason}; Istio 0.8 joins no networks, so their pods do not reach each other.`;
    return { by: 'nothing', reason, findings: [makeFinding({ code: 'ISM053', severity: 'warning', message })] };
  }
  const message = `${a.name} and ${b.name} are joined by east-west gateways: ${reason}.`;
  return { by: 'gateways', reason, findings: [makeFinding({ code: 'ISM053', message })] };
}
