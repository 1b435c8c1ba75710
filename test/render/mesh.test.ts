import { createHash } from 'node:crypto';
import { parseYaml } from '../../src/base/yaml.ts';
import type { ClusterPlan, MeshPlan } from '../../src/plan/types.ts';
import { renderMesh } from '../../src/render/mesh.ts';
import { matchGoldenTree } from '../helpers/golden.ts';
import { classicPlan, loadedFor, modernPlan } from '../helpers/plans.ts';
import { renderedFiles, renderInput, repositoryTemplates, smallCharts } from '../helpers/render.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const modernFiles = renderedFiles(modernPlan());

function chartPaths(files: ReadonlyMap<string, string>): string[] {
  return [...files.keys()]
    .filter((path) => path.endsWith('/Chart.yaml'))
    .map((path) => path.slice('clusters/'.length, -'/Chart.yaml'.length));
}

function changeClusters(plan: MeshPlan, change: (cluster: ClusterPlan) => ClusterPlan): MeshPlan {
  return { ...plan, clusters: plan.clusters.map(change) };
}

describe('out/', ({ test }) => {
  test('of the clusters of 2018 is the golden tree', () => {
    matchGoldenTree('out/classic', renderedFiles(classicPlan()));
  });

  test('of the same clusters with Istio of today is the golden tree', () => {
    matchGoldenTree('out/modern', modernFiles);
  });

  test('of a mesh that waits for an address is the golden tree', () => {
    matchGoldenTree('out/pending', renderedFiles(modernPlan([])));
  });

  test('is sorted by path and names no file twice', () => {
    const paths = renderMesh(renderInput(modernPlan())).map(({ path }) => path);

    assert.equal(paths, [...new Set(paths)].sort());
  });

  test('does not change by a byte when its input comes in another order', () => {
    const plan = modernPlan();
    const { facts, charts, templates } = renderInput(plan);

    const files = renderedFiles(
      { ...plan, clusters: plan.clusters.toReversed() },
      {
        facts: facts.toReversed(),
        charts: Object.fromEntries(Object.entries(charts).map(([name, source]) => [name, source.toReversed()])),
        templates: Object.fromEntries(Object.entries(templates).toReversed()),
      },
    );

    assert.equal([...files.keys()], [...modernFiles.keys()]);
    assert.equal(
      [...files.keys()].filter((path) => files.get(path) !== modernFiles.get(path)),
      [],
    );
  });

  test('has no chart of a release that waits, and charts of all others', () => {
    const ready = ['cluster1/istio-ilb', 'cluster1/route-installer', 'cluster2/route-installer'];
    const releases = (files: ReadonlyMap<string, string>) =>
      chartPaths(files).filter((path) => !/namespaces|remote-(?:token|secret)/.test(path));

    assert.equal(releases(renderedFiles(modernPlan([]))), ready);
    assert.equal(releases(modernFiles), [...ready.slice(0, 2), 'cluster2/istio-remote', ...ready.slice(2)]);
  });

  test('holds mesh.yaml and the facts as they were given', () => {
    assert.is(modernFiles.get('mesh.yaml'), '# mesh.yaml as its author wrote it\nmetadata: {name: bookinfo}\n');
    assert.is(modernFiles.get('facts/cluster2.yaml'), '# facts of cluster2, as they were saved\n');
  });

  test('holds the plan so that it reads back as it was', () => {
    const plan = parseYaml(modernFiles.get('plan.yaml') ?? '', 'plan.yaml').value;

    assert.equal(plan, JSON.parse(JSON.stringify(modernPlan())));
  });

  test('has checksums of all its other files, as sha256sum reads them', () => {
    const lines = (modernFiles.get('checksums.txt') ?? '').trimEnd().split('\n');
    const expected = [...modernFiles]
      .filter(([path]) => path !== 'checksums.txt')
      .map(([path, contents]) => `${createHash('sha256').update(contents).digest('hex')}  ${path}`);

    assert.equal(lines, expected);
  });

  test('tells of the Secret cacerts, which helm alone does not make, and holds nothing of a key', () => {
    const { clusters, ...rest } = modernPlan();
    const plan = { ...rest, clusters: clusters.map((cluster, index) => (index === 0 ? { ...cluster, root: 'AA:BB' } : cluster)) };
    const { mesh, text } = loadedFor(plan);

    const files = renderedFiles(plan, { loaded: { mesh: { ...mesh, istio: { ...mesh.istio, ca: '../ca' } }, text } });

    assert.match(files.get('README.md') ?? '', '- Secret `cacerts` from `../ca/cluster1`, root SHA-256 `AA:BB`');
    assert.match(
      files.get('README.md') ?? '',
      'kubectl create secret generic cacerts --context icp-1 --namespace istio-system --from-file=../ca/cluster1',
    );
    assert.match(files.get('install.sh') ?? '', 'cluster1: istiod needs Secret istio-system/cacerts before it starts');
    assert.not([...files.keys()].some((path) => path.includes('ca-key') || path.includes('root-key')));
  });

  test('has one executable file', () => {
    const executable = renderMesh(renderInput(modernPlan())).filter((artifact) => artifact.executable === true);

    assert.equal(
      executable.map(({ path }) => path),
      ['install.sh'],
    );
  });

  test('takes a template of the user in place of its own', () => {
    const templates = { ...repositoryTemplates(), 'README.md.hbs': 'Ours: {{mesh}} with Istio {{istioVersion}}\n' };

    const files = renderedFiles(modernPlan(), { templates });

    assert.is(files.get('README.md'), 'Ours: bookinfo with Istio 1.30.3\n');
    assert.is(files.get('install.sh'), modernFiles.get('install.sh'));
  });

  test('tells of a chart that is missing', async () => {
    const { 'route-installer': _, ...charts } = smallCharts();

    const error = (await thrownBy(() => renderedFiles(modernPlan(), { charts }))) as { where?: string };

    assert.is(error.where, 'charts/route-installer');
  });
});

