// Two empty clusters and one mesh.yaml: isthmus installs Istio itself, joins the clusters, and takes everything away again.
import { differences, expectNone, intents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { startIstioLab } from '../lab/nodes/istio-lab.ts';
import { meshShape } from '../lab/nodes/shape.ts';
import { istioCharts } from '../lab/toolchain.ts';
import { askForIstio } from './empty-mesh.ts';
import { restingIntents } from './istio-scene.ts';
import { bookinfoAnswers, expectedAnswers } from './mesh-scene.ts';
import { prepareScene } from './scene.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });

describe('a mesh from nothing on real nodes', ({ test, ...hooks }) => {
  const scene = prepareScene(hooks, {
    start: () => startIstioLab({ say: console.log, empty: true, shape: meshShape({ clusters: 2, nodes: 2 }) }),
    look: restingIntents,
  });

  test(
    'is installed by one command, and BookInfo answers from both clusters',
    async () => {
      const { lab, operator } = scene();
      const charts = await istioCharts();
      await operator.writeMesh((mesh) => askForIstio(mesh, charts, ['c1']));
      const start = performance.now();
      await operator.isthmus('generate', '--out', 'out');
      await operator.isthmus('install', 'out');

      console.log(`  a mesh from two empty clusters after ${((performance.now() - start) / 1000).toFixed(0)} s and 2 commands`);
      const [one, two] = lab.clusters as [RealCluster, RealCluster];
      assert.equal(await bookinfoAnswers(operator, 'out'), expectedAnswers(one, two));
    },
    minutes(5),
  );

  test(
    'is left alone by a second install',
    async () => {
      const { stdout } = await scene().operator.isthmus('install', 'out', '--output', 'json');

      const { results } = JSON.parse(stdout) as { results: { step: string; outcome: string }[] };
      assert.equal(
        results.filter(({ outcome }) => outcome !== 'unchanged'),
        [],
      );
    },
    minutes(2),
  );

  test(
    'is gone without a trace after uninstall, with the definitions of Istio and the root that istiod made',
    async () => {
      const { lab, operator, untouched } = scene();
      await operator.isthmus('demo', 'bookinfo', 'out', '--remove');
      await operator.isthmus('uninstall', 'out');

      await expectNone('both clusters to be as before', async () => differences(untouched, await intents(lab)));
    },
    minutes(4),
  );
});
