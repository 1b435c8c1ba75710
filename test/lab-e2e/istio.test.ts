// Istio of today on real nodes: one control plane for two clusters, BookInfo across them, and restarts that nobody notices.
import { differences, expectNone, intents, marks, releaseStatuses } from '../e2e/state.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { istioHub } from '../lab/istio-images.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { istiodReady } from '../lab/nodes/istio.ts';
import { balancedAddresses, type IstioLab, startIstioLab } from '../lab/nodes/istio-lab.ts';
import { meshShape } from '../lab/nodes/shape.ts';
import { waitFor } from '../lab/wait.ts';
import { changesOf, type Dumps, dumpAll } from './changes.ts';
import {
  certificateOf,
  deleteIstiod,
  duringTraffic,
  holderOf,
  namespace,
  newcomersReady,
  newcomersRefused,
  podsOf,
  restingIntents,
  rootCertificateOf,
  scaleNewcomers,
  untilAnswered,
} from './istio-scene.ts';
import { addressesOf, bookinfoAnswers, endpointsOf, expectedAnswers } from './mesh-scene.ts';
import { createOperator, type MeshFile, type Operator } from './operator.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });
const restarts = 3;
/** What a node shows of pods that were made again, and of a link that was: other addresses. */
const ofRestarts = /veth|fe80|KUBE-/;