describe('README.md of out/', ({ test }) => {
  test('lists the commands by hand in the order of installation', () => {
    const readme = modernFiles.get('README.md') ?? '';
    const releases = [...readme.matchAll(/^ *helm upgrade --install (\S+) (\S+)/gm)].map((match) => match[2]);

    assert.equal(releases, [
      'clusters/cluster1/namespaces',
      'clusters/cluster2/namespaces',
      'clusters/cluster1/istio-ilb',
      'clusters/cluster1/route-installer',
      'clusters/cluster2/route-installer',
      'clusters/cluster2/istio-remote',
      'clusters/cluster1/remote-secret-cluster2',
    ]);
  });

  test('names only folders that are there', () => {
    for (const plan of [classicPlan(), modernPlan(), modernPlan([])]) {
      const files = renderedFiles(plan);
      const named = [...(files.get('README.md') ?? '').matchAll(/clusters\/[a-z0-9/-]+/g)].map(([folder]) => folder);
      assert.ok(named.length > 0);
      for (const folder of named) assert.ok(files.has(`${folder}/Chart.yaml`), folder);
    }
  });

  test('says what waits and for what', () => {
    assert.match(
      renderedFiles(modernPlan([])).get('README.md') ?? '',
      '`istio-remote` in cluster2 waits for address of istiod-ilb in cluster1',
    );
    assert.not.match(modernFiles.get('README.md') ?? '', 'What waits');
  });

  test('asks for the API server where the plan does not know it', () => {
    const plan = changeClusters(modernPlan(), (cluster) => ({
      ...cluster,
      remoteSecrets: cluster.remoteSecrets.map(({ server: _, ...secret }) => secret),
    }));

    assert.match(renderedFiles(plan).get('README.md') ?? '', '--set server=https://API-SERVER-OF-cluster2:6443');
  });
});
