// The pairs of clusters of a mesh, and what joins them.
import type { ReleaseIndex } from '../render/types.ts';
import type { Mesh } from '../spec/schema.ts';
import type { Pair, Scene, VerifiedCluster } from './types.ts';

/**
 * Every ordered pair of clusters, by name. Istio 0.8 joins no networks, so there only those of one network.
 * @param mesh an address of istiod that it gives is the user's to keep, so nothing of ours can tell whether it is right
 */
export function pairsOf({ clusters, istio }: Pick<ReleaseIndex, 'clusters' | 'istio'>, mesh: Pick<Mesh, 'clusters'>): readonly Pair[] {
  const sorted = clusters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const pairs = sorted.flatMap((from) => sorted.filter((to) => to !== from).map((to) => ({ from, to })));
  const classic = istio.version.startsWith('0.');
  const given = new Set(mesh.clusters.filter(({ remotePilotAddress }) => remotePilotAddress !== undefined).map(({ name }) => name));
  return pairs.flatMap(({ from, to }): Pair[] => {
    const served = !classic && from.controlPlane === to.name && !given.has(from.name) ? ({ controlPlane: true } as const) : {};
    const pair = { from: from.name, to: to.name, ...served };
    if (from.network === to.network) return [pair];
    return classic ? [] : [{ ...pair, through: 'gateways' }];
  });
}

/** The clusters of these pairs, as far as they could be reached. */
export function clustersOf(pairs: readonly Pair[], { clusters }: Pick<Scene, 'clusters'>): readonly VerifiedCluster[] {
  const names = new Set(pairs.flatMap(({ from, to }) => [from, to]));
  return [...clusters.values()].filter(({ name }) => names.has(name));
}
