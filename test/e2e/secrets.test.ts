// Tokens and roots through the built CLI on two real API servers: what is revoked is refused, and what decides trust is never swapped.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KubeObject } from '../../src/base/objects.ts';
import { parseYaml, toYaml } from '../../src/base/yaml.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import { type Repeating, repeat } from '../lab/repeat.ts';
import { waitFor } from '../lab/wait.ts';
import { objectAt, releasesOf, type Scene, startScene } from './scene.ts';
import { allVersions, contents, differences, settledContents } from './state.ts';

const run = promisify(execFile);
const long = { timeoutMs: 240_000 };
const system = '/api/v1/namespaces/istio-system';
const remoteSecret = `${system}/secrets/istio-remote-secret-cluster2`;
const chartToken = `${system}/secrets/istio-reader-service-account-istio-remote-secret-token`;
/** What istiod reads first. */
const everything = '/api/v1/namespaces';

describe('tokens and roots on real API servers', ({ test, before, after }) => {
  let scene: Scene;
  let untouched: ReadonlyMap<string, unknown>;
  const seen = new Set<string>();

  before(async () => {
    scene = await startScene();
    await standInForIstiod(scene);
    untouched = await settledContents(scene);
    await scene.writeMesh({ ilbAddress: '9.111.255.9' });
    editMesh(scene, (mesh) => void Object.assign(mesh, { ignore: ['ISM066'] }));
    await scene.isthmus('helm4', 'generate', '--out', 'out');
    await scene.isthmus('helm4', 'install', 'out');
  });
  after(() => scene?.stop());

  const held = async () => {
    const { data } = (await objectAt(scene.primary, remoteSecret)) as KubeObject & { data: Record<string, string> };
    const config = parseYaml(Buffer.from(data['cluster2'] ?? '', 'base64').toString(), 'kubeconfig').value;
    const token = (config as { users: { user: { token: string } }[] }).users[0]?.user.token ?? '';
    seen.add(token);
    return token;
  };
  const status = (token: string) => scene.remote.client.statusWith(token, everything);
  const tokenSecrets = async () =>
    (await scene.remote.client.list(`${system}/secrets`)).filter(({ type }) => type === 'kubernetes.io/service-account-token');
  const rotate = async (...args: string[]) => {
    const istiod = startReading(scene);
    try {
      return await scene.start('helm4', ['secrets', 'rotate', 'out', '--timeout', '90s', ...args]).outcome;
    } finally {
      await istiod.stop();
    }
  };

  test(
    'rotate: the old token gets 401 from then on, the new one 200',
    async () => {
      const old = await held();
      assert.is(await status(old), 200);

      const { code, stdout, stderr } = await rotate();

      assert.is(code, 0, stdout + stderr);
      const token = await held();
      assert.is.not(token, old);
      assert.equal([await status(old), await status(token)], [401, 200]);
      assert.match(stderr, 'the API server refuses it');
    },
    long,
  );

  test(
    'stay rotated: neither install nor helm upgrade brings the old token back, and a Secret that helm made again is revoked by install',
    async () => {
      await settledContents(scene);
      const versions = await allVersions(scene);
      const token = await held();
      await scene.isthmus('helm4', 'install', 'out');
      assert.equal(differences(versions, await allVersions(scene)), []);

      await helmUpgrade(scene);
      assert.is(await chartTokenOf(scene), 'revoked');
      await scene.remote.client.delete(chartToken);
      await helmUpgrade(scene);
      const restored = await waitFor('Kubernetes to fill in a token', async () => chartTokenOf(scene));
      assert.is(await status(restored), 200);
      await scene.isthmus('helm4', 'install', 'out');

      assert.is(await chartTokenOf(scene), 'revoked');
      await waitFor('the restored token to be refused', async () => (await status(restored)) === 401);
      assert.equal([await held(), await status(token)], [token, 200]);
    },
    long,
  );

  test(
    'survive kill -9: both are valid until the next run has seen istiod read the new one',
    async () => {
      const old = await held();
      const running = scene.start('helm4', ['secrets', 'rotate', 'out']);
      await waitFor('the primary to hold the new token', async () => (await held()) !== old);
      running.child.kill('SIGKILL');
      await running.outcome;
      const begun = await held();
      assert.equal([await status(old), await status(begun)], [200, 200]);

      const { code, stdout, stderr } = await rotate();

      assert.is(code, 0, stdout + stderr);
      assert.match(stderr, 'which another run began with');
      assert.equal([await held(), await status(old), await status(begun)], [begun, 401, 200]);
      assert.is((await tokenSecrets()).length, 2);
    },
    long,
  );

  test(
    'are not revoked while istiod does not read: the command fails, says what to do, and both stay valid',
    async () => {
      const old = await held();

      const { code, stdout, stderr } = await scene.start('helm4', ['secrets', 'rotate', 'out', '--timeout', '5s']).outcome;

      assert.is(code, 1);
      assert.match(stderr, 'both tokens stay valid');
      assert.match(stdout, 'run the same command again; it goes on from here');
      assert.equal([await status(old), await status(await held())], [200, 200]);
      assert.is((await rotate()).code, 0);
      assert.is(await status(old), 401);
    },
    long,
  );

  test(
    'of another root are refused: generate stops, and nothing is written',
    async () => {
      await scene.isthmus('helm4', 'ca', 'init', 'mesh.yaml', '--out', 'keys');
      await settledContents(scene);
      const versions = await allVersions(scene);
      const index = readFileSync(join(scene.folder, 'out', 'releases.yaml'), 'utf8');
      editMesh(scene, ({ istio }) => void Object.assign(istio, { ca: 'keys' }));

      const { code, stderr } = await scene.start('helm4', ['generate', '--out', 'out']).outcome;

      assert.is(code, 3);
      assert.match(stderr, 'ISM074');
      assert.match(stderr, 'keys/cluster1/root-cert.pem');
      assert.is(readFileSync(join(scene.folder, 'out', 'releases.yaml'), 'utf8'), index);
      assert.equal(differences(versions, await allVersions(scene)), []);
    },
    long,
  );

  test(
    'leave nothing behind when the mesh is uninstalled, and were never printed',
    async () => {
      await scene.isthmus('helm4', 'uninstall', 'out');

      const left = async () => differences(untouched, await contents(scene)).filter((line) => !line.includes('istiod-stand-in'));
      await waitFor('both clusters to be as before', async () => (await left()).length === 0).catch(async () =>
        assert.equal(await left(), []),
      );
      const printed = scene.printed.join('');
      assert.ok(seen.size >= 3, `${seen.size} tokens seen`);
      for (const token of seen) assert.not(printed.includes(token) || printed.includes(token.slice(-40)));
      assert.not.match(printed, /eyJ[\w-]+\.|PRIVATE KEY/);
    },
    long,
  );

  test(
    'that sign are put into the Secret cacerts before any istiod runs, stay as they are, and go with the mesh',
    async () => {
      await scene.primary.client.delete('/apis/apps/v1/namespaces/istio-system/deployments/istiod');
      await scene.primary.client.delete(`${system}/configmaps/istio-ca-root-cert`);
      await scene.primary.client.delete(`${system}/pods/istiod-stand-in`);
      editMesh(scene, (mesh) => void Object.assign(mesh, { ignore: ['ISM066', 'ISM076'] }));
      await scene.isthmus('helm4', 'generate', '--out', 'out', '--overwrite');

      await scene.isthmus('helm4', 'install', 'out');

      const { data } = (await objectAt(scene.primary, `${system}/secrets/cacerts`)) as KubeObject & { data: Record<string, string> };
      const file = (name: string) => readFileSync(join(scene.folder, 'keys', 'cluster1', name)).toString('base64');
      assert.equal(
        data,
        Object.fromEntries(['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'].map((name) => [name, file(name)])),
      );
      const versions = await allVersions(scene);
      await scene.isthmus('helm4', 'install', 'out');
      assert.equal(
        differences(versions, await allVersions(scene)).filter((line) => line.includes('cacerts')),
        [],
      );
      assert.not(JSON.stringify(releasesOf(scene)).includes('PRIVATE') || existsSync(join(scene.folder, 'out', 'keys')));
      await scene.isthmus('helm4', 'uninstall', 'out');
      assert.is(await scene.primary.client.get(`${system}/secrets/cacerts`), undefined);
    },
    long,
  );
});

