// The package as users get it: packed, installed in an empty folder, run there, and used as a library.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, describe } from './helpers/suite.ts';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'isthmus-package-'));
const app = join(folder, 'app');

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', [...args, '--no-audit', '--no-fund', '--silent'], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function isthmus(...args: readonly string[]) {
  return spawnSync(join(app, 'node_modules/.bin/isthmus'), args, {
    cwd: app,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
  });
}

/** The library example of the README, as a program that a user would compile. */
function readmeExample(): string {
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? '';
  return `declare const text: string;\ndeclare const process: { cwd(): string };\n${example}\nexport const clusters: number = plan.clusters.length;\n// @ts-expect-error types are real, not any\nexport const wrong: number = plan.mesh;\n`;
}

describe('the package', ({ test, before, after }) => {
  before(() => {
    if (!existsSync(join(root, 'dist/cli.js'))) throw new Error('there is no dist/; run npm run build first');
    npm(['pack', '--ignore-scripts', '--pack-destination', folder], root);
    mkdirSync(app);
    writeFileSync(join(app, 'package.json'), '{"name":"app","version":"1.0.0","private":true,"type":"module"}');
    const packed = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
    npm(['install', '--prefer-offline', join(folder, packed)], app);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('holds what runs and is read, and nothing else', () => {
    assert.equal(readdirSync(join(app, 'node_modules/isthmus')).sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'charts',
      'dist',
      'docs',
      'package.json',
      'templates',
    ]);
  });

  test('brings one dependency', () => {
    assert.equal(
      readdirSync(join(app, 'node_modules'))
        .filter((name) => !name.startsWith('.'))
        .sort(),
      ['isthmus', 'zod'],
    );
  });

  test('carries the licences of what is bundled', () => {
    const text = readFileSync(join(app, 'node_modules/isthmus/dist/LICENSES.txt'), 'utf8');

    for (const name of ['@kubernetes/client-node', 'commander', 'execa', 'handlebars', 'yaml', 'zod'])
      assert.match(text, new RegExp(`^${name} [0-9.]+ \\(`, 'm'));
  });

  test('prints its version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

    const { stdout, stderr, status } = isthmus('--version');

    assert.equal({ stdout, stderr, status }, { stdout: `${version}\n`, stderr: '', status: 0 });
  });

  test('runs the demo', () => {
    const { stdout, stderr, status } = isthmus('demo');

    assert.is(stderr, '');
    assert.is(status, 0);
    for (const route of ['10.1.158.192/26 via 9.111.255.129', '10.1.198.128/26 via 9.111.255.21', '10.1.43.0/26 via 9.111.255.29'])
      assert.match(stdout, route);
    for (const route of ['20.1.47.128/26 via 9.111.255.77', '20.1.31.128/26 via 9.111.255.152', '20.1.35.192/26 via 9.111.255.155'])
      assert.match(stdout, route);
    assert.ok(existsSync(join(app, 'isthmus-demo/clusters/cluster2/istio-remote-classic/Chart.yaml')));
  });

  test('runs the demo again without a change, and with the Istio of today', () => {
    assert.is(isthmus('demo').status, 0);
    assert.is(isthmus('demo', '--istio', '1.30.3', '--out', 'modern').status, 0);
    assert.ok(existsSync(join(app, 'modern/clusters/cluster2/istio-remote/Chart.yaml')));
  });

  test('is a library with types, as the README shows it', () => {
    writeFileSync(join(app, 'example.ts'), readmeExample());
    const args = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,dom', '--types', '', 'example.ts'];

    const { stdout, status } = spawnSync(join(root, 'node_modules/.bin/tsc'), args, { cwd: app, encoding: 'utf8' });

    assert.is(stdout, '');
    assert.is(status, 0);
  });

  test('can be imported without side effects', () => {
    const { stdout, status } = spawnSync(
      'node',
      ['--input-type=module', '-e', "import('isthmus').then((library) => console.log(Object.keys(library).sort().join(' ')))"],
      { cwd: app, encoding: 'utf8' },
    );

    assert.is(status, 0);
    for (const name of ['install', 'inspectCluster', 'loadMesh', 'planMesh', 'renderMesh', 'uninstall']) assert.match(stdout, name);
  });
});
