// Istio itself: versions, what a primary lacks, and what a remote must not have.

import { planMesh } from '../../../src/plan/mesh.ts';
import { codesOf, findingsOf, istio, mesh, pair, planPair } from '../../helpers/builders.ts';
import { assert, describe } from '../../helpers/suite.ts';

type Revision = Parameters<typeof istio>[1];

function withRevision(revision: Revision, primary: Readonly<Record<string, unknown>> = {}) {
  return planPair({ one: { istio: istio('cluster1', revision) }, primary });
}

function withVersion(version: string, change: Parameters<typeof planPair>[0] = {}) {
  return planPair({ ...change, mesh: { istio: { version } } });
}

describe('versions', ({ test }) => {
  test('of istiod may be one minor apart with a warning, not two', () => {
    const severity = (found: string) => findingsOf(withRevision({ version: found }), 'ISM070').map((finding) => finding.severity);

    assert.equal(severity('1.30.0'), []);
    assert.equal(severity('1.29.4'), ['warning']);
    assert.equal(severity('1.31.0'), ['warning']);
    assert.equal(severity('1.28.9'), ['error']);
    assert.equal(severity('0.8.0'), ['error']);
  });

  test('of istiod that differ are told with both', () => {
    const [finding] = findingsOf(withRevision({ version: '1.28.2' }), 'ISM070');

    assert.is(finding?.message, 'istiod here is 1.28.2, mesh.yaml says 1.30.3.');
    assert.is(finding?.hint, 'Set `istio.version: 1.28.2`, or upgrade istiod.');
  });

  test('newer than isthmus was tried with are a warning', () => {
    const [finding] = findingsOf(withVersion('1.32.0', { one: { istio: istio('cluster1', { version: '1.32.0' }) } }), 'ISM070');

    assert.is(finding?.severity, 'warning');
    assert.is(finding?.message, 'Istio 1.32.0 is newer than isthmus was tried with (1.31).');
  });

  test('that isthmus does not know are refused, even when the schema was passed by', () => {
    const old = {
      ...mesh([{ name: 'cluster1' }, { name: 'cluster2' }]),
      istio: {
        version: '1.17.2',
        namespace: 'istio-system',
        revision: '',
        trustDomain: 'cluster.local',
        dataplane: 'sidecar' as const,
        install: false,
        adopt: false,
        values: {},
      },
    };

    const plan = planMesh({ mesh: old, inputs: pair() });

    assert.is(findingsOf(plan, 'ISM070')[0]?.message, 'Istio 1.17.2 is not supported; 0.8 and 1.24 or later are.');
  });

  test('of Kubernetes are compared with what that Istio supports', () => {
    const kubernetes = (value: string) => ({ kubernetes: { value, source: '' } });
    const found = (version: string, value: string) =>
      findingsOf(withVersion(version, { two: kubernetes(value) }), 'ISM071').filter(({ cluster }) => cluster === 'cluster2').length;

    assert.equal(
      [found('1.30.3', '1.31.9'), found('1.30.3', '1.32.0'), found('1.30.3', '1.36.1'), found('1.30.3', '1.37.0')],
      [1, 0, 0, 1],
    );
    assert.equal([found('0.8.0', '1.10.0'), found('0.8.0', 'v1.10.0+icp-ee'), found('0.8.0', '1.16.0')], [0, 0, 1]);
    assert.is(
      findingsOf(withVersion('1.30.3', { two: kubernetes('1.31.9') }), 'ISM071')[0]?.message,
      'Istio 1.30.3 supports Kubernetes 1.32 to 1.36; this cluster runs 1.31.9.',
    );
  });
});

