// Charts on their way to clusters that know neither isthmus nor mesh.yaml: published to a real registry, and installed by helm alone.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toYaml } from '../../src/base/yaml.ts';
import type { PublishedChart } from '../../src/publish/types.ts';
import { type Helm, helms } from '../helpers/helm.ts';
import { isthmusCommand, type Outcome, startIn, succeeded } from '../helpers/shell.ts';
import { assert, describe } from '../helpers/suite.ts';
import { type Registry, registryUser, startRegistry } from '../lab/registry.ts';
import { chartsIn, inRemote, type PublishScene, startPublishScene, versionOf } from './publish-scene.ts';
import { environment, objectAt } from './scene.ts';

const long = { timeoutMs: 400_000 };

describe('published charts', ({ test, before, after }) => {
  let scene: PublishScene;
  let registry: Registry;

  before(async () => {
    registry = await startRegistry({ users: true });
    scene = await startPublishScene();
  });
  after(async () => {
    await registry?.stop();
    await scene?.stop();
  });

  test('are not published by someone whom the registry does not know', async () => {
    const { code, stderr } = await publish('helm4', 'mesh');

    assert.is(code, 1, stderr);
    assert.match(stderr, `helm registry login ${registry.host}`);
    assert.equal(await registry.repositories(), []);
    await scene.helm('helm4', [
      'registry',
      'login',
      registry.host,
      '--username',
      registryUser.name,
      '--password',
      registryUser.password,
      '--plain-http',
    ]);
  });

  test(
    'have one digest with both helms, in another folder, time zone, locale and umask, and the registry tells the same',
    async () => {
      const first = await published('helm4', 'mesh');
      const elsewhere = join(scene.folder, 'else where');
      cpSync(join(scene.folder, 'out'), join(elsewhere, 'out'), { recursive: true });
      const env = { ...environment(scene.folder, 'helm3', scene.clusters), TZ: 'Pacific/Chatham', LC_ALL: 'tr_TR.UTF-8' };
      const args = ['publish', 'out', '--to', `oci://${registry.host}/other/path`, '--plain-http', '-o', 'json'];
      const shell = { folder: elsewhere, env, before: ['sh', '-c', 'umask 077; exec "$@"', 'sh'] };
      const { stdout } = await succeeded(startIn(shell, isthmusCommand(...args)), 'publish elsewhere');
      const second = chartsIn(stdout);

      assert.equal(digests(second), digests(first));
      assert.is(first.filter(({ name }) => /-cluster\d$/.test(name)).length, 8);
      assert.is(first.length, 8 + readdirSync(join(import.meta.dirname, '..', '..', 'charts')).length);
      for (const { name, version, digest } of first) assert.is(await registry.digest(`mesh/${name}`, tagOf(version)), digest, name);
      assert.equal(new Set([...first, ...second].map(({ outcome }) => outcome)), new Set(['published']));
    },
    long,
  );

  for (const name of helms) {
    test(
      `are left alone by ${name} when they are there already`,
      async () => {
        const again = await published(name, 'mesh');

        assert.equal(new Set(again.map(({ outcome }) => outcome)), new Set(['unchanged']));
      },
      long,
    );
  }

  test(
    'are refused when a version is there with other contents, before anything is pushed',
    async () => {
      const copy = join(scene.folder, 'istio-remote');
      cpSync(join(import.meta.dirname, '..', '..', 'charts', 'istio-remote'), copy, { recursive: true });
      writeFileSync(join(copy, 'templates', 'more.yaml'), '# more\n');
      await scene.helm('helm4', ['package', copy, '--destination', scene.folder]);
      await scene.helm('helm4', ['push', join(scene.folder, 'istio-remote-0.1.0.tgz'), `oci://${registry.host}/taken`, '--plain-http']);
      const there = await registry.digest('taken/istio-remote', '0.1.0');

      const { code, stderr } = await publish('helm4', 'taken');

      assert.is(code, 3, stderr);
      assert.match(stderr, `taken/istio-remote 0.1.0: is published with other contents (${there})`);
      assert.equal(
        (await registry.repositories()).filter((path) => path.startsWith('taken/')),
        ['taken/istio-remote'],
      );
      assert.is(await registry.digest('taken/istio-remote', '0.1.0'), there);
    },
    long,
  );

  test(
    'with edited values stand beside those that were generated, under a version of their own',
    async () => {
      const edited = join(scene.folder, 'edited');
      cpSync(join(scene.folder, 'out'), edited, { recursive: true });
      const values = join(edited, 'clusters/cluster2/istio-remote/values.yaml');
      writeFileSync(values, readFileSync(values, 'utf8').replace('timeoutSeconds: 10', 'timeoutSeconds: 7'));

      const { code, stdout, stderr } = await publish('helm4', 'mesh', 'edited');

      assert.is(code, 0, stderr);
      const charts = chartsIn(stdout);
      const [chart] = charts.filter(({ outcome }) => outcome === 'published');
      assert.is(charts.filter(({ outcome }) => outcome === 'published').length, 1);
      assert.match(stderr, `istio-remote-cluster2 was edited after it was generated: it is published as ${chart?.version}`);
      const { stdout: shown } = await scene.helm('helm3', [
        'show',
        'values',
        `${chart?.reference}`,
        '--version',
        `${chart?.version}`,
        '--plain-http',
      ]);
      assert.match(shown, 'timeoutSeconds: 7');
    },
    long,
  );

  for (const name of helms) {
    test(
      `are installed by ${name} alone, by version and by digest`,
      async () => {
        const charts = await published(name, 'mesh');

        for (const how of ['version', 'digest'] as const) {
          const args = (chart: string) => referTo(charts, chart, how);
          await scene.helmInstall(name, 'isthmus-namespaces', [
            ...args('namespaces-cluster2'),
            '--namespace',
            'default',
            '--take-ownership',
          ]);
          await scene.helmInstall(name, 'istio-remote', [...args('istio-remote-cluster2'), '--namespace', 'istio-system']);
          await scene.helmInstall(name, 'route-installer', [...args('route-installer-cluster2'), '--namespace', 'isthmus-system']);

          const listed = await scene.helm(name, ['list', '--all-namespaces', '--output', 'json', ...inRemote]);
          const installed = (JSON.parse(listed.stdout) as { name: string; chart: string }[]).map((release) => release.chart).sort();
          const wanted = ['istio-remote-cluster2', 'namespaces-cluster2', 'route-installer-cluster2'];
          assert.equal(
            installed,
            wanted.map((chart) => `${chart}-${versionOf(charts, chart)}`),
          );
          await objectAt(scene.remote, '/api/v1/namespaces/istio-system/services/istiod');
          await objectAt(scene.remote, '/apis/apps/v1/namespaces/isthmus-system/daemonsets/route-installer-keeper');
          for (const [release, namespace] of [
            ['route-installer', 'isthmus-system'],
            ['istio-remote', 'istio-system'],
            ['isthmus-namespaces', 'default'],
          ])
            await scene.helm(name, ['uninstall', release ?? '', '--namespace', namespace ?? '', ...inRemote]);
        }
      },
      long,
    );

    test(
      `that are generic are installed by ${name} from values that their documentation asks for`,
      async () => {
        const values = { clusterName: 'cluster2', network: 'network1', remotePilotAddresses: ['10.0.0.5'] };
        writeFileSync(join(scene.folder, 'cluster2.yaml'), toYaml(values));
        const chart = [`oci://${registry.host}/mesh/istio-remote`, '--version', '0.1.0', '--plain-http'];

        const output = await scene.helmInstall(name, 'istio-remote', [
          ...chart,
          '--namespace',
          'istio-system',
          '--create-namespace',
          '--values',
          'cluster2.yaml',
        ]);

        assert.match(output, 'Cluster cluster2 now uses the istiod of its primary');
        assert.match(output, 'Next: let the primary read this cluster');
        await scene.helm(name, ['uninstall', 'istio-remote', '--namespace', 'istio-system', ...inRemote]);
      },
      long,
    );

    test(
      `pass ${name}'s lint as packages, and show what they are`,
      async () => {
        const charts = await published(name, 'mesh');
        const folder = join(scene.folder, `pulled-${name}`);
        mkdirSync(folder);

        for (const { name: chart, version, reference } of charts) {
          await scene.helm(name, ['pull', reference, '--version', version, '--destination', folder, '--plain-http']);
          const [metadata, readme, values] = await Promise.all(
            ['chart', 'readme', 'values'].map(
              async (what) => (await scene.helm(name, ['show', what, join(folder, `${chart}-${version}.tgz`)])).stdout,
            ),
          );
          assert.match(metadata ?? '', `version: ${version}`);
          assert.match(metadata ?? '', 'artifacthub.io/license: Apache-2.0');
          assert.match(readme ?? '', `# ${chart}\n`);
          assert.ok(values !== undefined && values.trim() !== '', chart);
          // A generic chart needs values before it can be checked.
          if (/-cluster\d$/.test(chart))
            await scene.helm(name, ['lint', '--strict', join(folder, `${chart}-${version}.tgz`), '--kube-version', '1.34.0']);
        }
      },
      long,
    );
  }

  async function published(name: Helm, path: string): Promise<readonly PublishedChart[]> {
    const { code, stdout, stderr } = await publish(name, path);
    assert.is(code, 0, stderr);
    assert.is(stderr, '');
    return chartsIn(stdout);
  }

  function publish(name: Helm, path: string, out = 'out'): Promise<Outcome> {
    return scene.start(name, ['publish', out, '--to', `oci://${registry.host}/${path}`, '--plain-http', '-o', 'json']).outcome;
  }

  function referTo(charts: readonly PublishedChart[], name: string, how: 'version' | 'digest'): string[] {
    const chart = charts.find((each) => each.name === name);
    const reference =
      how === 'version' ? [`${chart?.reference}`, '--version', `${chart?.version}`] : [`${chart?.reference}@${chart?.digest}`];
    return [...reference, '--plain-http'];
  }
});

function digests(charts: readonly PublishedChart[]): string[] {
  return charts.map(({ name, version, digest }) => `${name} ${version} ${digest}`);
}

/** What helm makes of a version, because a tag may hold no plus sign. */
function tagOf(version: string): string {
  return version.replace('+', '_');
}