describe('Istio on real nodes', ({ test, before, after }) => {
  let lab: IstioLab;
  let operator: Operator;
  let primary: RealCluster;
  let remote: RealCluster;
  let untouched: ReadonlyMap<string, unknown>;
  let unmarked: ReadonlyMap<string, unknown>;
  let dumps: Dumps;

  before(async () => {
    lab = await startIstioLab({ say: console.log, shape: meshShape({ clusters: 2, nodes: 2 }) });
    [primary, remote] = lab.clusters as [RealCluster, RealCluster];
    operator = createOperator(lab);
    untouched = await restingIntents(lab);
    unmarked = await marks(lab);
    dumps = await dumpAll(lab);
  });
  after(async () => {
    operator?.remove();
    await lab?.stop();
  });

  const install = async (edit: (mesh: MeshFile) => void = () => undefined) => {
    await operator.writeMesh((mesh) => {
      Object.assign(mesh.istio, { hub: istioHub });
      Object.assign(mesh.clusters[0] ?? {}, { loadBalancer: { platform: 'keepalived' } });
      edit(mesh);
    });
    await operator.isthmus('generate', '--out', 'out');
    await operator.isthmus('install', 'out');
  };

  test(
    'is joined by one install: the ILB has an address, the remote uses it, istiod has the remote',
    async () => {
      await install();

      const [address = ''] = await addressesOf(primary, 'istiod-ilb');
      assert.ok(balancedAddresses.includes(address), `${address} is none of the load balancer's`);
      assert.equal(await endpointsOf(remote), [address]);
      await waitFor('istiod to have read the remote', async () => {
        const listed = await operator.run('istioctl', '--context', primary.name, 'remote-clusters');
        return [primary, remote].every(({ name }) => new RegExp(`^${name} .* synced `, 'm').test(listed));
      });
    },
    minutes(4),
  );

  test(
    'answers with BookInfo from the right cluster: all to v1, all to v3, half to each',
    async () => {
      assert.equal(await bookinfoAnswers(operator, 'out'), expectedAnswers(primary, remote));
    },
    minutes(4),
  );

  test(
    'gives a new pod of the remote its sidecar and its certificate from the istiod of the primary',
    async () => {
      await scaleNewcomers(remote.client, 1);
      await newcomersReady(remote.client, 1);

      const [pod] = await podsOf(remote.client, namespace, 'newcomer');
      const certificate = await certificateOf(operator, remote.name, pod?.metadata.name ?? '');
      const names = [...(pod?.spec.initContainers ?? []), ...(pod?.spec.containers ?? [])].map(({ name }) => name);
      assert.ok(names.includes('istio-proxy'), names.join(' '));
      assert.is(certificate.subjectAltName, `URI:spiffe://cluster.local/ns/${namespace}/sa/default`);
      assert.ok(certificate.verify((await rootCertificateOf(primary.client)).publicKey), 'signed by the root of the primary');
    },
    minutes(3),
  );

  test(
    'goes on while istiod is deleted three times: no request fails, new pods of the remote start, nothing is reinstalled there',
    async () => {
      const installed = await releaseStatuses(lab);
      const objects = await intentsOf(remote, lab);
      const seconds: string[] = [];
      const { requests, failures } = await duringTraffic(primary.client, async () => {
        for (let count = 1; count <= restarts; count++) {
          await deleteIstiod(primary.client);
          await scaleNewcomers(remote.client, 1 + count);
          seconds.push((await newcomersReady(remote.client, 1 + count)).toFixed(1));
          await istiodReady(primary.client);
        }
      });

      console.log(
        `${requests} requests over ${restarts} restarts of istiod; a new pod of the remote was Ready after ${seconds.join(', ')} s`,
      );
      assert.ok(requests > 50, `${requests} requests`);
      assert.equal(failures, []);
      assert.equal(await releaseStatuses(lab), installed);
      assert.equal(
        differences(objects, await intentsOf(remote, lab)).filter((line) => !line.includes('Deployment bookinfo/newcomer')),
        [],
      );
    },
    minutes(5),
  );

  test(
    'keeps the address of its ILB when the node that holds it loses power',
    async () => {
      const [address = ''] = await addressesOf(primary, 'istiod-ilb');
      const holder = (await holderOf(primary, address)) ?? '';
      assert.ok(holder !== '', `${address} is on no node`);

      await primary.reboot(holder);
      const next = await waitFor('another node to hold the address', () => holderOf(primary, address));
      await scaleNewcomers(remote.client, 2 + restarts);
      const started = await newcomersReady(remote.client, 2 + restarts);
      const answered = await untilAnswered(primary.client);

      console.log(
        `after a reboot of ${holder} a new pod of the remote was Ready after ${started.toFixed(1)} s, BookInfo answered ${answered.toFixed(1)} s later`,
      );
      assert.is.not(next, holder);
      assert.equal(await addressesOf(primary, 'istiod-ilb'), [address]);
    },
    minutes(5),
  );

  test(
    'would not go on with the address of a pod: isthmus refuses one, and who insists loses new pods at the next restart',
    async () => {
      const [pod] = await podsOf(primary.client, 'istio-system', 'istiod');
      const withPodAddress = (ignore: readonly string[]) => (mesh: MeshFile) => {
        Object.assign(mesh.clusters[1] ?? {}, { remotePilotAddress: pod?.status.podIP });
        mesh.ignore = ignore;
      };
      assert.match(String(await thrownBy(() => install(withPodAddress([])))), 'ISM062');
      await install(withPodAddress(['ISM062']));
      assert.equal(await endpointsOf(remote), [pod?.status.podIP]);
      await scaleNewcomers(remote.client, 0);
      await deleteIstiod(primary.client);
      await istiodReady(primary.client);

      await scaleNewcomers(remote.client, 1);

      assert.match(await newcomersRefused(remote.client), 'failed calling webhook');
      await install();
      await scaleNewcomers(remote.client, 2);
      await newcomersReady(remote.client, 2);
    },
    minutes(6),
  );

  test(
    'is gone without a trace after the demo is removed and the mesh uninstalled: no object, label, route, rule or address is left',
    async () => {
      await operator.isthmus('demo', 'bookinfo', 'out', '--remove');
      await operator.isthmus('uninstall', 'out');

      await expectNone('both clusters to be as before', async () => [
        ...differences(untouched, await intents(lab)),
        ...differences(unmarked, await marks(lab)),
        ...changesOf(dumps, await dumpAll(lab)).filter((line) => !ofRestarts.test(line)),
      ]);
    },
    minutes(4),
  );
});

async function intentsOf({ name }: RealCluster, lab: IstioLab): Promise<ReadonlyMap<string, unknown>> {
  return intents({ clusters: lab.clusters.filter((cluster) => cluster.name === name) });
}
