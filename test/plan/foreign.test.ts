// Routes on the nodes that someone else made.
import type { ForeignRoute } from '../../src/facts/schema.ts';
import { codesOf, findingsOf, node, planPair } from '../helpers/builders.ts';
import { assert, describe } from '../helpers/suite.ts';

const subnets = ['192.168.1.0/24'];

/** cluster1 with these routes on its node n1; wanted there are 10.2.1.0/26 via .21 and 10.2.2.0/26 via .22. */
function withRoutes(...foreignRoutes: readonly ForeignRoute[]) {
  return planPair({ one: { nodes: [node('n1', '192.168.1.11', ['10.1.1.0/26'], { subnets, foreignRoutes })] } });
}

describe('foreign routes', ({ test }) => {
  test('in the way of a wanted one are an error that names node and owner', () => {
    const plan = withRoutes({ dst: '10.2.1.0/26', via: '192.168.1.99', protocol: 'static', dev: 'eth0' });

    const [finding] = findingsOf(plan, 'ISM056');
    assert.is(finding?.severity, 'error');
    assert.is(finding?.message, 'Another route is in the way of a wanted one: 10.2.1.0/26 via 192.168.1.99 dev eth0 proto static on n1.');
  });

  test('that are longer than a wanted one are in the way too', () => {
    assert.equal(codesOf(withRoutes({ dst: '10.2.1.7', via: '192.168.1.99' })), ['ISM056', 'ISM063']);
  });

  test('without a next hop are in the way', () => {
    assert.equal(codesOf(withRoutes({ dst: '10.2.1.0/26', dev: 'tun0' })), ['ISM056', 'ISM063']);
  });

  test('with the same next hop are there already', () => {
    const plan = withRoutes({ dst: '10.2.1.0/26', via: '192.168.1.21', protocol: 'boot' });

    assert.is(findingsOf(plan, 'ISM057')[0]?.severity, 'info');
    assert.equal(codesOf(plan), ['ISM057', 'ISM063']);
  });

  test('left over in a pod CIDR of another cluster are reported', () => {
    const plan = withRoutes({ dst: '10.2.200.0/26', via: '192.168.1.21', protocol: 'boot' });

    assert.is(
      findingsOf(plan, 'ISM055')[0]?.message,
      'Left over from manual work or an older installation: 10.2.200.0/26 via 192.168.1.21 proto boot on n1.',
    );
  });

  test('that are wider than the pod CIDRs, elsewhere, ours or malformed are nobody else is business', () => {
    const plan = withRoutes(
      { dst: 'default', via: '192.168.1.1' },
      { dst: '10.0.0.0/8', via: '192.168.1.1' },
      { dst: '172.16.0.0/12', via: '192.168.1.1' },
      { dst: '10.2.1.0/26', via: '192.168.1.99', protocol: '157' },
      { dst: 'nonsense', via: '192.168.1.1' },
    );

    assert.equal(codesOf(plan), ['ISM063']);
  });

  test('are told once for all nodes that have them', () => {
    const foreignRoutes = [{ dst: '10.2.1.0/26', via: '192.168.1.99' }];
    const nodes = [1, 2, 3].map((n) => node(`n${n}`, `192.168.1.1${n}`, [`10.1.${n}.0/26`], { subnets, foreignRoutes }));

    const findings = findingsOf(planPair({ one: { nodes } }), 'ISM056');

    assert.is(findings.length, 1);
    assert.match(findings[0]?.message ?? '', 'on n1, n2 and n3');
  });
});

describe('the route protocol number', ({ test }) => {
  test("must not be the one of Calico's Felix in any cluster", () => {
    const plan = planPair({ two: { felixProtocol: { value: 157, source: 'FelixConfiguration default deviceRouteProtocol' } } });

    assert.is(
      findingsOf(plan, 'ISM054')[0]?.message,
      "routes.protocol 157 belongs to Calico's Felix here (FelixConfiguration default deviceRouteProtocol).",
    );
  });

  test('may be chosen', () => {
    assert.equal(codesOf(planPair({ mesh: { routes: { protocol: 158 } } })), ['ISM063']);
  });
});
