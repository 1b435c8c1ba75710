// Which nodes are next hops, at which address, and when they cannot be.
import type { NodeFacts } from '../../src/facts/schema.ts';
import { clusterOf, findingsOf, node, planFlat, planPair, releaseOf, routeTexts } from '../helpers/builders.ts';
import { assert, describe } from '../helpers/suite.ts';

const subnets = ['192.168.1.0/24'];
const block = '10.2.1.0/26';
const other = node('other', '192.168.1.29', ['10.2.9.0/26'], { subnets });

/** cluster2 with one special node beside an ordinary one. */
function withNode(overrides: Partial<NodeFacts>) {
  return planPair({ two: { nodes: [node('special', '192.168.1.21', [block], { subnets, ...overrides }), other] } });
}

function addresses(...pairs: readonly (readonly [string, string])[]): Pick<NodeFacts, 'addresses'> {
  return { addresses: pairs.map(([value, source]) => ({ value, source })) };
}

describe('nodes as next hops', ({ test }) => {
  test('must exist: an empty list is an error and never a reason to withdraw routes silently', () => {
    const plan = planPair({ two: { nodes: [] } });

    assert.is(findingsOf(plan, 'ISM039')[0]?.severity, 'error');
    assert.equal(findingsOf(plan, 'ISM032'), []);
  });

  test('keep their routes while they are not ready, and get no Job', () => {
    const plan = withNode({ ready: false });

    assert.is(findingsOf(plan, 'ISM040')[0]?.message, '1 node: special (not ready). Routes to the blocks there are kept.');
    assert.ok(routeTexts(plan, 'cluster1').includes('10.2.1.0/26 via 192.168.1.21'));
    assert.equal(releaseOf(plan, 'cluster2', 'route-installer').values.nodes, ['other']);
    assert.equal(
      clusterOf(plan, 'cluster2').nodes.map(({ name, ready }) => [name, ready]),
      [
        ['other', true],
        ['special', false],
      ],
    );
  });

  test('are dropped while they are being deleted', () => {
    const plan = withNode({ deleting: true, ready: false });

    assert.is(findingsOf(plan, 'ISM041')[0]?.severity, 'info');
    assert.equal(findingsOf(plan, 'ISM040'), []);
    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.9.0/26 via 192.168.1.29']);
    assert.equal(releaseOf(plan, 'cluster2', 'route-installer').values.nodes, ['other']);
  });

  test('need an address that can be reached', () => {
    for (const wrong of [[], [['127.0.0.1', 'InternalIP']], [['169.254.1.1', 'InternalIP']]] as const) {
      const plan = withNode(addresses(...wrong));

      assert.is(findingsOf(plan, 'ISM042')[0]?.severity, 'error');
      assert.equal(routeTexts(plan, 'cluster1'), ['10.2.9.0/26 via 192.168.1.29']);
    }
  });

  test('need an address of the family of their blocks', () => {
    const plan = planPair({
      two: {
        podCIDRs: { value: ['10.2.0.0/16', 'fd00:2::/64'], source: '' },
        nodes: [node('n1', '192.168.1.21', [block, 'fd00:2::/122'], { subnets })],
      },
    });

    assert.is(findingsOf(plan, 'ISM042')[0]?.message, '1 node: n1 (IPv6 blocks and no IPv6 address). No route can lead there.');
  });

  test('with several addresses are reached at the one of the CNI, with a warning', () => {
    const plan = withNode(addresses(['192.168.1.21', 'annotation projectcalico.org/IPv4Address'], ['10.9.9.9', 'InternalIP']));

    assert.ok(routeTexts(plan, 'cluster1').includes('10.2.1.0/26 via 192.168.1.21'));
    assert.is(
      findingsOf(plan, 'ISM044')[0]?.message,
      '1 node: special (192.168.1.21 and 10.9.9.9). The first address, which the CNI uses, is the next hop.',
    );
  });

  test('with several addresses and no CNI that tells are reached at the one in the known subnet', () => {
    const plan = withNode(addresses(['10.9.9.9', 'InternalIP'], ['192.168.1.21', 'InternalIP']));

    assert.ok(routeTexts(plan, 'cluster1').includes('10.2.1.0/26 via 192.168.1.21'));
    assert.equal([findingsOf(plan, 'ISM043'), findingsOf(plan, 'ISM044')], [[], []]);
  });

  test('with several addresses and nothing that decides are refused', () => {
    const plan = withNode({ ...addresses(['10.9.9.9', 'InternalIP'], ['192.168.1.21', 'InternalIP']), subnets: [] });

    assert.is(findingsOf(plan, 'ISM043')[0]?.message, '1 node: special (10.9.9.9 and 192.168.1.21). The next hop cannot be chosen.');
    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.9.0/26 via 192.168.1.29']);
  });

  test('are skipped when they run Windows or no kernel at all', () => {
    for (const overrides of [{ os: 'windows' }, { virtual: true }]) {
      const plan = withNode(overrides);

      assert.is(findingsOf(plan, 'ISM045')[0]?.severity, 'warning');
      assert.equal(routeTexts(plan, 'cluster1'), ['10.2.9.0/26 via 192.168.1.29']);
      assert.equal(releaseOf(plan, 'cluster2', 'route-installer').values.nodes, ['other']);
    }
  });

  test('may have the same names in both clusters', () => {
    const plan = planPair();

    assert.equal(
      clusterOf(plan, 'cluster1').routes.map(({ cluster, node: name }) => `${cluster}/${name}`),
      ['cluster2/n1', 'cluster2/n2'],
    );
  });

  test('are named five at a time in findings', () => {
    const nodes = Array.from({ length: 9 }, (_, n) => node(`n${n}`, `192.168.1.${n + 20}`, [`10.2.${n}.0/26`], { subnets, ready: false }));

    const [finding, ...more] = findingsOf(planPair({ two: { nodes } }), 'ISM040');

    assert.is(
      finding?.message,
      '9 nodes: n0 (not ready), n1 (not ready), n2 (not ready), n3 (not ready), n4 (not ready) and 4 more. Routes to the blocks there are kept.',
    );
    assert.equal(more, []);
  });

  test('above 200 get no Jobs, the keeper serves them alone', () => {
    const nodes = Array.from({ length: 201 }, (_, n) => node(`n${n}`, `192.168.1.${n + 20}`, [`10.2.${n}.0/26`], { subnets }));

    const plan = planPair({ two: { nodes } });

    assert.equal(releaseOf(plan, 'cluster2', 'route-installer').values.nodes, []);
    assert.is(clusterOf(plan, 'cluster2').nodes.length, 201);
  });
});

