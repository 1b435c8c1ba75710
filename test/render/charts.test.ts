import fc from 'fast-check';
import { parseYaml } from '../../src/base/yaml.ts';
import { type ChartRequest, chartFolder, digestOf } from '../../src/render/charts.ts';
import { smallCharts } from '../helpers/render.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const request: ChartRequest = {
  release: 'istio-remote',
  cluster: 'cluster2',
  mesh: 'bookinfo',
  istioVersion: '1.30.3',
  version: '0.1.0',
  source: smallCharts()['istio-remote'] ?? [],
  files: [{ path: 'values.yaml', contents: 'clusterName: cluster2\n' }],
};

function contentsOf(path: string, changes: Partial<ChartRequest> = {}): string {
  const found = chartFolder({ ...request, ...changes }).artifacts.find(
    (artifact) => artifact.path === `clusters/cluster2/istio-remote/${path}`,
  );
  return found?.contents ?? '';
}

function chartYaml(changes: Partial<ChartRequest> = {}): Record<string, unknown> {
  return parseYaml(contentsOf('Chart.yaml', changes), 'Chart.yaml').value as Record<string, unknown>;
}

describe('a chart folder', ({ test }) => {
  test('holds the files of the chart as they are, but for what is not installed', () => {
    const paths = chartFolder(request).artifacts.map(({ path }) => path.replace('clusters/cluster2/istio-remote/', ''));

    assert.equal(paths, ['.helmignore', 'Chart.yaml', 'templates/configmap.yaml', 'values.yaml']);
    assert.is(contentsOf('templates/configmap.yaml'), request.source.find(({ path }) => path === 'templates/configmap.yaml')?.contents);
  });

  test('has the values of this cluster', () => {
    assert.is(contentsOf('values.yaml'), 'clusterName: cluster2\n');
  });

  test('names cluster and mesh in Chart.yaml and keeps what the chart says there', () => {
    const chart = chartYaml();

    assert.is(chart['name'], 'istio-remote-cluster2');
    assert.is(chart['appVersion'], '1.30.3');
    assert.is(chart['kubeVersion'], '>= 1.24.0-0');
    assert.is(chart['description'], 'istio-remote for cluster cluster2 of mesh bookinfo');
    assert.equal(chart['annotations'], {
      'artifacthub.io/license': 'Apache-2.0',
      'org.opencontainers.image.created': '1980-01-01T00:00:00Z',
      'isthmus/mesh': 'bookinfo',
      'isthmus/cluster': 'cluster2',
      'isthmus/release': 'istio-remote',
    });
  });

  test('has the same version when it is made from itself, as by an install that reads out/ again', () => {
    const images = [{ name: 'discovery', image: 'registry.istio.io/release/pilot:1.30.3' }];
    const first = chartFolder({ ...request, images });
    const source = first.artifacts.map(({ path, contents }) => ({ path: path.replace(`${first.folder}/`, ''), contents }));

    assert.is(chartFolder({ ...request, images, source }).version, first.version);
  });

  test('tells Artifact Hub its own images and whether it is a prerelease, and none of the changes of the chart it is made from', () => {
    const source = request.source.map((file) =>
      file.path === 'Chart.yaml'
        ? {
            ...file,
            contents: 'apiVersion: v2\nannotations: {artifacthub.io/changes: "- kind: added", artifacthub.io/images: "[]", keep: me}\n',
          }
        : file,
    );

    const [release, prerelease] = ['0.2.0', '0.2.0-rc.1'].map(
      (version) => chartYaml({ source, version, images: [{ name: 'agent', image: 'mirror.corp/proxyv2:1' }] })['annotations'],
    ) as Record<string, string>[];

    assert.is(release?.['artifacthub.io/images'], '- name: agent\n  image: mirror.corp/proxyv2:1\n');
    assert.is(release?.['artifacthub.io/changes'], undefined);
    assert.is(release?.['keep'], 'me');
    assert.is(release?.['artifacthub.io/prerelease'], undefined);
    assert.is(prerelease?.['artifacthub.io/prerelease'], 'true');
  });

  test('carries the digest of its files in its version', () => {
    const folder = chartFolder(request);

    assert.match(folder.digest, /^[0-9a-f]{64}$/);
    assert.is(folder.version, `0.1.0+${folder.digest.slice(0, 12)}`);
    assert.is(chartYaml()['version'], folder.version);
  });

  test('puts the digest behind build metadata that is there already', () => {
    assert.match(chartFolder({ ...request, version: '0.1.0+dev' }).version, /^0\.1\.0\+dev\.[0-9a-f]{12}$/);
  });

  test('has another version when anything in it differs, and the same otherwise', () => {
    const changed = [
      { files: [{ path: 'values.yaml', contents: 'clusterName: cluster2 \n' }] },
      { version: '0.1.1' },
      { istioVersion: '1.30.4' },
      { mesh: 'other' },
      { source: request.source.map((file) => (file.path === '.helmignore' ? { ...file, path: '.helmignores' } : file)) },
    ].map((changes) => chartFolder({ ...request, ...changes }).digest);

    assert.is(new Set([...changed, chartFolder(request).digest]).size, changed.length + 1);
    assert.equal(chartFolder({ ...request, source: [...request.source].reverse() }), chartFolder(request));
  });

  test('needs a Chart.yaml', async () => {
    const error = (await thrownBy(() => chartFolder({ ...request, source: [] }))) as { where?: string };

    assert.is(error.where, 'istio-remote/Chart.yaml');
  });
});

describe('the digest of files', ({ test }) => {
  test('does not depend on their order', () => {
    const files = fc.uniqueArray(fc.tuple(fc.string(), fc.string()), { selector: ([path]) => path, minLength: 1 });

    fc.assert(
      fc.property(files, (entries) => digestOf(new Map(entries)) === digestOf(new Map(entries.toReversed()))),
      { seed: 20181 },
    );
  });

  test('tells where one file ends and the next begins', () => {
    assert.is.not(digestOf(new Map([['a', 'bc']])), digestOf(new Map([['ab', 'c']])));
    assert.is.not(
      digestOf(
        new Map([
          ['a', 'x'],
          ['b', 'y'],
        ]),
      ),
      digestOf(new Map([['a', 'x1 1\nby']])),
    );
  });
});
