// Charts in a folder that a plain web server makes a repository of, beside the charts of others.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PublishedChart } from '../../src/publish/types.ts';
import { type Helm, helms } from '../helpers/helm.ts';
import { assert, describe } from '../helpers/suite.ts';
import { type FileServer, serveFiles } from '../lab/file-server.ts';
import { chartsIn, inRemote, type PublishScene, startPublishScene, versionOf } from './publish-scene.ts';

const long = { timeoutMs: 400_000 };

describe('charts in a static repository', ({ test, before, after }) => {
  let scene: PublishScene;
  let server: FileServer | undefined;

  before(async () => {
    scene = await startPublishScene();
  });
  after(async () => {
    await server?.stop();
    await scene?.stop();
  });

  test(
    'are read by both helms from a web server, beside what was there before, and publishing again changes no byte',
    async () => {
      const folder = join(scene.folder, 'repo');
      mkdirSync(folder);
      server = await serveFiles(folder);
      const { url } = server;
      await foreignChart(folder, url);
      const args = ['publish', 'out', '--to', 'repo', '--url', url, '-o', 'json'];

      const { stdout } = await scene.isthmus('helm4', ...args);
      const files = contentsOf(folder);
      const again = await scene.isthmus('helm3', ...args);

      const charts = chartsIn(stdout);
      const repeated = chartsIn(again.stdout);
      assert.equal(new Set(repeated.map(({ outcome }) => outcome)), new Set(['unchanged']));
      assert.equal(contentsOf(folder), files);
      for (const name of helms) {
        for (const chart of charts) await pulledIs(name, chart, url);
        await scene.helm(name, ['pull', 'foreign', '--repo', url, '--version', '1.2.3', '--destination', scene.folder]);
        const version = versionOf(charts, 'istio-remote-cluster2');
        const from = ['istio-remote-cluster2', '--repo', url, '--version', version];
        await scene.helmInstall(name, 'istio-remote', [...from, '--namespace', 'istio-system', '--create-namespace']);
        await scene.helm(name, ['uninstall', 'istio-remote', '--namespace', 'istio-system', ...inRemote]);
      }
    },
    long,
  );

  /** Another project's chart in the same repository, indexed by helm itself. */
  async function foreignChart(folder: string, url: string): Promise<void> {
    await scene.helm('helm4', ['create', 'foreign']);
    await scene.helm('helm4', ['package', 'foreign', '--version', '1.2.3', '--destination', folder]);
    await scene.helm('helm3', ['repo', 'index', folder, '--url', url]);
  }

  async function pulledIs(name: Helm, { name: chart, version, digest }: PublishedChart, url: string): Promise<void> {
    const folder = join(scene.folder, `static-${name}`);
    mkdirSync(folder, { recursive: true });
    await scene.helm(name, ['pull', chart, '--repo', url, '--version', version, '--destination', folder]);
    const bytes = readFileSync(join(folder, `${chart}-${version}.tgz`));
    assert.is(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, digest, chart);
  }
});

function contentsOf(folder: string): readonly (readonly [string, string])[] {
  return readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'base64')] as const);
}