interface MeshFile {
  readonly istio: Record<string, unknown>;
}

function editMesh(scene: Scene, edit: (mesh: MeshFile) => void): void {
  const file = join(scene.folder, 'mesh.yaml');
  const mesh = parseYaml(readFileSync(file, 'utf8'), file).value as MeshFile;
  edit(mesh);
  writeFileSync(file, toYaml(mesh));
}

/** kwok's pods have no kubelet that could serve a log, so istiod is a pod that runs nowhere and is said to be ready. */
async function standInForIstiod({ primary: { client } }: Scene): Promise<void> {
  await client.mergePatch('/apis/apps/v1/namespaces/istio-system/deployments/istiod', { spec: { replicas: 0 } });
  await waitFor('the pods of istiod to be gone', async () => (await client.list(`${system}/pods?labelSelector=app%3Distiod`)).length === 0);
  const labels = { app: 'istiod', istio: 'pilot' };
  const container = { name: 'discovery', image: 'registry.istio.io/release/pilot:1.31.0' };
  const spec = { schedulerName: 'nobody', containers: [container] };
  await client.create(`${system}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'istiod-stand-in', namespace: 'istio-system', labels },
    spec,
  });
  await setStarted(client, longAgo());
}

async function setStarted(client: Scene['primary']['client'], startedAt: Date): Promise<void> {
  const state = { running: { startedAt: `${startedAt.toISOString().slice(0, 19)}Z` } };
  const container = { name: 'discovery', image: 'x', imageID: 'x', ready: true, restartCount: 0, state };
  const conditions = [{ type: 'Ready', status: 'True' }];
  await client.mergePatch(`${system}/pods/istiod-stand-in/status`, { status: { conditions, containerStatuses: [container] } });
}

/** An istiod that takes a new token: it reads the remote with it, and has started anew since the Secret was written. */
function startReading({ primary, remote }: Scene): Repeating {
  const reading = repeat(async () => {
    const found = (await primary.client.get(remoteSecret)) as (KubeObject & { data: Record<string, string> }) | undefined;
    const text = Buffer.from(found?.data['cluster2'] ?? '', 'base64').toString();
    const token = /token: "?([^"\s]+)/.exec(text)?.[1] ?? '';
    if ((await remote.client.statusWith(token, everything)) !== 200) return;
    await setStarted(primary.client, new Date(Date.now() + 180_000));
  });
  return {
    stop: async () => {
      await reading.stop();
      await setStarted(primary.client, longAgo());
    },
  };
}

function longAgo(): Date {
  return new Date(Date.now() - 3_600_000);
}

async function chartTokenOf({ remote }: Scene): Promise<string> {
  const { data } = (await remote.client.get(chartToken)) as { data?: { token?: string } };
  return Buffer.from(data?.token ?? '', 'base64').toString();
}

async function helmUpgrade(scene: Scene): Promise<void> {
  const release = releasesOf(scene).find(({ name }) => name === 'istio-remote');
  const chart = join(scene.folder, 'out', release?.folder ?? '');
  const where = ['--kubeconfig', scene.remote.kubeconfig, '--kube-context', 'cluster2', '--namespace', 'istio-system'];
  await run(toolPath('helm4'), ['upgrade', 'istio-remote', chart, ...where], { env: { HOME: scene.folder, PATH: '/usr/bin' } });
}
