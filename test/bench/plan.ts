// The plan of two clusters of 5,000 nodes with four blocks each, and whether half of it takes half as long.

import { toYaml } from '../../src/base/yaml.ts';
import { planMesh } from '../../src/plan/mesh.ts';
import { loadMesh } from '../../src/spec/load.ts';
import { largeFacts } from './facts.ts';
import { meshOfFacts } from './generate.ts';
import { formatSeconds, median, type Row } from './measure.ts';

const runs = 5;

export function benchPlan(): Row[] {
  planSeconds(100);
  const half = median(Array.from({ length: runs }, () => planSeconds(2500)));
  const full = median(Array.from({ length: runs }, () => planSeconds(5000)));
  const growth = full / half;
  return [
    {
      what: 'plan, 2 x 5000 nodes, 20000 blocks each',
      measured: formatSeconds(full),
      peer: `half of it ${formatSeconds(half)}`,
      budget: `at most 1 s; ${growth.toFixed(2)} x the half, at most 2.60`,
      met: full <= 1 && growth <= 2.6,
    },
  ];
}

function planSeconds(nodes: number): number {
  const size = { nodes, blocks: 4 };
  const { mesh, locate } = loadMesh(toYaml(meshOfFacts()), 'mesh.yaml', '/');
  const inputs = ([1, 2] as const).map((cluster) => ({ name: `cluster${cluster}`, found: largeFacts(cluster, size) }));
  const start = performance.now();
  const plan = planMesh({ mesh, inputs, now: new Date(), locate });
  const seconds = (performance.now() - start) / 1000;
  const routes = plan.clusters.reduce((sum, cluster) => sum + cluster.routes.length, 0);
  if (routes < nodes * 2) throw new Error(`the plan has ${routes} routes only: ${JSON.stringify(plan.findings.slice(0, 3))}`);
  return seconds;
}
