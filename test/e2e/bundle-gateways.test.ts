// Bundles of meshes over two networks, with Istio itself in them and a root of trust that is not: through helm, and through kubectl alone.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { helms } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';
import type { Cluster } from '../lab/cluster.ts';
import { gatewayAddress, makeBundle, refusedPods, startGatewayScene, writeMesh } from './bundle-gateways-scene.ts';
import { type BundleScript, bundleScript } from './bundle-script.ts';
import { objectAt, type Scene } from './scene.ts';
import { allVersions, contents, differences, expectNone, intents, releaseStatuses, settledContents, uids } from './state.ts';

const long = { timeoutMs: 600_000 };
const system = '/api/v1/namespaces/istio-system';
const mirror = ['--registry', 'mirror.corp:5000/istio'] as const;
const names = ['cluster1', 'cluster2'] as const;

describe('a bundle of two networks with its own Istio', ({ test, before, after }) => {
  let scene: Scene;
  let script: BundleScript;
  let archive = '';
  let untouched: ReadonlyMap<string, unknown>;
  let wanted: ReadonlyMap<string, unknown>;
  let mirrored: ReadonlyMap<string, unknown>;

  before(async () => {
    scene = await startGatewayScene();
    await writeMesh(scene, ({ clusters: [primary] }) =>
      Object.assign(primary ?? {}, { loadBalancer: { platform: 'keepalived', addresses: { 'istio-eastwestgateway': gatewayAddress } } }),
    );
    const made = await makeBundle(scene, 'remote');
    archive = made.archive;
    script = bundleScript(scene, made.bundle);
    untouched = await settledContents(scene);
  });
  after(() => scene?.stop());

  test('lists the proxy that gateways get, and holds Istio and no key', async () => {
    const { stdout } = await scene.isthmus('helm4', 'bundle', 'inspect', archive, '-o', 'json');
    await scene.isthmus('helm4', 'bundle', 'verify', archive);

    const { images, releases } = JSON.parse(stdout) as Summary;
    assert.equal(
      images.map(({ image, consumers }) => [image, consumers]),
      [
        ['registry.istio.io/release/pilot:1.30.3', ['cluster1/istiod']],
        [
          'registry.istio.io/release/proxyv2:1.30.3',
          ['cluster1/eastwest-gateway', 'cluster1/sidecars', 'cluster2/eastwest-gateway', 'cluster2/sidecars'],
        ],
      ],
    );
    assert.equal(
      releases.map(({ cluster, name }) => `${cluster} ${name}`),
      ['cluster1 istio-base', 'cluster1 istiod', 'cluster1 eastwest-gateway', 'cluster2 istio-remote', 'cluster2 eastwest-gateway'],
    );
  });

  test(
    "is published whole as well: Istio's charts with the values of the mesh under names of their own, and each passes lint",
    async () => {
      const { stdout } = await scene.isthmus('helm4', 'publish', 'remote', '--to', 'repo', '-o', 'json');

      const published = (JSON.parse(stdout) as Published).charts.filter(({ release }) => release !== undefined);
      assert.equal(
        published.map(({ name }) => name),
        ['eastwest-gateway-cluster1', 'eastwest-gateway-cluster2', 'istio-base-cluster1', 'istio-remote-cluster2', 'istiod-cluster1'],
      );
      for (const { name, version } of published) {
        const file = join(scene.folder, 'repo', `${name}-${version}.tgz`);
        for (const helm of helms) execFileSync(toolPath(helm), ['lint', '--strict', file, '--kube-version', '1.34.0'], { stdio: 'pipe' });
      }
    },
    long,
  );

  test(
    'is refused by both ways while nobody has put the root of trust in place, and writes nothing',
    async () => {
      const versions = await allVersions(scene);
      const missing = [await script.run('dash', ['cluster1']), await scene.start('helm4', ['bundle', 'install', archive]).outcome];
      assert.equal(differences(versions, await allVersions(scene)), []);
      await scene.isthmus('helm4', 'ca', 'init', 'mesh.yaml', '--out', 'other');
      putSigner(scene, scene.primary, 'other');
      const withOther = await allVersions(scene);

      const other = [await script.run('busybox', ['cluster1']), await scene.start('helm3', ['bundle', 'install', archive]).outcome];

      assert.equal(differences(withOther, await allVersions(scene)), []);
      for (const { code, stdout, stderr } of missing) {
        assert.is(code, 1);
        assert.match(stdout + stderr, /Secret istio-system\/cacerts is not there, and without it istiod would make a root of its own/);
      }
      assert.equal(
        other.map(({ code }) => code),
        [1, 1],
      );
      assert.match(other[0]?.stderr ?? '', 'is another one than this mesh was planned with');
      assert.match(`${other[1]?.stdout}${other[1]?.stderr}`, /cacerts is of root .*, and the mesh was planned with/);
      await removeSigner(scene);
      await expectUntouched();
    },
    long,
  );

  for (const helm of helms)
    test(
      `is installed by ${helm} with the folder of keys at hand, the gateway of the remote when istiod injects it`,
      async () => {
        const before = helm === 'helm3' ? [] : mirror;

        await scene.isthmus(helm, 'bundle', 'install', archive, '--ca', 'ca', ...before);

        assert.equal([...new Set((await releaseStatuses(scene)).values())], ['deployed']);
        assert.equal(await refusedPods(scene), []);
        if (helm === 'helm3') wanted = await intents(scene);
        else mirrored = withoutVersions(await intents(scene));
        await scene.isthmus(helm, 'uninstall', 'remote');
        await expectUntouched();
      },
      long,
    );

  test(
    'is installed by kubectl alone with the same result, and a second time without a write',
    async () => {
      putSigner(scene, scene.primary, 'ca');

      const outputs = [await script.succeed('dash', ['cluster1']), await script.succeed('dash', ['cluster2'])];

      await expectNone('what helm installs', async () => differences(wanted, await intents(scene)));
      assert.equal(await refusedPods(scene), []);
      assert.not.match(outputs.join(''), /eyJ[\w-]+\.|PRIVATE KEY/);
      await settledContents(scene);
      const versions = await allVersions(scene);
      for (const name of names) await script.succeed('busybox', [name]);
      assert.equal(differences(versions, await allVersions(scene)), []);
    },
    long,
  );

  test(
    'is taken over by isthmus install from there, without making an object anew',
    async () => {
      const before = await uids(scene);

      await scene.isthmus('helm4', 'install', 'remote');

      assert.equal(
        differences(before, await uids(scene)).filter((line) => !line.startsWith('+')),
        [],
      );
      assert.equal([...new Set((await releaseStatuses(scene)).values())], ['deployed']);
      await expectNone('what helm installs', async () => differences(wanted, await intents(scene)));
      await scene.isthmus('helm4', 'uninstall', 'remote');
      await removeSigner(scene);
      await expectUntouched();
    },
    long,
  );

  test(
    'tells the istiod of kubectl the mirror as helm does, lets the gateway of a remote wait for it, and goes without a trace',
    async () => {
      putSigner(scene, scene.primary, 'ca');

      const early = await script.succeed('dash', ['cluster2', ...mirror]);
      assert.match(early, '70-gateways waits for istiod in cluster1');
      await script.succeed('dash', ['cluster1', ...mirror]);
      await script.succeed('dash', ['cluster2', ...mirror]);

      await expectNone('what helm installs with a mirror', async () => differences(mirrored, withoutVersions(await intents(scene))));
      for (const name of names) await script.succeed('dash', ['uninstall', name, ...mirror]);
      for (const name of names) await script.succeed('dash', ['uninstall', name, ...mirror]);
      await removeSigner(scene);
      await expectUntouched();
    },
    long,
  );

  test(
    'of two primaries is installed by kubectl alone: each reads the other, and both have gateways',
    async () => {
      await writeMesh(scene, ({ clusters: [, second] }) => Object.assign(second ?? {}, { role: 'primary' }));
      const made = await makeBundle(scene, 'primaries');
      const both = bundleScript(scene, made.bundle);
      await scene.isthmus('helm4', 'bundle', 'install', made.archive, '--ca', 'ca');
      const joined = await intents(scene);
      await scene.isthmus('helm4', 'uninstall', 'primaries');
      await expectUntouched();
      for (const cluster of scene.clusters) putSigner(scene, cluster, 'ca');

      for (const name of names) await both.succeed('dash', [name]);

      await expectNone('what helm installs', async () => differences(joined, await intents(scene)));
      await objectAt(scene.primary, `${system}/secrets/istio-remote-secret-cluster2`);
      await objectAt(scene.remote, `${system}/secrets/istio-remote-secret-cluster1`);
      assert.equal(await refusedPods(scene), []);
      for (const name of names) await both.succeed('dash', ['uninstall', name]);
      await removeSigner(scene);
      await expectUntouched();
    },
    long,
  );

  function expectUntouched(): Promise<void> {
    return expectNone('both clusters as before', async () => differences(untouched, await contents(scene)));
  }
});

