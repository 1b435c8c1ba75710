// The pairs of clusters of a mesh, and what joins them.
import type { ReleaseIndex } from '../render/types.ts';
import type { Pair } from './types.ts';

/** Every ordered pair of clusters, by name. Istio 0.8 joins no networks, so there only those of one network. */
export function pairsOf({ clusters, istio }: Pick<ReleaseIndex, 'clusters' | 'istio'>): readonly Pair[] {
  const sorted = clusters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const pairs = sorted.flatMap((from) => sorted.filter((to) => to !== from).map((to) => ({ from, to })));
  return pairs.flatMap(({ from, to }): Pair[] => {
    const pair = { from: from.name, to: to.name };
    if (from.network === to.network) return [pair];
    return istio.version.startsWith('0.') ? [] : [{ ...pair, through: 'gateways' }];
  });
}
