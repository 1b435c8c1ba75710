// Two primaries on one flat network: refused while each has a root of its own, then joined by routes, each istiod serving its own cluster.
import { differences, expectNone, intents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { istiodReady } from '../lab/nodes/istio.ts';
import { giveOneRoot, startPrimariesLab } from '../lab/nodes/primaries.ts';
import { meshShape } from '../lab/nodes/shape.ts';
import { waitFor } from '../lab/wait.ts';
import { changesOf, dumpAll, type Moment, ourProtocol, plannedChanges } from './changes.ts';
import { deleteIstiod, restingIntents, rootCertificateOf } from './istio-scene.ts';
import { bookinfoAnswers, expectedAnswers } from './mesh-scene.ts';
import { allSynced, loseIstiod, primariesMesh, servedClusters } from './primaries-scene.ts';
import { prepareScene } from './scene.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });

describe('two primaries on a flat network', ({ test, ...hooks }) => {
  const scene = prepareScene(hooks, {
    start: () => startPrimariesLab(meshShape({ clusters: 2, nodes: 2 })),
    look: restingIntents,
  });
  const clusters = () => scene().lab.clusters as readonly [RealCluster, RealCluster];
  let before: Moment;

  test('are refused while each istiod has made a root of its own, before anything is written', async () => {
    const { operator, lab, untouched } = scene();
    await operator.writeMesh(primariesMesh);

    const generated = await operator.start('generate', '--out', 'out').outcome;

    assert.is(generated.code, 3, generated.stderr);
    assert.match(generated.stdout + generated.stderr, 'ISM074');
    const installed = await operator.start('install', 'out').outcome;
    assert.is(installed.code, 2, installed.stderr);
    assert.equal(differences(untouched, await intents(lab)), []);
  });

  test(
    'are joined by one install once both sign with one root, and routes lead both ways',
    async () => {
      const { operator, lab } = scene();
      await giveOneRoot(lab);
      for (const { client } of clusters()) {
        await deleteIstiod(client);
        await istiodReady(client);
      }
      await waitFor('one root', async () => {
        const roots = await Promise.all(lab.clusters.map(({ client }) => rootCertificateOf(client)));
        return new Set(roots.map(({ fingerprint256 }) => fingerprint256)).size === 1;
      });
      before = { objects: await restingIntents(lab), dumps: await dumpAll(lab) };
      await operator.isthmus('generate', '--out', 'out');
      await operator.isthmus('install', 'out');

      await allSynced(lab, operator);
      const routes = changesOf(before.dumps, await dumpAll(lab)).filter((line) => line.includes(': + routes: unicast '));
      assert.equal(routes, plannedChanges(lab));
    },
    minutes(5),
  );

  test(
    'answer BookInfo from the right cluster, over routes, and each istiod serves its own pods',
    async () => {
      const { operator, lab } = scene();

      assert.equal(await bookinfoAnswers(operator, 'out'), expectedAnswers(...clusters()));
      for (const cluster of lab.clusters) assert.equal(await servedClusters(operator, cluster), [cluster.name]);
    },
    minutes(5),
  );

  test(
    'suffer alone when an istiod is gone: its new pods wait, the other cluster gets new ones, and no request fails',
    () => loseIstiod(...clusters()),
    minutes(5),
  );

  test(
    'are as before after the demo is removed and the mesh uninstalled',
    async () => {
      const { lab, operator } = scene();
      await operator.isthmus('demo', 'bookinfo', 'out', '--remove');
      await operator.isthmus('uninstall', 'out');

      await expectNone('both clusters to be as before', async () => differences(before.objects, await intents(lab)));
      const ours = (line: string) => line.includes(` proto ${ourProtocol} `) || line.includes('rules: ');
      assert.equal(changesOf(before.dumps, await dumpAll(lab)).filter(ours), []);
    },
    minutes(5),
  );
});
