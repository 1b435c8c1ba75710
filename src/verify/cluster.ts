// The first layer: each cluster answers, and is the one that was planned for.
import type { Check, Layer, Scene } from './types.ts';

export const clusterLayer: Layer = {
  name: 'cluster',
  run: async (scene, pairs) => {
    const names = [...new Set(pairs.flatMap(({ from, to }) => [from, to]))];
    return { checks: names.map((cluster) => checkCluster(scene, cluster)) };
  },
};

function checkCluster({ unreachable }: Scene, cluster: string): Check {
  const problem = unreachable.get(cluster);
  const check = { name: 'API server', from: { cluster } };
  return problem === undefined ? { ...check, outcome: 'passed' } : { ...check, outcome: 'failed', ...problem };
}
