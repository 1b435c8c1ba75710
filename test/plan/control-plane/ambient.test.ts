// Ambient: gateways between networks alone, what else Istio asks for it, and that it is told to be unproven.
import type { ClusterFacts } from '../../../src/facts/schema.ts';
import { planMesh } from '../../../src/plan/mesh.ts';
import type { MeshPlan } from '../../../src/plan/types.ts';
import { clusterOf, codesOf, findingsOf, istio, mesh, pair, planPair, releaseOf } from '../../helpers/builders.ts';
import { assert, describe } from '../../helpers/suite.ts';

type Revision = NonNullable<Parameters<typeof istio>[1]>;

interface Wanted {
  readonly istio?: Readonly<Record<string, unknown>>;
  readonly one?: Readonly<Record<string, unknown>>;
  readonly two?: Readonly<Record<string, unknown>>;
  /** Of the istiod in cluster1. */
  readonly revision?: Revision;
  /** Facts of cluster2. */
  readonly facts?: Partial<ClusterFacts>;
}

const env = { PILOT_ENABLE_AMBIENT: 'true', AMBIENT_ENABLE_MULTI_NETWORK: 'true' };
const gatewayAPI = { value: 'v1', source: '/apis/gateway.networking.k8s.io/v1' };

function factsOf(cluster: string, network: string, revision: Revision = {}): Partial<ClusterFacts> {
  return { istio: istio(cluster, { network, env: { ...env, CLUSTER_ID: cluster }, ...revision }), gatewayAPI };
}

/** Two primaries that are ready for ambient, each in a network of its own, but for what is wanted otherwise. */
function planned(wanted: Wanted = {}): MeshPlan {
  const clusters = [
    { name: 'cluster1', ...wanted.one },
    { name: 'cluster2', role: 'primary', ...wanted.two },
  ];
  const inputs = pair({
    one: factsOf('cluster1', 'network1', wanted.revision),
    two: { ...factsOf('cluster2', 'network2'), ...wanted.facts },
  });
  return planMesh({ mesh: mesh(clusters, { istio: { version: '1.30.3', dataplane: 'ambient', ...wanted.istio } }), inputs });
}

const messages = (plan: MeshPlan, code: string) => findingsOf(plan, code).map(({ cluster, message }) => `${cluster ?? 'mesh'}: ${message}`);

describe('ambient', ({ test }) => {
  test('joins two primaries by a gateway in each, and asks for nothing more', () => {
    const plan = planned({ two: { loadBalancer: { sourceRanges: ['10.0.0.0/8'] } } });

    assert.equal(
      plan.clusters.map(({ releases }) => releases.map(({ name }) => name)),
      [
        ['ambient-gateway', 'istio-reader'],
        ['ambient-gateway', 'istio-reader'],
      ],
    );
    assert.equal(releaseOf(plan, 'cluster2', 'ambient-gateway').values, {
      network: 'network2',
      revision: '',
      service: { annotations: {}, loadBalancerClass: '', loadBalancerIP: '', sourceRanges: ['10.0.0.0/8'] },
      replicas: 2,
    });
    assert.equal(codesOf(plan), ['ISM053', 'ISM063', 'ISM083']);
  });

  test('is told to be unproven, where clusters are joined', () => {
    const alone = planMesh({ mesh: mesh([{ name: 'cluster1' }], { istio: { version: '1.30.3', dataplane: 'ambient' } }), inputs: pair() });

    assert.equal(
      findingsOf(planned(), 'ISM083').map(({ severity }) => severity),
      ['warning'],
    );
    assert.equal(codesOf(alone).includes('ISM083'), false);
  });

  test('gives each cluster a network of its own, although routes could join them, and says why', () => {
    const unnamed = { network: '' };
    const inputs = pair({ one: factsOf('cluster1', '', unnamed), two: factsOf('cluster2', '', unnamed) });
    const clusters = [{ name: 'cluster1' }, { name: 'cluster2', role: 'primary' }];

    const plan = planMesh({ mesh: mesh(clusters, { istio: { version: '1.30.3', dataplane: 'ambient' } }), inputs });

    assert.equal(
      plan.clusters.map(({ network }) => network),
      ['network1', 'network-cluster2'],
    );
    assert.is(clusterOf(plan, 'cluster2').networkReason, 'not flat with cluster1: ambient goes through gateways alone');
    assert.equal(
      plan.links.map(({ by }) => by),
      ['gateways'],
    );
  });

  test('has its address where the platform says, and the Service of a gateway that is there', () => {
    const services = [
      { namespace: 'istio-system', name: 'istio-eastwestgateway', addresses: ['192.168.1.60'], hostnames: [], requested: [] },
    ];
    const plan = planned({
      one: { loadBalancer: { platform: 'metallb', addresses: { 'istio-eastwestgateway': '192.168.1.50' } } },
      facts: { services },
    });

    assert.equal(releaseOf(plan, 'cluster1', 'ambient-gateway').values.service.annotations, {
      'metallb.io/loadBalancerIPs': '192.168.1.50',
    });
    const { address, ports } = releaseOf(plan, 'cluster2', 'ambient-gateway').service;
    assert.equal(address, {
      state: 'found',
      addresses: ['192.168.1.60'],
      source: 'Service istio-system/istio-eastwestgateway',
    });
    assert.equal(
      ports.map(({ port }) => port),
      [15021, 15008],
    );
  });

  test('changes nothing of a mesh of sidecars', () => {
    const change = { mesh: { istio: { version: '1.30.3', dataplane: 'sidecar' } } };

    assert.equal(planPair(change), planPair());
  });
});

