// Two primaries whose pods have the same addresses: each istiod serves its own cluster and knows the other, through gateways.
import { differences, expectNone, intents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { apartShape } from '../lab/nodes/apart.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { startPrimariesLab } from '../lab/nodes/primaries.ts';
import { waitFor } from '../lab/wait.ts';
import { podsOf, restingIntents, untilAnswered } from './istio-scene.ts';
import { bookinfoAnswers, expectedAnswers, gateway, readyGateways } from './mesh-scene.ts';
import { allSynced, loseIstiod, primariesMesh, servedClusters } from './primaries-scene.ts';
import { prepareScene } from './scene.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });

describe('two primaries in networks of their own', ({ test, ...hooks }) => {
  const scene = prepareScene(hooks, {
    start: () => startPrimariesLab({ shape: apartShape(2, [1]), networkOf: (cluster) => cluster.replace('c', 'network') }),
    look: restingIntents,
  });
  const clusters = () => scene().lab.clusters as readonly [RealCluster, RealCluster];

  test(
    'are joined by one install: each istiod has read the other cluster, and serves its own',
    async () => {
      const { operator, lab } = scene();
      await operator.writeMesh(primariesMesh);
      await operator.isthmus('generate', '--out', 'out');
      await operator.isthmus('install', 'out');

      await allSynced(lab, operator);
      for (const cluster of lab.clusters) assert.equal(await servedClusters(operator, cluster), [cluster.name]);
    },
    minutes(5),
  );

  test(
    'answer BookInfo from the right cluster: all to v1, all to v3, half to each',
    async () => {
      assert.equal(await bookinfoAnswers(scene().operator, 'out'), expectedAnswers(...clusters()));
    },
    minutes(5),
  );

  test(
    'suffer alone when an istiod is gone: its new pods wait, the other cluster gets new ones, and no request fails',
    () => loseIstiod(...clusters()),
    minutes(5),
  );

  test(
    'answer again by themselves after the node of a gateway has lost its power',
    async () => {
      const [one, two] = clusters();
      const [, node = ''] = [...two.nodes.keys()];
      const pods = await podsOf(two.client, 'istio-system', gateway);
      assert.ok(
        pods.some(({ spec }) => spec.nodeName === node),
        'a gateway pod on each node',
      );

      await two.reboot(node);

      const seconds = await untilAnswered(one.client);
      console.log(`  answered ${seconds.toFixed(1)} s after ${node} had started again`);
      await two.waitForNodes();
      await waitFor('both gateway pods to be ready', async () => (await readyGateways(two)) === 2, 120_000);
    },
    minutes(5),
  );

  test(
    'are as before after the demo is removed and the mesh uninstalled',
    async () => {
      const { lab, operator, untouched } = scene();
      await operator.isthmus('demo', 'bookinfo', 'out', '--remove');
      await operator.isthmus('uninstall', 'out');

      await expectNone('both clusters to be as before', async () => differences(untouched, await intents(lab)));
    },
    minutes(5),
  );
});
