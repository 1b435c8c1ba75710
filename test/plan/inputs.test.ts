// What is wrong with the inputs of a plan: the same cluster twice, swapped, old, contradicting or unknown facts.
import { planMesh } from '../../src/plan/mesh.ts';
import type { ClusterInput } from '../../src/plan/types.ts';
import { codesOf, facts, findingsOf, mesh, node, pair, planFlat, planPair, releaseOf, routeTexts, textFacts } from '../helpers/builders.ts';
import { assert, describe } from '../helpers/suite.ts';

const entries = [{ name: 'cluster1' }, { name: 'cluster2' }];
const subnets = ['192.168.1.0/24'];

/** `pair` with something declared about cluster2. */
function withDeclared(declared: Parameters<typeof textFacts>[1]) {
  const inputs = pair().map(
    (input): ClusterInput => (input.name === 'cluster2' ? { ...input, declared: textFacts('cluster2', declared) } : input),
  );
  return planMesh({ mesh: mesh(entries), inputs });
}

describe('one cluster under two names', ({ test }) => {
  test('is seen by the UID of kube-system', () => {
    const plan = planPair({ two: { uid: { value: 'uid-of-cluster1', source: '' } } });

    assert.is(
      findingsOf(plan, 'ISM001')[0]?.message,
      'cluster1 and cluster2 are the same cluster: both have the UID uid-of-cluster1 of namespace kube-system.',
    );
    assert.is(findingsOf(plan, 'ISM001')[0]?.severity, 'error');
  });

  test('is seen by the context where a UID is unknown', () => {
    const inputs = [{ name: 'cluster1', declared: textFacts('cluster1') }];

    const plan = planMesh({ mesh: mesh(entries.map((entry) => ({ ...entry, context: 'icp' }))), inputs });

    assert.is(findingsOf(plan, 'ISM001')[0]?.message, 'cluster1 and cluster2 are the same cluster: both have the context icp.');
  });

  test('is seen by the API server', () => {
    const server = { value: 'https://api:6443', source: '' };
    const inputs = entries.map(({ name }) => ({ name, declared: textFacts(name, { server }) }));

    assert.is(findingsOf(planMesh({ mesh: mesh(entries), inputs }), 'ISM001').length, 1);
  });

  test('is not suspected where UIDs differ', () => {
    const server = { value: 'https://127.0.0.1:6443', source: '' };

    assert.equal(findingsOf(planPair({ one: { server }, two: { server } }), 'ISM001'), []);
  });
});

describe('facts', ({ test }) => {
  test('of another cluster are refused', () => {
    const [one, two] = pair();
    const swapped = [
      { name: 'cluster1', ...(two?.found === undefined ? {} : { found: two.found }) },
      { name: 'cluster2', ...(one?.found === undefined ? {} : { found: one.found }) },
    ];

    const plan = planMesh({ mesh: mesh(entries), inputs: swapped });

    assert.equal(
      findingsOf(plan, 'ISM002').map(({ severity, cluster, message }) => [severity, cluster, message]),
      [
        ['error', 'cluster1', 'Its facts were read from cluster2.'],
        ['error', 'cluster2', 'Its facts were read from cluster1.'],
      ],
    );
  });

  test('are judged by age when the time is known', () => {
    const planAt = (now: string) => codesOf(planMesh({ mesh: mesh(entries), inputs: pair(), now: new Date(now) }));

    assert.equal(planAt('2026-08-01T10:15:00Z'), ['ISM063']);
    assert.equal(planAt('2026-08-01T10:15:01Z'), ['ISM003', 'ISM063']);
    assert.equal(planAt('2026-08-01T09:55:00Z'), ['ISM063']);
    assert.equal(planAt('2026-08-01T09:54:59Z'), ['ISM004', 'ISM063']);
  });

  test('from the future are an error, old ones a warning', () => {
    const severity = (now: string) => planMesh({ mesh: mesh(entries), inputs: pair(), now: new Date(now) }).findings[0]?.severity;

    assert.is(severity('2020-01-01T00:00:00Z'), 'error');
    assert.is(severity('2030-01-01T00:00:00Z'), 'warning');
  });

  test('that are wholly missing are an error', () => {
    const plan = planMesh({ mesh: mesh(entries), inputs: pair().slice(0, 1) });

    assert.equal(
      findingsOf(plan, 'ISM008').map(({ cluster, message }) => [cluster, message]),
      [['cluster2', 'Nothing is known about this cluster.']],
    );
  });

  test('with a code that nobody knows are passed on as unreadable', () => {
    const plan = planPair({ two: { problems: [{ code: 'ISM999', message: 'from a later version' }] } });

    assert.is(findingsOf(plan, 'ISM008')[0]?.message, 'ISM999: from a later version');
  });

  test('with nodes without a name leave those out', () => {
    const plan = planPair({
      two: { nodes: [node('', '192.168.1.21', ['10.2.1.0/26'], { subnets }), node('n2', '192.168.1.22', ['10.2.2.0/26'], { subnets })] },
    });

    assert.is(findingsOf(plan, 'ISM008')[0]?.message, '1 node without a valid name left out.');
    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.2.0/26 via 192.168.1.22']);
  });

  test('of clusters that mesh.yaml does not name are left alone', () => {
    const plan = planMesh({ mesh: mesh(entries), inputs: [...pair(), { name: 'other', found: facts('someone') }] });

    assert.equal(codesOf(plan), ['ISM063']);
  });
});

