// Two empty clusters whose pods have the same addresses: isthmus gives each an istiod, one root and a gateway, and each istiod serves
// its own cluster.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { differences, expectNone, intents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { apartShape } from '../lab/nodes/apart.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { startBalancedLab } from '../lab/nodes/primaries.ts';
import { istioCharts } from '../lab/toolchain.ts';
import { waitFor } from '../lab/wait.ts';
import { askForIstio } from './empty-mesh.ts';
import { podsOf, restingIntents, rootCertificateOf, startTraffic, untilAnswered } from './istio-scene.ts';
import { bookinfoAnswers, expectedAnswers, gateway } from './mesh-scene.ts';
import { allSynced, loseIstiod, primariesMesh, servedClusters } from './primaries-scene.ts';
import { prepareScene } from './scene.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });

describe('two primaries in networks of their own', ({ test, ...hooks }) => {
  const scene = prepareScene(hooks, {
    start: () => startBalancedLab(apartShape(2, [1])),
    look: restingIntents,
  });
  const clusters = () => scene().lab.clusters as readonly [RealCluster, RealCluster];

  test(
    'come from empty clusters by one install: each istiod has read the other cluster, serves its own, and signs with the given root',
    async () => {
      const { operator, lab } = scene();
      const charts = await istioCharts();
      await operator.writeMesh((mesh) => {
        primariesMesh(mesh);
        askForIstio(mesh, charts, ['c1', 'c2']);
        Object.assign(mesh.istio, { ca: 'ca' });
      });
      await operator.isthmus('ca', 'init');
      await operator.isthmus('generate', '--out', 'out');
      await operator.isthmus('install', 'out');

      await allSynced(lab, operator);
      for (const cluster of lab.clusters) assert.equal(await servedClusters(operator, cluster), [cluster.name]);
      const root = new X509Certificate(readFileSync(join(operator.folder, 'ca', 'root-cert.pem')));
      for (const { client } of lab.clusters) assert.is((await rootCertificateOf(client)).fingerprint256, root.fingerprint256);
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
      const onNode = async () => (await podsOf(two.client, 'istio-system', gateway)).filter(({ spec }) => spec.nodeName === node);
      assert.is((await onNode()).length, 1, 'a gateway pod on each node');
      const traffic = startTraffic(one.client);

      await two.reboot(node);
      await waitFor(
        'the gateway pod to be started again',
        async () =>
          (await onNode()).some(({ status }) => status.containerStatuses?.every(({ ready, restartCount }) => ready && restartCount > 0)),
        120_000,
      );
      await untilAnswered(one.client);

      const { requests, failures, lastFailure } = await traffic.stop();
      console.log(
        `  ${failures.length} of ${requests} requests failed, the last one ${lastFailure.toFixed(1)} s after ${node} lost its power`,
      );
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
