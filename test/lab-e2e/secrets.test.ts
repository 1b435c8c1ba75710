// Tokens and roots on real nodes: rotation under steady traffic that nobody notices, and a mesh that starts from a root of its own.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { differences } from '../e2e/state.ts';
import { assert, describe } from '../helpers/suite.ts';
import { istioHub } from '../lab/istio-images.ts';
import type { RealCluster } from '../lab/nodes/cluster.ts';
import { bookinfoHub } from '../lab/nodes/images.ts';
import { installPrimary, istiodReady } from '../lab/nodes/istio.ts';
import { type IstioLab, startIstioLab } from '../lab/nodes/istio-lab.ts';
import { meshShape } from '../lab/nodes/shape.ts';
import { waitFor } from '../lab/wait.ts';
import {
  certificateOf,
  deleteIstiod,
  namespace,
  newcomersReady,
  podsOf,
  restingIntents,
  rootCertificateOf,
  scaleNewcomers,
  startTraffic,
  untilAnswered,
} from './istio-scene.ts';
import { createOperator, type MeshFile, type Operator } from './operator.ts';

const minutes = (count: number) => ({ timeoutMs: count * 60_000 });
const rotations = 3;
/** What istiod reads first. */
const everything = '/api/v1/namespaces';

describe('tokens and roots on real nodes', ({ test, before, after }) => {
  let lab: IstioLab;
  let operator: Operator;
  let primary: RealCluster;
  let remote: RealCluster;
  let untouched: ReadonlyMap<string, unknown>;

  const writeMesh = (edit: (mesh: MeshFile) => void = () => undefined) =>
    operator.writeMesh((mesh) => {
      Object.assign(mesh.istio, { hub: istioHub });
      Object.assign(mesh.clusters[0] ?? {}, { loadBalancer: { platform: 'keepalived' } });
      edit(mesh);
    });

  before(async () => {
    lab = await startIstioLab({ say: console.log, shape: meshShape({ clusters: 2, nodes: 2 }) });
    [primary, remote] = lab.clusters as [RealCluster, RealCluster];
    operator = createOperator(lab);
    untouched = await restingIntents(lab);
    await writeMesh();
    await operator.isthmus('generate', '--out', 'out');
    await operator.isthmus('install', 'out');
    await operator.isthmus('demo', 'bookinfo', 'out', '--hub', bookinfoHub, '--output', 'json');
  });
  after(async () => {
    operator?.remove();
    await lab?.stop();
  });

  test(
    'rotate unnoticed three times in a row: no request fails, every old token is refused, every new one is taken',
    async () => {
      await untilAnswered(primary.client);
      const tokens = [await heldToken(primary, remote)];
      assert.is(await remote.client.statusWith(tokens[0] ?? '', everything), 200);
      const traffic = startTraffic(primary.client);
      const seconds: string[] = [];

      for (let count = 1; count <= rotations; count++) {
        const start = performance.now();
        const { stderr } = await operator.isthmus('secrets', 'rotate', 'out');
        seconds.push(((performance.now() - start) / 1000).toFixed(1));
        tokens.push(await heldToken(primary, remote));
        assert.match(stderr, 'the API server refuses it');
        assert.is(await remote.client.statusWith(tokens.at(-2) ?? '', everything), 401);
        assert.is(await remote.client.statusWith(tokens.at(-1) ?? '', everything), 200);
      }
      // What istiod would lose, Envoy loses with the next push.
      await scaleNewcomers(remote.client, 1);
      await newcomersReady(remote.client, 1);
      await untilAnswered(primary.client);
      const { requests, failures } = await traffic.stop();

      console.log(`${requests} requests over ${rotations} rotations, which took ${seconds.join(', ')} s; ${failures.length} failed`);
      assert.ok(requests > 50, `${requests} requests`);
      assert.equal(failures, []);
      assert.is(new Set(tokens).size, rotations + 1);
    },
    minutes(6),
  );

  test(
    'leave istiod with what it needs: it still reads the remote after a restart, and install has nothing to do',
    async () => {
      const { stderr } = await operator.isthmus('install', 'out');
      await deleteIstiod(primary.client);
      await istiodReady(primary.client);

      const listed = await operator.run('istioctl', '--context', primary.name, 'remote-clusters');

      assert.match(listed, new RegExp(`^${remote.name} .* synced `, 'm'));
      assert.not.match(stderr, /upgraded|installed,/);
      assert.is(await untilAnswered(primary.client).then(() => true), true);
    },
    minutes(4),
  );

  test(
    'leave nothing behind after the mesh is uninstalled',
    async () => {
      await operator.isthmus('demo', 'bookinfo', 'out', '--remove');
      await operator.isthmus('uninstall', 'out');

      assert.equal(differences(untouched, await restingIntents(lab)), []);
    },
    minutes(4),
  );

  test(
    'start again from a root of its own: istiod signs with the intermediate that isthmus gave it, and both clusters trust it',
    async () => {
      const istiod = '/apis/apps/v1/namespaces/istio-system/deployments/istiod';
      await operator.isthmus('ca', 'init', 'mesh.yaml', '--out', 'ca');
      await writeMesh((mesh) => {
        Object.assign(mesh.istio, { ca: 'ca' });
        mesh.ignore = ['ISM076'];
      });
      await primary.client.delete(istiod);
      await waitFor('istiod to be gone', async () => (await podsOf(primary.client, 'istio-system', 'istiod')).length === 0);
      await operator.isthmus('generate', '--out', 'out', '--overwrite');
      await operator.isthmus('install', 'out');
      await installPrimary(primary.client, { cluster: primary.name, meshID: 'bookinfo', network: 'network1' });
      await operator.isthmus('demo', 'bookinfo', 'out', '--hub', bookinfoHub);
      await scaleNewcomers(remote.client, 1);
      await newcomersReady(remote.client, 1);

      const own = (...path: string[]) => new X509Certificate(readFileSync(join(operator.folder, 'ca', ...path)));
      const [pod] = await podsOf(remote.client, namespace, 'newcomer');
      const leaf = await certificateOf(operator, remote.name, pod?.metadata.name ?? '');
      assert.is((await rootCertificateOf(primary.client)).fingerprint256, own('root-cert.pem').fingerprint256);
      assert.is((await rootCertificateOf(remote.client)).fingerprint256, own('root-cert.pem').fingerprint256);
      assert.ok(leaf.verify(own(primary.name, 'ca-cert.pem').publicKey), 'signed by the intermediate of the primary');
      const { stderr } = await operator.isthmus('uninstall', 'out');
      assert.match(stderr, 'it stays, because istiod signs with it');
    },
    minutes(8),
  );
});

/** The token in the remote secret of the primary. */
async function heldToken(primary: RealCluster, remote: RealCluster): Promise<string> {
  const path = `/api/v1/namespaces/istio-system/secrets/istio-remote-secret-${remote.name}`;
  const { data } = (await primary.client.get(path)) as KubeObject & { readonly data: Readonly<Record<string, string>> };
  const config = parseYaml(Buffer.from(data[remote.name] ?? '', 'base64').toString(), 'kubeconfig').value;
  return (config as { readonly users: readonly { readonly user: { readonly token: string } }[] }).users[0]?.user.token ?? '';
}
