// Pod blocks: where they come from, whose they are, and which of them may be routed.
import type { Block, ClusterFacts } from '../../src/facts/schema.ts';
import { planMesh } from '../../src/plan/mesh.ts';
import { codesOf, facts, findingsOf, mesh, node, pair, planPair, routeTexts } from '../helpers/builders.ts';
import { assert, describe } from '../helpers/suite.ts';

const subnets = ['192.168.1.0/24'];

function nodesWith(blocks: readonly (readonly Block[])[]): Pick<ClusterFacts, 'nodes'> {
  return { nodes: blocks.map((list, n) => node(`n${n + 1}`, `192.168.1.${n + 21}`, [], { blocks: list, subnets })) };
}

function own(...cidrs: readonly string[]): Block[] {
  return cidrs.map((cidr) => ({ cidr, source: 'BlockAffinity' }));
}

function borrowed(...cidrs: readonly string[]): Block[] {
  return cidrs.map((cidr) => ({ cidr, source: 'IPAMBlock', borrowed: true }));
}

describe('pod blocks', ({ test }) => {
  test('that nobody knows are an error with a hint for the CNI', () => {
    const plan = planPair({
      two: { ...nodesWith([[], []]), cni: { value: { name: 'aws', encapsulation: 'none', flat: true }, source: '' } },
    });

    const [finding] = findingsOf(plan, 'ISM032');
    assert.is(finding?.severity, 'error');
    assert.is(finding?.message, 'No pod blocks are known on its 2 nodes.');
    assert.match(finding?.hint ?? '', 'routes.provider: none');
  });

  test('that nobody knows do not matter where the network carries pods', () => {
    const problem = { code: 'ISM032', message: 'no blocks' };

    const plan = planPair({ two: { ...nodesWith([[], []]), problems: [problem] }, mesh: { routes: { provider: 'none' } } });

    assert.equal(findingsOf(plan, 'ISM032'), []);
    assert.is(plan.links[0]?.by, 'network');
  });

  test('that inspection found wanting are reported as it says', () => {
    const problems = ['ISM033', 'ISM035', 'ISM036', 'ISM038'].map((code) => ({
      code,
      where: 'Node n1',
      message: `about ${code}`,
      hint: 'look',
    }));

    const plan = planPair({ two: { problems } });

    assert.equal(findingsOf(plan, 'ISM033'), [
      { code: 'ISM033', severity: 'warning', cluster: 'cluster2', where: 'Node n1', hint: 'look', message: 'about ISM033' },
    ]);
    assert.equal(codesOf(plan), ['ISM033', 'ISM035', 'ISM036', 'ISM038', 'ISM063']);
  });

  test('with two owners are left out, the others go on', () => {
    const plan = planPair({ two: nodesWith([own('10.2.1.0/26', '10.2.3.0/26'), own('10.2.1.0/26'), own('10.2.2.0/26')]) });

    assert.is(
      findingsOf(plan, 'ISM034')[0]?.message,
      'Claimed by two nodes: 10.2.1.0/26 on n1 and 10.2.1.0/26 on n2. No route leads there.',
    );
    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.2.0/26 via 192.168.1.23', '10.2.3.0/26 via 192.168.1.21']);
  });

  test('inside a block of another node are left out, both of them', () => {
    const plan = planPair({ two: nodesWith([own('10.2.0.0/24'), own('10.2.0.64/26', '10.2.9.0/26')]) });

    assert.is(findingsOf(plan, 'ISM034').length, 1);
    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.9.0/26 via 192.168.1.22']);
  });

  test('that are borrowed get a route of their own, longer than the block they lie in', () => {
    const plan = planPair({ two: nodesWith([own('10.2.1.0/26'), [...own('10.2.1.64/26'), ...borrowed('10.2.1.5/32', '10.2.1.4/32')]]) });

    assert.equal(findingsOf(plan, 'ISM034'), []);
    assert.equal(routeTexts(plan, 'cluster1'), [
      '10.2.1.0/26 via 192.168.1.21',
      '10.2.1.4/32 via 192.168.1.22',
      '10.2.1.5/32 via 192.168.1.22',
      '10.2.1.64/26 via 192.168.1.22',
    ]);
  });

  test('that are borrowed by two nodes are left out', () => {
    const plan = planPair({ two: nodesWith([own('10.2.1.0/26'), borrowed('10.2.1.5/32'), borrowed('10.2.1.5/32')]) });

    assert.is(findingsOf(plan, 'ISM034').length, 1);
    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.1.0/26 via 192.168.1.21']);
  });

  test('that another node borrowed whole lead to where they are used', () => {
    const plan = planPair({ two: nodesWith([own('10.2.1.0/32', '10.2.1.1/32'), borrowed('10.2.1.1/32')]) });

    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.1.0/32 via 192.168.1.21', '10.2.1.1/32 via 192.168.1.22']);
  });

  test('outside every pod CIDR are left out, with the hint of another pool', () => {
    const plan = planPair({ two: nodesWith([own('10.2.1.0/26', '10.77.0.0/26')]) });

    assert.is(findingsOf(plan, 'ISM037')[0]?.message, 'Outside its pod CIDRs 10.2.0.0/16: 10.77.0.0/26 on n1. No route leads there.');
    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.1.0/26 via 192.168.1.21']);
  });

  test('may have any size', () => {
    const plan = planPair({
      two: {
        podCIDRs: { value: ['10.2.0.0/16', 'fd00:2::/64'], source: '' },
        nodes: [
          node('n1', '', ['10.2.0.0/20', '10.2.16.4/32', 'fd00:2::40/122'], {
            addresses: [
              { value: '192.168.1.21', source: 'InternalIP' },
              { value: 'fd01::21', source: 'InternalIP' },
            ],
            subnets: ['192.168.1.0/24', 'fd01::/64'],
          }),
        ],
      },
    });

    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.0.0/20 via 192.168.1.21', '10.2.16.4/32 via 192.168.1.21']);
  });

  test('stand for the pod CIDRs where those are unknown', () => {
    const [one] = pair();
    const two = { name: 'cluster2', found: facts('cluster2', nodesWith([own('10.2.1.0/26'), own('10.2.1.64/26')])) };

    const plan = planMesh({ mesh: mesh([{ name: 'cluster1' }, { name: 'cluster2' }]), inputs: [...(one === undefined ? [] : [one]), two] });

    assert.equal(plan.clusters[1]?.summary.podCIDRs, [{ cidr: '10.2.1.0/25', source: 'blocks of its nodes' }]);
    assert.is(
      findingsOf(plan, 'ISM007')[0]?.message,
      'Not found in the cluster: service CIDRs and pod CIDRs. Checks that need them are left out.',
    );
  });
});