describe('a primary', ({ test }) => {
  test('without EXTERNAL_ISTIOD gets the exact helm command', () => {
    const plan = withRevision({ env: { CLUSTER_ID: 'cluster1' } }, { context: 'icp-1' });

    const [finding] = findingsOf(plan, 'ISM072');
    assert.is(finding?.severity, 'error');
    assert.is(
      finding?.hint,
      'helm upgrade istiod istio/istiod -n istio-system --kube-context icp-1 --version 1.30.3 --reuse-values --set global.externalIstiod=true --set global.multiCluster.clusterName=cluster1 --set global.meshID=bookinfo --set global.network=network1',
    );
  });

  test('gets the words that fit who installed it', () => {
    const hint = (managedBy: string | undefined) => {
      const { managedBy: _, ...rest } = istio('cluster1', { env: { CLUSTER_ID: 'cluster1' } }).revisions[0] ?? {};
      const revision = { ...rest, ...(managedBy === undefined ? {} : { managedBy }) } as NonNullable<Revision>;
      const facts = istio('cluster1');
      return findingsOf(
        planPair({ one: { istio: { ...facts, revisions: [revision as (typeof facts.revisions)[number]] } }, primary: { context: "it's" } }),
        'ISM072',
      )[0]?.hint;
    };

    assert.match(hint('istioctl') ?? '', /^istioctl install --context 'it'\\''s' --set values\.global\.externalIstiod=true /);
    assert.match(hint('Sail operator, IstioRevision default') ?? '', /managed by: Sail operator, IstioRevision default\.$/);
    assert.is(
      hint(undefined),
      "kubectl --context 'it'\\''s' -n istio-system set env deployment/istiod EXTERNAL_ISTIOD=true CLUSTER_ID=cluster1",
    );
  });

  test('must call itself by the name in mesh.yaml', () => {
    const plan = withRevision({ env: { EXTERNAL_ISTIOD: 'true' } });

    assert.is(findingsOf(plan, 'ISM073')[0]?.message, 'Istio calls this cluster Kubernetes, mesh.yaml cluster1.');
  });

  test('must have the mesh ID, network and trust domain of mesh.yaml where it has any', () => {
    const differing = withRevision({ meshID: 'mesh1', network: 'net9', trustDomain: 'corp' }, { network: 'network1' });
    const unset = withRevision({ meshID: '', network: '' });

    assert.is(
      findingsOf(differing, 'ISM073')[0]?.message,
      'its mesh ID is mesh1, not bookinfo, its network is net9, not network1 and its trust domain is corp, not cluster.local.',
    );
    assert.equal(findingsOf(unset, 'ISM073'), []);
  });

  test('is not asked for any of that by Istio 0.8', () => {
    const plan = withVersion('0.8.0', {
      one: { istio: istio('x', { version: '0.8.0', env: {}, meshID: 'y' }), kubernetes: { value: '1.10.0', source: '' } },
    });

    assert.equal([findingsOf(plan, 'ISM072'), findingsOf(plan, 'ISM073')], [[], []]);
  });

  test('that serves no remote is not checked', () => {
    const alone = planMesh({ mesh: mesh([{ name: 'cluster1' }]), inputs: pair({ one: { istio: istio('x', { env: {} }) } }).slice(0, 1) });

    assert.equal(codesOf(alone), []);
  });
});

describe('the revision that serves the remotes', ({ test }) => {
  const revision = (name: string, overrides: Revision = {}) =>
    istio('cluster1', { name, selector: { app: 'istiod', 'istio.io/rev': name }, ...overrides }).revisions;

  function withRevisions(wanted: string, ...revisions: ReturnType<typeof revision>[]) {
    return planPair({
      one: { istio: { ...istio('cluster1'), revisions: revisions.flat() } },
      mesh: { istio: { version: '1.30.3', revision: wanted } },
    });
  }

  test('must exist; the others are listed', () => {
    const plan = withRevisions('', revision('blue'), revision('green'));

    assert.is(findingsOf(plan, 'ISM066')[0]?.message, 'istiod has no default revision here. Found: revision blue and revision green.');
  });

  test('must be ready', () => {
    const plan = withRevisions('blue', revision('blue', { readyPods: 0 }));

    assert.match(findingsOf(plan, 'ISM066')[0]?.message ?? '', 'istiod has no ready pod in revision blue.');
  });

  test('must be the only one that its selector matches', () => {
    const plan = withRevisions('', revision('', { selector: { app: 'istiod' } }), revision('green'));

    assert.is(
      findingsOf(plan, 'ISM066')[0]?.message,
      'The selector of the default revision matches 2 revisions: the default revision and revision green.',
    );
  });

  test('may stand beside others', () => {
    assert.equal(findingsOf(withRevisions('blue', revision('blue'), revision('green')), 'ISM066'), []);
  });
});

describe('a remote', ({ test }) => {
  test('needs a primary with istiod', () => {
    const { revisions: _, ...none } = istio('cluster1');

    const plan = planPair({ one: { istio: { ...none, revisions: [] } } });

    assert.is(findingsOf(plan, 'ISM076')[0]?.severity, 'error');
    assert.is(findingsOf(plan, 'ISM076')[0]?.message, 'No istiod was found in its primary, cluster1.');
  });

  test('needs a primary that is in mesh.yaml, and one that is clear', () => {
    const missing = planPair({ remote: { controlPlane: 'cluster9' } });
    const unclear = planMesh({
      mesh: mesh([{ name: 'cluster1' }, { name: 'cluster3', role: 'primary' }, { name: 'cluster2', role: 'remote' }]),
      inputs: pair(),
    });

    assert.is(findingsOf(missing, 'ISM076')[0]?.message, 'There is no primary cluster9 in mesh.yaml.');
    assert.is(findingsOf(unclear, 'ISM076')[0]?.message, 'It is not clear which primary serves it.');
    assert.equal(
      missing.clusters.map(({ releases }) => releases.map(({ name }) => name)),
      [['route-installer'], ['route-installer']],
    );
  });

  test('uses the primary that it names', () => {
    const entries = [
      { name: 'cluster1' },
      { name: 'cluster3', role: 'primary' },
      { name: 'cluster2', role: 'remote', controlPlane: 'cluster1' },
    ];

    const plan = planMesh({ mesh: mesh(entries), inputs: pair() });

    assert.equal(
      plan.clusters.map(({ controlPlane }) => controlPlane),
      [undefined, undefined, 'cluster1'],
    );
    assert.equal(findingsOf(plan, 'ISM076'), []);
  });

  test('must not run an Istio of someone else', () => {
    const plan = planPair({ two: { istio: istio('cluster2', { managedBy: 'istioctl' }) } });
    const own = planPair({ two: { istio: istio('cluster2', { managedBy: 'Helm release istio-remote' }) } });

    assert.is(findingsOf(plan, 'ISM075')[0]?.message, 'A control plane runs here: the default revision (istioctl).');
    assert.equal(findingsOf(own, 'ISM075'), []);
  });

  test('must have the root certificate of the others', () => {
    const root = (value: string) => ({ rootCertFingerprint: { value, source: '' } });
    const [one, two] = ['sha256:aaaaaaaaaaaaaaaaaaaaaaaa', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbb'];
    const remote = { namespace: 'istio-system', revisions: [], injectionWebhooks: [] };

    const differ = planPair({ one: { istio: { ...istio('cluster1'), ...root(one) } }, two: { istio: { ...remote, ...root(two) } } });
    const same = planPair({ one: { istio: { ...istio('cluster1'), ...root(one) } }, two: { istio: { ...remote, ...root(one) } } });

    assert.is(
      findingsOf(differ, 'ISM074')[0]?.message,
      'The root certificates differ: sha256:aaaaaaaaaaaaaaaa... in cluster1 and sha256:bbbbbbbbbbbbbbbb... in cluster2.',
    );
    assert.equal(findingsOf(same, 'ISM074'), []);
  });

  test('must have an API server that the primary can use', () => {
    const wrong: Readonly<Record<string, string>> = {
      'https://127.0.0.1:6443': 'The API server URL https://127.0.0.1:6443 leads each machine to itself.',
      'https://localhost:6443': 'The API server URL https://localhost:6443 leads each machine to itself.',
      'https://[::1]:6443': 'The API server URL https://[::1]:6443 leads each machine to itself.',
      'https://0.0.0.0:6443': 'The API server URL https://0.0.0.0:6443 leads each machine to itself.',
      'http://10.0.0.1:8080': 'The API server URL http://10.0.0.1:8080 does not use https.',
      'https://me:secret@10.0.0.1': 'The API server URL of 10.0.0.1 holds a user name or password.',
      'https://10.0.0.1/?token=x': 'The API server URL of 10.0.0.1 has a query.',
      nonsense: 'The API server URL is no URL.',
    };
    for (const [value, message] of Object.entries(wrong)) {
      assert.is(findingsOf(planPair({ two: { server: { value, source: '' } } }), 'ISM077')[0]?.message, message);
    }
    for (const value of ['https://10.0.0.1:6443', 'https://rancher.corp/k8s/clusters/c-1', 'https://[fd00::1]:6443']) {
      assert.equal(findingsOf(planPair({ two: { server: { value, source: '' } } }), 'ISM077'), []);
    }
  });

  test('may have an API server that only mesh.yaml gets right', () => {
    const plan = planPair({
      two: { server: { value: 'https://127.0.0.1:6443', source: '' } },
      remote: { apiServer: 'https://10.0.0.1:6443' },
    });

    assert.equal(findingsOf(plan, 'ISM077'), []);
  });
});