describe("the user's word", ({ test }) => {
  test('wins over what was found, and the difference is told', () => {
    const plan = withDeclared({ podCIDRs: { value: ['10.2.0.0/17'], source: 'mesh.yaml:12:5' } });

    assert.equal(plan.clusters[1]?.summary.podCIDRs, [{ cidr: '10.2.0.0/17', source: 'mesh.yaml:12:5' }]);
    assert.equal(findingsOf(plan, 'ISM005'), [
      {
        code: 'ISM005',
        severity: 'warning',
        cluster: 'cluster2',
        where: 'mesh.yaml:12:5',
        message:
          'Pod CIDRs in mesh.yaml, 10.2.0.0/17, differ from what was found, 10.2.0.0/16 (IPPool default-ipv4-ippool). mesh.yaml is used.',
      },
    ]);
  });

  test('is silent where it says the same', () => {
    assert.equal(codesOf(withDeclared({ podCIDRs: { value: ['10.2.0.0/16'], source: 'mesh.yaml:12:5' } })), ['ISM063']);
  });

  test('wins for addresses and blocks of single nodes, the other nodes stay', () => {
    const plan = withDeclared({ nodes: [node('n1', '192.168.1.77', ['10.2.7.0/26'])] });

    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.2.0/26 via 192.168.1.22', '10.2.7.0/26 via 192.168.1.77']);
    assert.equal(
      findingsOf(plan, 'ISM005').map(({ message }) => message),
      [
        'Blocks of node n1 in mesh.yaml, 10.2.7.0/26, differ from what was found, 10.2.1.0/26 (BlockAffinity n1). mesh.yaml is used.',
        'Addresses of node n1 in mesh.yaml, 192.168.1.77, differ from what was found, 192.168.1.21 (InternalIP). mesh.yaml is used.',
      ],
    );
  });

  test('adds nodes that were not found, with a warning', () => {
    const plan = withDeclared({ nodes: [node('n9', '192.168.1.99', ['10.2.9.0/26'], { subnets })] });

    assert.is(findingsOf(plan, 'ISM005')[0]?.message, 'Node n9 is in mesh.yaml and not in the cluster; it is kept.');
    assert.ok(routeTexts(plan, 'cluster1').includes('10.2.9.0/26 via 192.168.1.99'));
  });

  test('settles what inspection could not find', () => {
    const inputs = pair({ two: { problems: [{ code: 'ISM007', message: 'The service CIDRs are unknown' }] } }).map((input) => {
      if (input.name !== 'cluster2' || input.found === undefined) return input;
      const { serviceCIDRs: _, ...found } = input.found;
      return { ...input, found };
    });
    const declared = textFacts('cluster2', { serviceCIDRs: { value: ['10.97.0.0/16'], source: 'mesh.yaml:9:3' } });

    const without = planMesh({ mesh: mesh(entries), inputs });
    const settled = planMesh({
      mesh: mesh(entries),
      inputs: inputs.map((input) => (input.name === 'cluster2' ? { ...input, declared } : input)),
    });

    assert.is(findingsOf(without, 'ISM007')[0]?.message, 'Not found in the cluster: service CIDRs. Checks that need them are left out.');
    assert.equal(findingsOf(settled, 'ISM007'), []);
  });
});

