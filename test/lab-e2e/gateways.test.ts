// Clusters whose pods have the same addresses, joined by east-west gateways: what routes cannot do.
import { settledContents } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { istioHub } from '../lab/istio-images.ts';
import { apartShape, startApartLab } from '../lab/nodes/apart.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { labImages } from '../lab/nodes/images.ts';
import type { IstioLab } from '../lab/nodes/istio-lab.ts';
import { waitFor } from '../lab/wait.ts';
import { changesOf, type Dumps, dumpAll, lastingChanges } from './changes.ts';
import { addressesOf, bookinfoAnswers, endpointsOf, expectedAnswers, gateway, readyGateways } from './gateway-scene.ts';
import { podsOf, startTraffic } from './istio-scene.ts';
import { createOperator, type Operator } from './operator.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });

describe('two clusters with the same pod CIDR', ({ test, before, after }) => {
  let lab: IstioLab;
  let operator: Operator;
  let primary: RealCluster;
  let remote: RealCluster;
  let dumps: Dumps;
  let objects: ReadonlyMap<string, unknown>;

  before(async () => {
    lab = await startApartLab(apartShape(2, [1]));
    [primary, remote] = lab.clusters as [RealCluster, RealCluster];
    operator = createOperator(lab);
    objects = await settledContents(lab);
    dumps = await dumpAll(lab);
  });
  after(async () => {
    operator?.remove();
    await lab?.stop();
  });

  test('are planned with gateways, and the plan says why', async () => {
    assert.is(primary.podCIDR, remote.podCIDR);
    await operator.writeMesh((mesh) => {
      Object.assign(mesh.istio, { hub: istioHub });
      for (const cluster of mesh.clusters) Object.assign(cluster, { loadBalancer: { platform: 'keepalived' } });
      mesh.routes = { image: labImages.tools };
    });

    const { stdout } = await operator.isthmus('plan');

    assert.match(stdout, `not flat with ${primary.name}: Pod CIDR ${primary.podCIDR} is in both ${primary.name} and ${remote.name}`);
    assert.match(stdout, `${primary.name} and ${remote.name}  east-west gateways`);
    assert.not.match(stdout, 'route-installer');
  });

  test(
    'are joined by one install: no node gets a route, and the remote finds istiod at the gateway of the primary',
    async () => {
      await operator.isthmus('generate', '--out', 'out');
      const { stderr } = await operator.isthmus('install', 'out');

      console.log(stderr.trim().split('\n').slice(-30).join('\n'));
      assert.equal(
        changesOf(dumps, await dumpAll(lab)).filter((line) => line.includes(': + routes: ') && line.includes(' via ')),
        [],
      );
      assert.equal(await endpointsOf(remote), await addressesOf(primary));
      for (const cluster of lab.clusters) assert.is((await podsOf(cluster.client, 'istio-system', gateway)).length, 2, cluster.name);
    },
    minutes(5),
  );

  test(
    'answer BookInfo from the right cluster: all to v1, all to v3, half to each',
    async () => {
      assert.equal(await bookinfoAnswers(operator, 'out'), expectedAnswers(primary, remote));
    },
    minutes(5),
  );

  test(
    'pass isthmus verify, which does not look for routes that cannot be there',
    async () => {
      const { stdout } = await operator.isthmus('verify', 'out');

      assert.match(stdout, 'pods reach each other through gateways');
    },
    minutes(2),
  );

  test(
    'change nothing when they are installed once more',
    async () => {
      const { stdout } = await operator.isthmus('install', 'out', '-o', 'json');

      const { results } = JSON.parse(stdout) as { results: readonly { readonly outcome: string }[] };
      assert.equal([...new Set(results.map(({ outcome }) => outcome))], ['unchanged']);
    },
    minutes(3),
  );

  test(
    'go on answering while the pods of a gateway are deleted one after the other',
    async () => {
      const traffic = startTraffic(primary.client);
      for (const { metadata } of await podsOf(remote.client, 'istio-system', gateway)) {
        const path = `/api/v1/namespaces/istio-system/pods/${metadata.name}`;
        await remote.client.delete(path);
        await waitFor('the pod to be gone, and two others ready', async () => {
          return (await remote.client.get(path)) === undefined && (await readyGateways(remote)) === 2;
        });
      }
      const { requests, failures } = await traffic.stop();

      console.log(`${requests} requests while both gateway pods of ${remote.name} were replaced, ${failures.length} failed`);
      assert.ok(requests > 20, `${requests} requests`);
      assert.equal(failures, []);
    },
    minutes(5),
  );

  test(
    'are as before after the demo is removed and the mesh uninstalled',
    async () => {
      await operator.isthmus('demo', 'bookinfo', 'out', '--remove');
      await operator.isthmus('uninstall', 'out');

      assert.equal(await lastingChanges(lab, { dumps, objects }), []);
    },
    minutes(5),
  );
});
