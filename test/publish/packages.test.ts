// Chart packages: the same bytes for the same charts, and never a version that says something else than what is in it.
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readTgz } from '../../src/archive/tgz.ts';
import type { IsthmusError } from '../../src/base/errors.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { packGeneric } from '../../src/publish/packages.ts';
import { createFiles } from '../../src/system/files.ts';
import { repositoryCharts } from '../helpers/render.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { generatedFolder, packagesOf } from './chart-folders.ts';

const root = join(import.meta.dirname, '..', '..');
const remote = 'clusters/cluster2/istio-remote';

describe('packages of out/', ({ test, before, after }) => {
  let out = '';

  before(() => {
    out = generatedFolder();
  });
  after(() => rmSync(dirname(out), { recursive: true }));

  test('hold every generated chart, under the versions that releases.yaml tells', async () => {
    const packages = await packagesOf(out);

    assert.equal([...packages.keys()].sort(), [
      'istio-ilb-cluster1',
      'istio-remote-cluster2',
      'namespaces-cluster1',
      'namespaces-cluster2',
      'remote-secret-cluster2-cluster1',
      'remote-token-cluster2',
      'route-installer-cluster1',
      'route-installer-cluster2',
    ]);
    const { releases } = parseYaml(readFileSync(join(out, 'releases.yaml'), 'utf8'), 'releases.yaml').value as {
      releases: { name: string; cluster: string; version: string }[];
    };
    for (const { name, cluster, version } of releases) assert.is(packages.get(`${name}-${cluster}`)?.metadata.version, version);
    assert.not.ok([...packages.values()].some(({ edited }) => edited));
  });

  test('say what a registry shows: what they are, their licence and category, and a time that it keeps', async () => {
    const real = generatedFolder({ charts: repositoryCharts() });
    for (const { metadata } of (await packagesOf(real)).values()) {
      assert.ok(metadata.description, metadata.name);
      for (const key of ['artifacthub.io/license', 'artifacthub.io/category', 'org.opencontainers.image.created'])
        assert.ok(metadata.annotations?.[key], `${metadata.name} has no ${key}`);
    }
    rmSync(dirname(real), { recursive: true });
  });

  test('hold the files of the chart below its name, and no dotfile', async () => {
    const chart = (await packagesOf(out)).get('istio-remote-cluster2');

    const entries = await readTgz(chart?.bytes ?? new Uint8Array());

    assert.equal(
      entries.map(({ path }) => path),
      ['Chart.yaml', 'README.md', 'templates/configmap.yaml', 'values.yaml'].map((path) => `istio-remote-cluster2/${path}`),
    );
    for (const { path, contents } of entries)
      assert.is(Buffer.from(contents).toString(), readFileSync(join(out, remote, path.replace('istio-remote-cluster2/', '')), 'utf8'));
  });

  test('are the same bytes from another folder, whatever the times of the files', async () => {
    const copy = join(dirname(out), 'copy');
    cpSync(out, copy, { recursive: true });
    utimesSync(join(copy, remote, 'values.yaml'), 1, 1);

    const [first, second] = [await packagesOf(out), await packagesOf(copy)];

    assert.equal(
      [...second].map(([name, { digest }]) => [name, digest]),
      [...first].map(([name, { digest }]) => [name, digest]),
    );
  });

  test('have another version once a file was edited, and the same again for the same edit', async () => {
    const copies = ['edited', 'edited-again'].map((name) => join(dirname(out), name));
    for (const copy of copies) {
      cpSync(out, copy, { recursive: true });
      appendFileSync(join(copy, remote, 'values.yaml'), '# by hand\n');
    }

    const [first, second] = [await packagesOf(copies[0] ?? ''), await packagesOf(copies[1] ?? '')].map((each) =>
      each.get('istio-remote-cluster2'),
    );

    assert.ok(first?.edited);
    assert.match(first?.metadata.version ?? '', /^0\.1\.0\+[0-9a-f]{12}$/);
    assert.is.not(first?.metadata.version, (await packagesOf(out)).get('istio-remote-cluster2')?.metadata.version);
    assert.is(first?.digest, second?.digest);
    const chartYaml = (await readTgz(first?.bytes ?? new Uint8Array())).find(({ path }) => path.endsWith('/Chart.yaml'));
    assert.match(Buffer.from(chartYaml?.contents ?? []).toString(), `version: ${first?.metadata.version}\n`);
  });

  const broken: readonly (readonly [string, (chart: string) => void, string, RegExp])[] = [
    [
      'a file that generate did not write',
      (chart) => writeFileSync(join(chart, 'templates', 'more.yaml'), ''),
      'templates/more.yaml',
      /was not written by isthmus generate/,
    ],
    ['no values.yaml', (chart) => rmSync(join(chart, 'values.yaml')), 'values.yaml', /is missing/],
    ['a version that is none', (chart) => appendFileSync(join(chart, 'Chart.yaml'), 'type: 5\n'), 'Chart.yaml', /type: /],
    [
      'a private key',
      (chart) => appendFileSync(join(chart, 'values.yaml'), '# -----BEGIN RSA PRIVATE KEY-----\n'),
      'values.yaml',
      /private key/,
    ],
  ];
  for (const [title, breakIt, file, reason] of broken) {
    test(`are not made of a chart with ${title}`, async () => {
      const copy = join(dirname(out), title.replaceAll(' ', '-'));
      cpSync(out, copy, { recursive: true });
      mkdirSync(join(copy, remote, 'templates'), { recursive: true });
      breakIt(join(copy, remote));

      const error = (await thrownBy(() => packagesOf(copy))) as IsthmusError;

      assert.match(error.message, reason);
      assert.match(error.where ?? '', join(copy, remote, file));
    });
  }
});

describe('the chart of a remote secret', ({ test }) => {
  test('is not published with values of its own', async () => {
    const out = generatedFolder();
    appendFileSync(join(out, 'clusters/cluster1/remote-secret-cluster2/values.yaml'), 'data: {cluster2: YXBpVmVyc2lvbjogdjE=}\n');

    const error = (await thrownBy(() => packagesOf(out))) as IsthmusError;

    assert.match(error.message, 'its values are the Secret itself');
    rmSync(dirname(out), { recursive: true });
  });
});

describe('packages of the hand-written charts', ({ test }) => {
  test('leave out what only tests need', async () => {
    const packages = await packGeneric(createFiles(), join(root, 'charts'));

    assert.equal(packages.map(({ file }) => file).sort(), [
      'ambient-gateway-0.1.0.tgz',
      'eastwest-gateway-0.1.0.tgz',
      'istio-reader-0.1.0.tgz',
      'istio-remote-0.1.0.tgz',
      'istio-remote-classic-0.1.0.tgz',
      'route-installer-0.1.0.tgz',
    ]);
    for (const { bytes } of packages) {
      const paths = (await readTgz(bytes)).map(({ path }) => path);
      assert.not.ok(
        paths.some((path) => /\/(?:ci\/|\.)/.test(path)),
        paths.join(),
      );
      assert.ok(paths.some((path) => path.endsWith('/README.md')) && paths.some((path) => path.endsWith('/values.schema.json')));
    }
  });

  test('have the version of isthmus, so that a release of it publishes one set of charts, and a time that a registry keeps', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

    for (const { metadata } of await packGeneric(createFiles(), join(root, 'charts'))) {
      assert.is(metadata.version, version);
      assert.match(metadata.annotations?.['org.opencontainers.image.created'] ?? '', /^\d{4}-\d\d-\d\dT00:00:00Z$/);
    }
  });
});