describe('next hops', ({ test }) => {
  const far = [node('n1', '192.168.2.21', [block], { subnets: ['192.168.2.0/24'] })];

  test('in another subnet are refused, both ways, and no route is planned', () => {
    const plan = planFlat({ two: { nodes: far } });

    assert.equal(
      findingsOf(plan, 'ISM046').map(({ cluster, severity, message }) => [cluster, severity, message]),
      [
        ['cluster1', 'error', 'Its nodes cannot route through nodes of cluster2: 192.168.2.21 is not in 192.168.1.0/24.'],
        [
          'cluster2',
          'error',
          'Its nodes cannot route through nodes of cluster1: 192.168.1.11 is not in 192.168.2.0/24 and 192.168.1.12 is not in 192.168.2.0/24.',
        ],
      ],
    );
    assert.equal([routeTexts(plan, 'cluster1'), routeTexts(plan, 'cluster2')], [[], []]);
  });

  test('in another subnet are used when the user says that they are on one link', () => {
    const plan = planPair({ two: { nodes: far }, mesh: { routes: { onlink: true } } });

    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.1.0/26 via 192.168.2.21']);
    assert.equal(findingsOf(plan, 'ISM046'), []);
    assert.is(releaseOf(plan, 'cluster1', 'route-installer').values.onlink, true);
  });

  test('are not guessed about where subnets are unknown', () => {
    const plan = planPair({
      two: { nodes: [node('n1', '172.16.0.1', [block])] },
      one: { nodes: [node('n1', '192.168.1.11', ['10.1.1.0/26'])] },
    });

    const [finding, ...more] = findingsOf(plan, 'ISM046');
    assert.is(finding?.severity, 'info');
    assert.is(finding?.message, 'The node subnets of cluster1 and cluster2 are unknown, and so is whether these nodes share a link.');
    assert.equal(more, []);
    assert.is(routeTexts(plan, 'cluster1').length, 1);
  });

  test('must be on the link of every node, not of one', () => {
    const nodes = [
      node('n1', '192.168.1.11', ['10.1.1.0/26'], { subnets }),
      node('n2', '192.168.7.12', ['10.1.2.0/26'], { subnets: ['192.168.7.0/24'] }),
    ];

    const plan = planFlat({ one: { nodes } });

    assert.match(findingsOf(plan, 'ISM046')[0]?.message ?? '', '192.168.1.21 is not in 192.168.7.0/24');
    assert.equal(routeTexts(plan, 'cluster1'), []);
  });
});
