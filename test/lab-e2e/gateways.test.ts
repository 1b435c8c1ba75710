// Clusters whose pods have the same addresses, joined by east-west gateways: what routes cannot do.
import { settledContents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { apartShape, startApartLab } from '../lab/nodes/apart.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { waitFor } from '../lab/wait.ts';
import { changesOf, dumpAll, expectUntouched } from './changes.ts';
import { newcomersReady, podsOf, scaleNewcomers, startTraffic, untilAnswered } from './istio-scene.ts';
import { addressesOf, bookinfoAnswers, endpointsOf, expectedAnswers, gateway, readyGateways, takeAddress } from './mesh-scene.ts';
import { balancedMesh, prepareScene } from './scene.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });

describe('two clusters with the same pod CIDR', ({ test, ...hooks }) => {
  const scene = prepareScene(hooks, {
    start: () => startApartLab(apartShape(2, [1])),
    look: async (lab) => ({ objects: await settledContents(lab), dumps: await dumpAll(lab) }),
  });
  const clusters = () => scene().lab.clusters as readonly [RealCluster, RealCluster];

  test('are planned with gateways, and the plan says why', async () => {
    const { operator } = scene();
    const [primary, remote] = clusters();
    assert.is(primary.podCIDR, remote.podCIDR);
    await operator.writeMesh(balancedMesh);

    const { stdout } = await operator.isthmus('plan');

    assert.match(stdout, `not flat with ${primary.name}: Pod CIDR ${primary.podCIDR} is in both ${primary.name} and ${remote.name}`);
    assert.match(stdout, `${primary.name} and ${remote.name}  east-west gateways`);
    assert.not.match(stdout, 'route-installer');
  });

  test(
    'are joined by one install: no node gets a route, and the remote finds istiod at the gateway of the primary',
    async () => {
      const { lab, operator, untouched } = scene();
      const [primary, remote] = clusters();
      await operator.isthmus('generate', '--out', 'out');
      await operator.isthmus('install', 'out');

      assert.equal(
        changesOf(untouched.dumps, await dumpAll(lab)).filter((line) => line.includes(': + routes: ') && line.includes(' via ')),
        [],
      );
      assert.equal(await endpointsOf(remote), await addressesOf(primary, gateway));
      for (const cluster of lab.clusters) assert.is((await podsOf(cluster.client, 'istio-system', gateway)).length, 2, cluster.name);
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
    'pass isthmus verify, which does not look for routes that cannot be there',
    async () => {
      const { stdout } = await scene().operator.isthmus('verify', 'out');

      assert.match(stdout, 'pods reach each other through gateways');
    },
    minutes(2),
  );

  test(
    'change nothing when they are installed once more',
    async () => {
      const { stdout } = await scene().operator.isthmus('install', 'out', '-o', 'json');

      const { results } = JSON.parse(stdout) as { results: readonly { readonly outcome: string }[] };
      assert.equal([...new Set(results.map(({ outcome }) => outcome))], ['unchanged']);
    },
    minutes(3),
  );

  test(
    'go on answering while the pods of a gateway are deleted one after the other',
    async () => {
      const [primary, remote] = clusters();
      const traffic = startTraffic(primary.client);
      for (const { metadata } of await podsOf(remote.client, 'istio-system', gateway)) {
        const path = `/api/v1/namespaces/istio-system/pods/${metadata.name}`;
        await remote.client.delete(path);
        await waitFor('the pod to be gone, and two others ready', async () => {
          return (await remote.client.get(path)) === undefined && (await readyGateways(remote)) === 2;
        });
      }
      const { requests, failures } = await traffic.stop();

      console.log(`  ${requests} requests while both gateway pods of ${remote.name} were replaced, ${failures.length} failed`);
      assert.ok(requests > 20, `${requests} requests`);
      assert.equal(failures, []);
    },
    minutes(5),
  );

  test(
    'are told by verify when the gateway of the primary has another address, and the remote is led there by the next plan',
    async () => {
      const { operator } = scene();
      const [primary, remote] = clusters();
      const old = await addressesOf(primary, gateway);
      const give = await takeAddress(primary, 'istio-system', gateway);

      await operator.isthmus('install', 'out');

      const drifted = await operator.start('verify', 'out').outcome;
      const now = await addressesOf(primary, gateway);
      assert.not.equal(now, old);
      assert.is(drifted.code, 3, drifted.stderr);
      assert.match(drifted.stdout, `asks for istiod at ${old}, but ${gateway} of ${primary.name} has ${now} now`);
      await operator.isthmus('generate', '--out', 'out');
      await operator.isthmus('install', 'out');
      assert.equal(await endpointsOf(remote), now);
      await scaleNewcomers(remote.client, 1);
      const seconds = [await newcomersReady(remote.client, 1), await untilAnswered(primary.client)];
      console.log(
        `  at the new address: a new pod was Ready after ${seconds[0]?.toFixed(1)} s, BookInfo answered after ${seconds[1]?.toFixed(1)} s`,
      );
      await operator.isthmus('verify', 'out');
      await give();
    },
    minutes(5),
  );

  test(
    'answer again at the new address of the gateway of the remote, which istiod sees by itself',
    async () => {
      const { operator } = scene();
      const [primary, remote] = clusters();
      const old = await addressesOf(remote, gateway);
      const give = await takeAddress(remote, 'istio-system', gateway);
      await operator.isthmus('install', 'out');

      const seconds = await untilAnswered(primary.client);

      console.log(`  answered ${seconds.toFixed(1)} s after the gateway of ${remote.name} was back at another address`);
      assert.not.equal(await addressesOf(remote, gateway), old);
      await operator.isthmus('verify', 'out');
      await give();
    },
    minutes(5),
  );

  test(
    'are as before after the demo is removed and the mesh uninstalled',
    async () => {
      const { lab, operator, untouched } = scene();
      await operator.isthmus('demo', 'bookinfo', 'out', '--remove');
      await operator.isthmus('uninstall', 'out');

      await expectUntouched(lab, untouched);
    },
    minutes(5),
  );
});
