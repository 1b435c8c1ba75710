// Which clusters of a mesh can be expected to reach each other's pods.
import type { ReleaseIndex } from '../render/types.ts';
import type { Pair } from './types.ts';

/** Ordered pairs of clusters of one network, and unordered pairs of different networks, which gateways join; by name. */
export function pairsOf({ clusters }: Pick<ReleaseIndex, 'clusters'>): {
  readonly joined: readonly Pair[];
  readonly apart: readonly Pair[];
} {
  const sorted = clusters.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const pairs = sorted.flatMap((from) => sorted.filter((to) => to !== from).map((to) => ({ from, to })));
  const named = ({ from, to }: (typeof pairs)[number]) => ({ from: from.name, to: to.name });
  return {
    joined: pairs.filter(({ from, to }) => from.network === to.network).map(named),
    apart: pairs.filter(({ from, to }) => from.network !== to.network && from.name < to.name).map(named),
  };
}
