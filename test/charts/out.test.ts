// Every chart that render makes, under both helms, made from the repository's own charts and templates.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ilb, MeshPlan } from '../../src/plan/types.ts';
import { renderMesh } from '../../src/render/mesh.ts';
import { lintBoth, notesOf, objectOf, refusedByBoth, templateBoth } from '../helpers/helm.ts';
import { classicPlan, modernPlan } from '../helpers/plans.ts';
import { renderInput, repositoryCharts, writeArtifacts } from '../helpers/render.ts';
import { assert, describe } from '../helpers/suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'isthmus-out-'));
const text = 'with "quotes", two\nlines, {{ .Values.keep }} and {{ fail "no" }}';
const unusual = ' tab\t mark\u{feff} smile\u{1f600} \u{e9} ';
const hostile = {
  'example.com/unusual': unusual,
  no: 'no',
  '1e3': '1e3',
  y: 'y',
  'example.com/text': text,
  'example.com/empty': '',
};

function write(name: string, plan: MeshPlan): string[] {
  const artifacts = renderMesh(renderInput(plan, { charts: repositoryCharts() }));
  writeArtifacts(join(folder, name), artifacts);
  return artifacts
    .filter(({ path }) => path.endsWith('/Chart.yaml'))
    .map(({ path }) => join(folder, name, path.replace('/Chart.yaml', '')));
}

function withIlb(plan: MeshPlan, change: (ilb: Ilb) => Ilb): MeshPlan {
  return {
    ...plan,
    clusters: plan.clusters.map((cluster) => ({
      ...cluster,
      releases: cluster.releases.map((release) =>
        release.chart === 'istio-ilb' ? { ...release, services: release.services.map(change) } : release,
      ),
    })),
  };
}

describe('every chart of out/', ({ test, after }) => {
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, plan] of Object.entries({ classic: classicPlan(), modern: modernPlan(), pending: modernPlan([]) })) {
    test(
      `of the ${name} mesh passes lint and renders`,
      async () => {
        const charts = write(name, plan);

        assert.ok(charts.length > 6);
        for (const chart of charts) {
          await lintBoth(chart);
          await templateBoth(chart);
        }
      },
      { timeoutMs: 120_000 },
    );
  }

  test(
    'takes cluster names that YAML readers take for something else',
    async () => {
      const text = JSON.stringify(classicPlan())
        .replaceAll('cluster1', '1e3')
        .replaceAll('cluster2', 'no')
        .replaceAll('istio-system', '123');

      for (const chart of write('names', JSON.parse(text) as MeshPlan)) {
        const objects = await templateBoth(chart, { namespace: '123' });
        for (const { metadata } of objects) assert.type(metadata.name, 'string', chart);
      }
    },
    { timeoutMs: 120_000 },
  );

  test('istio-ilb makes one Service per load balancer, kept on uninstall', async () => {
    write('ilb', classicPlan());

    const services = await templateBoth(join(folder, 'ilb/clusters/cluster1/istio-ilb'));

    assert.equal(
      services.map(
        ({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name} ${metadata.annotations?.['helm.sh/resource-policy']}`,
      ),
      ['citadel', 'pilot', 'policy', 'statsd-prom-bridge']
        .map((name) => `Service istio-system/istio-${name}-ilb keep`)
        .concat('Service istio-system/zipkin-ilb keep'),
    );
  });

  test('istio-ilb lets helm remove the Services when it is told to', async () => {
    write('removal', modernPlan());

    const [service] = await templateBoth(join(folder, 'removal/clusters/cluster1/istio-ilb'), { values: { keep: false } });

    assert.equal(service?.metadata.annotations, {});
  });

  test('istio-ilb hands on annotations as they were written, and runs nothing in them', async () => {
    write(
      'hostile',
      withIlb(modernPlan(), (ilb) => ({ ...ilb, annotations: hostile })),
    );

    const [service] = await templateBoth(join(folder, 'hostile/clusters/cluster1/istio-ilb'));

    assert.equal(service?.metadata.annotations, { ...hostile, 'helm.sh/resource-policy': 'keep' });
  });

  test('istio-ilb says how to see the addresses, and that they stay', async () => {
    write('notes', modernPlan());

    const notes = await notesOf(join(folder, 'notes/clusters/cluster1/istio-ilb'));

    assert.match(notes, 'kubectl --namespace istio-system get services istiod-ilb');
    assert.match(notes, 'set keep=false');
  });

  test('istio-ilb refuses a manifest that is broken, and values it does not know', async () => {
    write('broken', modernPlan());
    const chart = join(folder, 'broken/clusters/cluster1/istio-ilb');

    assert.match(await refusedByBoth(chart, { values: { address: '10.0.0.5' } }), /address/);
    writeFileSync(join(chart, 'services', 'broken.yaml'), 'metadata: {annotations: {a: "\\u007f"}}');
    assert.match(await refusedByBoth(chart), 'services/broken.yaml holds text that helm cannot write');
    writeFileSync(join(chart, 'services', 'broken.yaml'), 'a: [');
    assert.match(await refusedByBoth(chart), 'services/broken.yaml is not valid YAML');
  });
});

describe('the charts of install.sh', ({ test, after }) => {
  const charts = mkdtempSync(join(tmpdir(), 'isthmus-helm-only-'));
  after(() => rmSync(charts, { recursive: true, force: true }));
  writeArtifacts(charts, renderMesh(renderInput(modernPlan())));
  const token = join(charts, 'clusters/cluster2/remote-token');
  const secret = join(charts, 'clusters/cluster1/remote-secret-cluster2');
  const namespaces = join(charts, 'clusters/cluster2/namespaces');
  const values = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'istio-remote-secret-cluster2',
      namespace: 'istio-system',
      labels: { 'istio/multiCluster': 'true' },
      annotations: {},
    },
    data: { cluster2: 'YQ==' },
  };

  test('namespaces carry what the plan says, and are kept', async () => {
    const objects = await templateBoth(namespaces);

    assert.equal(objectOf(objects, 'Namespace', 'istio-system').metadata, {
      name: 'istio-system',
      labels: { 'topology.istio.io/network': 'network1' },
      annotations: { 'topology.istio.io/controlPlaneClusters': 'cluster1', 'helm.sh/resource-policy': 'keep', 'isthmus/found': '' },
    });
  });

  test('namespaces lose it when the mesh is removed', async () => {
    const objects = await templateBoth(namespaces, { values: { mode: 'remove' } });

    assert.equal(objectOf(objects, 'Namespace', 'istio-system').metadata, {
      name: 'istio-system',
      labels: {},
      annotations: { 'helm.sh/resource-policy': 'keep' },
    });
  });

  test('remote-token prints nothing while there is no token', async () => {
    assert.equal(await templateBoth(token), []);
  });

  test('remote-token refuses a server that is no https URL', async () => {
    assert.match(await refusedByBoth(token, { values: { server: 'http://9.111.255.77:8001' } }), /server/);
  });

  test('remote-secret is the Secret it is given', async () => {
    assert.equal(await templateBoth(secret, { values }), [
      { apiVersion: 'v1', kind: 'Secret', metadata: values.metadata, data: values.data },
    ]);
  });

  test('remote-secret never takes the Secret away because none was given', async () => {
    assert.equal(await templateBoth(secret), []);
    assert.match(await refusedByBoth(secret, { args: ['--is-upgrade'] }), 'the values hold no Secret');
    assert.match(await refusedByBoth(secret, { values: { ...values, kind: 'ConfigMap' } }), /kind/);
  });
});