describe('ignore', ({ test }) => {
  test('keeps findings and marks them', () => {
    const plan = planFlat({ two: { podCIDRs: { value: ['10.1.0.0/16'], source: '' } }, mesh: { ignore: ['ISM010'] } });

    assert.is(findingsOf(plan, 'ISM010')[0]?.ignored, true);
    assert.is(findingsOf(plan, 'ISM037')[0]?.ignored, undefined);
  });

  test('with a code that does not exist is a warning that shows where', () => {
    const plan = planMesh({
      mesh: mesh(entries, { ignore: ['ISM031', 'ISM998', 'ISM998'] }),
      inputs: pair(),
      locate: (path) => path.join('/'),
    });

    assert.equal(
      findingsOf(plan, 'ISM009').map(({ severity, where, message }) => [severity, where, message]),
      [['warning', 'ignore/1', '`ignore` names ISM998, and there is no such finding.']],
    );
  });
});

describe('meshes of other shapes', ({ test }) => {
  test('of one primary plan nothing and are fine', () => {
    const plan = planMesh({ mesh: mesh(entries.slice(0, 1)), inputs: pair().slice(0, 1) });

    assert.equal([plan.findings, plan.links, plan.clusters[0]?.releases, plan.clusters[0]?.namespaces], [[], [], [], []]);
  });

  test('of three clusters join every pair, and give the primary one secret per remote', () => {
    const three = {
      name: 'cluster3',
      found: facts('cluster3', {
        podCIDRs: { value: ['10.3.0.0/16'], source: '' },
        serviceCIDRs: { value: ['10.98.0.0/16'], source: '' },
        nodes: [node('n1', '192.168.1.31', ['10.3.1.0/26'], { subnets })],
        pools: [{ name: 'a', cidr: '10.3.0.0/16', disabled: false, natOutgoing: true, encapsulation: 'none' }],
      }),
    };

    const plan = planMesh({ mesh: mesh([...entries, { name: 'cluster3' }]), inputs: [...pair(), three] });

    assert.equal(
      plan.links.map(({ clusters, by }) => [...clusters, by]),
      [
        ['cluster1', 'cluster2', 'routes'],
        ['cluster1', 'cluster3', 'routes'],
        ['cluster2', 'cluster3', 'routes'],
      ],
    );
    assert.equal(routeTexts(plan, 'cluster2'), [
      '10.1.1.0/26 via 192.168.1.11',
      '10.1.2.0/26 via 192.168.1.12',
      '10.3.1.0/26 via 192.168.1.31',
    ]);
    assert.equal(
      plan.clusters[0]?.remoteSecrets.map(({ name }) => name),
      ['istio-remote-secret-cluster2', 'istio-remote-secret-cluster3'],
    );
    assert.equal(
      releaseOf(plan, 'cluster3', 'route-installer').values.ipPools.map(({ name }) => name),
      ['isthmus-cluster1-1', 'isthmus-cluster2-1'],
    );
  });

  test('keep the order of mesh.yaml', () => {
    const plan = planMesh({
      mesh: mesh([
        { name: 'cluster2', role: 'remote' },
        { name: 'cluster1', role: 'primary' },
      ]),
      inputs: pair(),
    });

    assert.equal(
      plan.clusters.map(({ name }) => name),
      ['cluster2', 'cluster1'],
    );
  });
});