describe('what ambient cannot do', ({ test }) => {
  test('is serve a remote', () => {
    const plan = planned({ two: { role: 'remote' } });

    assert.equal(messages(plan, 'ISM080'), ['cluster2: It is a remote, and Istio documents ambient for primaries alone.']);
  });

  test('is join clusters in one network, whether mesh.yaml or istiod names it', () => {
    const written = planned({ one: { network: 'network1' }, two: { network: 'network1' } });
    const found = planned({ revision: { network: 'network2' } });

    const expected = 'mesh: cluster1 and cluster2 are in one network, and Istio documents ambient for different networks alone.';
    for (const plan of [written, found]) {
      assert.equal(messages(plan, 'ISM080'), [expected]);
      assert.is(plan.links[0]?.by, 'nothing');
      assert.equal(clusterOf(plan, 'cluster1').routes, []);
    }
  });

  test('is work with Istio before 1.27', () => {
    const refused = (version: string) => messages(planned({ istio: { version } }), 'ISM080').length;

    assert.equal([refused('1.26.8'), refused('1.27.0-rc.0'), refused('1.27.0'), refused('1.31.0')], [1, 0, 0, 0]);
  });

  test('is be installed by isthmus, which says the commands instead', () => {
    const [finding] = findingsOf(
      planned({ istio: { install: true, adopt: true }, one: { context: 'c 1' }, two: { install: false } }),
      'ISM080',
    );

    assert.is(finding?.cluster, 'cluster1');
    const lines = (finding?.hint ?? '').split('\n');
    assert.is(lines.length, 5);
    assert.is(
      lines[2],
      "helm install istiod istio/istiod -n istio-system --kube-context 'c 1' --version 1.30.3 --set profile=ambient --set env.AMBIENT_ENABLE_MULTI_NETWORK=true --set global.meshID=bookinfo --set global.multiCluster.clusterName=cluster1 --set global.network=network1",
    );
    assert.match(lines[4] ?? '', 'helm install ztunnel istio/ztunnel');
    assert.equal(findingsOf(planned({ istio: { install: true, adopt: true } }), 'ISM081'), []);
  });
});

describe('what ambient needs', ({ test }) => {
  test('is the Gateway API in each cluster that was read, with the command that installs it', () => {
    const { gatewayAPI: _, ...without } = factsOf('cluster2', 'network2');
    const inputs = pair({ one: factsOf('cluster1', 'network1'), two: without });
    const clusters = [{ name: 'cluster1' }, { name: 'cluster2', role: 'primary', context: 'two' }];

    const plan = planMesh({ mesh: mesh(clusters, { istio: { version: '1.30.3', dataplane: 'ambient' } }), inputs });

    const [finding, ...more] = findingsOf(plan, 'ISM082');
    assert.equal(more, []);
    assert.equal([finding?.cluster, finding?.severity], ['cluster2', 'error']);
    assert.match(finding?.hint ?? '', /^kubectl --context two apply --server-side -f https:\/\/.+\/v1\.4\.1\/standard-install\.yaml$/);
  });

  test('is not said to lack a Gateway API that could not be looked for', () => {
    const problem = {
      code: 'ISM006',
      where: '/apis/gateway.networking.k8s.io/v1',
      message: 'The user of the kubeconfig may not read this',
    };

    assert.equal(findingsOf(planned({ facts: { gatewayAPI: undefined, problems: [problem] } as Partial<ClusterFacts> }), 'ISM082'), []);
  });

  const managers: readonly (readonly [string, string])[] = [
    [
      'Helm release istiod',
      'helm upgrade istiod istio/istiod -n istio-system --version 1.30.3 --reuse-values --set global.externalIstiod=true --set global.multiCluster.clusterName=cluster1 --set global.meshID=bookinfo --set global.network=network1 --set profile=ambient --set env.AMBIENT_ENABLE_MULTI_NETWORK=true',
    ],
    [
      'istioctl',
      'istioctl install --set profile=ambient --set values.pilot.env.AMBIENT_ENABLE_MULTI_NETWORK=true --set values.global.externalIstiod=true --set values.global.multiCluster.clusterName=cluster1 --set values.global.meshID=bookinfo --set values.global.network=network1, with the options it was installed with',
    ],
  ];
  for (const [managedBy, command] of managers) {
    test(`is an istiod that joins networks, with the command for ${managedBy}`, () => {
      const own = { PILOT_ENABLE_AMBIENT: 'true', CLUSTER_ID: 'cluster1' };

      const [finding] = findingsOf(planned({ revision: { env: own, managedBy } }), 'ISM081');

      assert.is(finding?.message, 'istiod runs without AMBIENT_ENABLE_MULTI_NETWORK=true, so it makes no ambient gateway.');
      assert.is(finding?.hint, command);
    });
  }

  test('is asked of no istiod of a mesh of sidecars', () => {
    const plan = planned({ istio: { dataplane: 'sidecar' }, revision: { env: { CLUSTER_ID: 'cluster1' } } });

    assert.equal(
      codesOf(plan).filter((code) => code.startsWith('ISM08')),
      [],
    );
  });

  test('is one root of trust, as everywhere', () => {
    const root = (value: string) => ({ value, source: 'ConfigMap istio-ca-root-cert' });
    const facts = factsOf('cluster2', 'network2');

    const plan = planMesh({
      mesh: mesh([{ name: 'cluster1' }, { name: 'cluster2', role: 'primary' }], { istio: { version: '1.30.3', dataplane: 'ambient' } }),
      inputs: pair({
        one: { ...factsOf('cluster1', 'network1'), istio: { ...istio('cluster1'), rootCertFingerprint: root('aa') } },
        two: { ...facts, istio: { ...istio('cluster2', { network: 'network2' }), rootCertFingerprint: root('bb') } },
      }),
    });

    assert.is(findingsOf(plan, 'ISM074').length, 1);
  });
});
