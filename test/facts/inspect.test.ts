// The inspection as a whole, on recorded-like clusters: what it finds, what it does when it may not look, and that order never matters.
import fc from 'fast-check';
import { failure, IsthmusError } from '../../src/base/errors.ts';
import type { KubeObject } from '../../src/base/objects.ts';
import { formatFacts } from '../../src/facts/file.ts';
import { inspectCluster } from '../../src/facts/inspect.ts';
import { ClusterFacts } from '../../src/facts/schema.ts';
import { matchGolden } from '../helpers/golden.ts';
import { fixtureReader, inspectObjects, loadFixture } from '../helpers/reader.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

const fixtures = ['icp-cluster1', 'icp-cluster2', 'calico-primary', 'cilium', 'k3s', 'kindnet', 'eks', 'gke'];
const primary = loadFixture('calico-primary');
const options = { cluster: 'cluster1', istioNamespace: 'istio-system', now: new Date('2026-11-22T12:00:00Z') };

function codes(facts: ClusterFacts): string[] {
  return facts.problems.map(({ code, where }) => `${code} ${where ?? ''}`.trim());
}

describe('inspection', ({ test }) => {
  for (const name of fixtures) {
    test(`of ${name} finds what is there`, async () => {
      const facts = await inspectObjects(loadFixture(name));

      matchGolden(`facts/${name}.yaml`, formatFacts(facts));
      assert.equal(ClusterFacts.parse(facts), facts);
    });

    test(`of ${name} does not depend on the order of answers`, async () => {
      const objects = loadFixture(name);
      const expected = formatFacts(await inspectObjects(objects));

      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(objects, { minLength: objects.length }), async (shuffled) => {
          assert.is(formatFacts(await inspectObjects(shuffled)), expected);
        }),
        { seed: 7, numRuns: 15 },
      );
    });
  }

  test('of a readable cluster finds no problem', async () => {
    assert.equal((await inspectObjects(primary)).problems, []);
  });

  test('reads the blocks that the 2018 procedure found by hand', async () => {
    const facts = await inspectObjects(loadFixture('icp-cluster1'));

    const found = facts.nodes.map((node) => `${node.blocks[0]?.cidr} via ${node.addresses[0]?.value}`);
    assert.equal(found.sort(), ['10.1.158.192/26 via 9.111.255.129', '10.1.198.128/26 via 9.111.255.21', '10.1.43.0/26 via 9.111.255.29']);
  });

  test('never has more than eight requests under way, and uses that', async () => {
    const reader = fixtureReader(primary);

    await inspectCluster(reader, options);

    assert.ok(reader.mostAtOnce() <= 8, `${reader.mostAtOnce()} at once`);
    assert.ok(reader.mostAtOnce() >= 4, `only ${reader.mostAtOnce()} at once`);
  });

  test('asks for nothing twice', async () => {
    const reader = fixtureReader(loadFixture('kindnet'));

    await inspectCluster(reader, options);

    assert.equal([...new Set(reader.paths)].sort(), [...reader.paths].sort());
  });

  test('asks only groups that the server has', async () => {
    const reader = fixtureReader(loadFixture('kindnet'));

    await inspectCluster(reader, options);

    const groups = reader.paths.flatMap((path) => /^\/apis\/([^/]+)\//.exec(path)?.[1] ?? []);
    assert.equal([...new Set(groups)].sort(), ['apps']);
  });
});

describe('inspection of the Gateway API', ({ test }) => {
  const gateway: KubeObject = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { name: 'a', namespace: 'b' } };
  const route: KubeObject = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name: 'a', namespace: 'b' } };
  const older: KubeObject = { ...gateway, apiVersion: 'gateway.networking.k8s.io/v1beta1' };
  const found = async (...more: readonly KubeObject[]) => (await inspectObjects([...loadFixture('kindnet'), ...more])).gatewayAPI;

  test('says in which version Gateways are served, and nothing where they are not', async () => {
    assert.equal(await found(gateway), { value: 'v1', source: '/apis/gateway.networking.k8s.io/v1' });
    assert.is(await found(), undefined);
    assert.is(await found(route), undefined);
    assert.is(await found(older), undefined);
  });

  test("does not take Istio's Gateways for it", async () => {
    assert.is(await found({ ...gateway, apiVersion: 'networking.istio.io/v1' }), undefined);
  });
});