interface Summary {
  readonly images: readonly { readonly image: string; readonly consumers: readonly string[] }[];
  readonly releases: readonly { readonly cluster: string; readonly name: string }[];
}

interface Published {
  readonly charts: readonly { readonly name: string; readonly version: string; readonly release?: unknown }[];
}

/** The version of a chart whose values were moved to a mirror is another one than that of the packed chart, and Istio's pods carry it. */
function withoutVersions(objects: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  return new Map(
    [...objects].map(([key, object]) => [key, JSON.parse(JSON.stringify(object).replaceAll(/_[0-9a-f]{12}\b/g, '')) as unknown]),
  );
}

/** Puts the files of a cluster into Secret cacerts as install.sh says. */
function putSigner({ folder }: Scene, { name, kubeconfig }: Cluster, ca: string): void {
  const files = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'].map((file) => `--from-file=${file}`);
  const own = join(folder, ca, name);
  assert.match(readFileSync(join(own, 'ca-key.pem'), 'utf8'), 'PRIVATE KEY');
  const kubectl = (...args: string[]) =>
    execFileSync(toolPath('kubectl'), [`--kubeconfig=${kubeconfig}`, ...args], { cwd: own, env: { HOME: folder }, stdio: 'ignore' });
  kubectl('create', 'namespace', 'istio-system');
  kubectl('create', 'secret', 'generic', 'cacerts', '--namespace', 'istio-system', ...files);
}

/** Whoever made the namespace for it takes it away again. */
async function removeSigner(scene: Scene): Promise<void> {
  for (const { client } of scene.clusters) {
    const labels = (await client.get(system)) as { metadata: { labels: Record<string, string>; annotations?: object } } | undefined;
    if (labels === undefined) continue;
    assert.equal([Object.keys(labels.metadata.labels), labels.metadata.annotations], [['kubernetes.io/metadata.name'], undefined]);
    await client.delete(system);
  }
}
