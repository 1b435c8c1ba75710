// Two empty clusters and one mesh.yaml: isthmus installs Istio itself, joins the clusters, and takes everything away again.
import { differences, intents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { bookinfoHub } from '../lab/nodes/images.ts';
import { type IstioLab, startIstioLab } from '../lab/nodes/istio-lab.ts';
import { meshShape } from '../lab/nodes/shape.ts';
import { istioCharts } from '../lab/toolchain.ts';
import { waitFor } from '../lab/wait.ts';
import { askForIstio } from './empty-mesh.ts';
import { restingIntents } from './istio-scene.ts';
import { createOperator, type Operator } from './operator.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });

describe('a mesh from nothing on real nodes', ({ test, before, after }) => {
  let lab: IstioLab;
  let operator: Operator;
  let untouched: ReadonlyMap<string, unknown>;

  before(async () => {
    lab = await startIstioLab({ say: console.log, empty: true, shape: meshShape({ clusters: 2, nodes: 2 }) });
    operator = createOperator(lab);
    untouched = await restingIntents(lab);
    const charts = await istioCharts();
    await operator.writeMesh((mesh) => askForIstio(mesh, charts, ['c1']));
  });
  after(async () => {
    operator?.remove();
    await lab?.stop();
  });

  test(
    'is installed by one command, and BookInfo answers from both clusters',
    async () => {
      const start = performance.now();
      await operator.isthmus('generate', '--out', 'out');
      await operator.isthmus('install', 'out');
      const installed = (performance.now() - start) / 1000;

      const { stdout } = await operator.isthmus('demo', 'bookinfo', 'out', '--hub', bookinfoHub, '--output', 'json');

      const { stages } = JSON.parse(stdout) as { stages: { answered: { workload: string; cluster: string }[]; failed: number }[] };
      const answered = stages.at(-1)?.answered.map(({ workload, cluster }) => `${workload} ${cluster}`);
      console.log(`  a mesh from two empty clusters after ${installed.toFixed(0)} s and 2 commands`);
      assert.equal(answered, ['reviews-v1 c1', 'reviews-v3 c2']);
      assert.equal(
        stages.map(({ failed }) => failed),
        [0, 0, 0],
      );
    },
    minutes(5),
  );

  test(
    'is left alone by a second install',
    async () => {
      const { stdout } = await operator.isthmus('install', 'out', '--output', 'json');

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
      await operator.isthmus('demo', 'bookinfo', 'out', '--remove');
      await operator.isthmus('uninstall', 'out');

      let left: string[] = [];
      await waitFor('both clusters to be as before', async () => {
        left = differences(untouched, await intents(lab));
        return left.length === 0;
      }).catch(() => undefined);
      assert.equal(left, []);
    },
    minutes(4),
  );
});