describe('inspection without permission', ({ test }) => {
  test('names the exact rule and goes on', async () => {
    const refuse = { '/apis/projectcalico.org/v3/ipamblocks': 403 };

    const facts = await inspectObjects(primary, { refuse });

    assert.equal(codes(facts), ['ISM006 /apis/projectcalico.org/v3/ipamblocks', 'ISM038 Pods']);
    assert.match(facts.problems[0]?.hint ?? '', '- apiGroups: ["projectcalico.org"]\n  resources: ["ipamblocks"]\n  verbs: ["list"]');
    assert.is(facts.nodes.length, 3);
    assert.is(facts.istio?.revisions.length, 1);
  });

  for (const path of fixtureReaderPaths()) {
    test(`survives a refusal of ${path}`, async () => {
      const facts = await inspectObjects(primary, { refuse: { [path]: 403 } });

      assert.ok(codes(facts).includes(`ISM006 ${path}`), codes(facts).join());
      assert.equal(ClusterFacts.parse(facts), facts);
    });
  }

  test('does not replace unreadable blocks by node.spec.podCIDRs', async () => {
    const objects = loadFixture('k3s').concat(loadFixture('icp-cluster1').filter(({ kind }) => kind === 'BlockAffinity'));

    const facts = await inspectObjects(objects, { refuse: { '/apis/crd.projectcalico.org/v1/blockaffinities': 403 } });

    assert.is(facts.cni?.value.name, 'calico');
    assert.equal(
      facts.nodes.flatMap((node) => node.blocks),
      [],
    );
  });

  test('does not take unreadable CiliumNodes for none', async () => {
    const facts = await inspectObjects(loadFixture('cilium'), { refuse: { '/apis/cilium.io/v2/ciliumnodes': 403 } });

    assert.is(facts.cni?.value.name, 'cilium');
    assert.is(facts.cni?.value.encapsulation, 'unknown');
  });

  test('leaves the identity unknown when kube-system may not be read', async () => {
    const facts = await inspectObjects(loadFixture('kindnet'), { refuse: { '/api/v1/namespaces/kube-system': 403 } });

    assert.is(facts.uid, undefined);
    assert.equal(codes(facts), ['ISM006 /api/v1/namespaces/kube-system']);
  });

  test('ends at once when the login is refused', async () => {
    const reader = fixtureReader(loadFixture('kindnet'), { refuse: { '/api/v1/namespaces/kube-system': 401 } });

    const error = await thrownBy(() => inspectCluster(reader, options));

    assert.instance(error, IsthmusError);
    assert.equal(reader.paths, ['/api/v1/namespaces/kube-system']);
  });

  test('ends when the login is refused half-way', async () => {
    const error = await thrownBy(() => inspectObjects(loadFixture('kindnet'), { refuse: { '/api/v1/nodes': 401 } }));

    assert.instance(error, IsthmusError);
  });
});

describe('inspection of malformed answers', ({ test }) => {
  const garbage: readonly unknown[] = [
    null,
    {},
    [],
    'text',
    7,
    { kind: 'Status', status: 'Failure' },
    { items: null },
    { kind: 'ConfigMap', data: { x: 1 } },
  ];

  test('does not take a list that is none for an empty one', async () => {
    const facts = await inspectObjects(loadFixture('kindnet'), { answer: { '/api/v1/nodes': { kind: 'NodeList', items: null } } });

    assert.equal(codes(facts), ['ISM008 /api/v1/nodes']);
    assert.equal(facts.nodes, []);
    assert.is(facts.cni, undefined);
    assert.is(facts.platform, undefined);
  });

  test('leaves out objects that make no sense, by name', async () => {
    const bad = [{ metadata: { name: 'odd' }, status: { addresses: 'none' } }, { kind: 'Node' }, null];

    const facts = await inspectObjects(loadFixture('kindnet'), {
      answer: { '/api/v1/nodes': [...loadFixture('kindnet').filter(({ kind }) => kind === 'Node'), ...bad] },
    });

    assert.is(facts.nodes.length, 2);
    assert.is(facts.problems[0]?.code, 'ISM008');
    assert.match(facts.problems[0]?.message ?? '', /^Objects that make no sense were left out: an object without metadata \(.*, odd \(/);
  });

  test('says so when there is no Kubernetes behind the URL', async () => {
    for (const answer of [{ kind: 'Status' }, '<html>Log in</html>', null, undefined]) {
      const error = await thrownBy(() => inspectObjects(loadFixture('kindnet'), { answer: { '/api/v1/namespaces/kube-system': answer } }));

      assert.instance(error, IsthmusError);
      assert.match((error as IsthmusError).message, 'does not answer like a Kubernetes API server');
    }
  });

  test('ends in problems or an error for people, whatever a path answers', async () => {
    const paths = fixtureReaderPaths();
    const anything = fc.oneof(
      fc.constantFrom(...garbage),
      fc.jsonValue(),
      fc.array(fc.record({ metadata: fc.jsonValue(), spec: fc.jsonValue(), status: fc.jsonValue() })),
    );

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), anything, async (path, answer) => {
        const facts = await inspectObjects(primary, { answer: { [path]: answer } });
        assert.equal(ClusterFacts.parse(facts), facts);
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  test('lets a bug through as what it is', async () => {
    const reader = { ...fixtureReader(loadFixture('kindnet')), collect: async () => Promise.reject(new TypeError('a bug')) };

    assert.instance(await thrownBy(() => inspectCluster(reader, options)), TypeError);
  });

  test('reports an outage in the middle instead of emptiness', async () => {
    const fixture = fixtureReader(loadFixture('kindnet'));
    const reader = { ...fixture, table: async () => Promise.reject(failure('cluster1: connection reset')) };

    const facts = await inspectCluster(reader, options);

    assert.equal(codes(facts), ['ISM008 /api/v1/pods']);
  });
});

/** Paths that an inspection of the richest fixture reads, but the one that decides whether there is a cluster. */
function fixtureReaderPaths(): string[] {
  return [
    '/apis',
    '/version',
    '/api/v1/nodes',
    '/api/v1/pods',
    '/api/v1/services',
    '/api/v1/namespaces/istio-system',
    '/api/v1/namespaces/istio-system/services',
    '/api/v1/namespaces/istio-system/configmaps/istio',
    '/api/v1/namespaces/istio-system/configmaps/istio-sidecar-injector',
    '/api/v1/namespaces/istio-system/configmaps/istio-ca-root-cert',
    '/apis/apps/v1/daemonsets',
    '/apis/apps/v1/namespaces/istio-system/deployments',
    '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    '/apis/networking.k8s.io/v1/servicecidrs',
    '/apis/projectcalico.org/v3',
    '/apis/projectcalico.org/v3/blockaffinities',
    '/apis/projectcalico.org/v3/ipamblocks',
    '/apis/projectcalico.org/v3/ippools',
    '/apis/projectcalico.org/v3/felixconfigurations/default',
  ];
}
