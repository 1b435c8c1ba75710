// Address ranges that must not meet, and ranges that cannot be routed.
import type { ClusterFacts } from '../../src/facts/schema.ts';
import { codesOf, findingsOf, node, planFlat, planPair, routeTexts } from '../helpers/builders.ts';
import { assert, describe } from '../helpers/suite.ts';

const pods = (...value: string[]): Partial<ClusterFacts> => ({ podCIDRs: { value, source: 'IPPool a' } });
const services = (...value: string[]): Partial<ClusterFacts> => ({ serviceCIDRs: { value, source: 'ServiceCIDR a' } });
const subnets = ['192.168.1.0/24'];

describe('address ranges of two clusters', ({ test }) => {
  test('with nothing wrong give no finding but the address that is waited for', () => {
    assert.equal(codesOf(planPair()), ['ISM063']);
  });

  test('are refused when pod CIDRs overlap, with both and the common part', () => {
    const plan = planFlat({ two: pods('10.1.128.0/17') });

    const [finding] = findingsOf(plan, 'ISM010');
    assert.is(finding?.severity, 'error');
    assert.is(finding?.message, 'Pod CIDR 10.1.0.0/16 of cluster1 overlaps pod CIDR 10.1.128.0/17 of cluster2; both hold 10.1.128.0/17.');
    assert.equal([routeTexts(plan, 'cluster1'), routeTexts(plan, 'cluster2')], [[], []]);
    assert.is(plan.links[0]?.by, 'nothing');
  });

  test('may overlap in different networks', () => {
    const plan = planPair({ two: pods('10.1.128.0/17'), remote: { network: 'network2' } });

    assert.equal(findingsOf(plan, 'ISM010'), []);
    assert.is(plan.links[0]?.by, 'gateways');
  });

  test('are refused when pods meet services, nodes or the API server of the other', () => {
    const cases: [Partial<ClusterFacts>, string][] = [
      [
        services('10.1.64.0/18'),
        'Pod CIDR 10.1.0.0/16 of cluster1 overlaps service CIDR 10.1.64.0/18 of cluster2; both hold 10.1.64.0/18.',
      ],
      [
        { nodes: [node('n1', '10.1.9.9', ['10.2.1.0/26'])] },
        'Pod CIDR 10.1.0.0/16 of cluster1 overlaps node address 10.1.9.9 of cluster2; both hold 10.1.9.9.',
      ],
      [
        { nodes: [node('n1', '10.1.9.9', ['10.2.1.0/26'], { subnets: ['10.1.9.0/24'] })] },
        'Pod CIDR 10.1.0.0/16 of cluster1 overlaps node subnet 10.1.9.0/24 of cluster2; both hold 10.1.9.0/24.',
      ],
      [
        { server: { value: 'https://10.1.0.1:6443', source: '' } },
        'Pod CIDR 10.1.0.0/16 of cluster1 overlaps API server 10.1.0.1 of cluster2; both hold 10.1.0.1.',
      ],
    ];
    for (const [two, message] of cases) {
      const plan = planFlat({ two });

      assert.equal(
        findingsOf(plan, 'ISM011').map((finding) => finding.message),
        [message],
      );
      assert.equal(routeTexts(plan, 'cluster2'), []);
    }
  });

  test('are compared both ways', () => {
    const plan = planFlat({ one: services('10.2.64.0/18') });

    assert.is(
      findingsOf(plan, 'ISM011')[0]?.message,
      'Pod CIDR 10.2.0.0/16 of cluster2 overlaps service CIDR 10.2.64.0/18 of cluster1; both hold 10.2.64.0/18.',
    );
    assert.equal(routeTexts(plan, 'cluster1'), []);
  });

  test('are refused when a pod CIDR holds own nodes or the own API server', () => {
    const inside = planFlat({ one: { nodes: [node('n1', '10.1.0.11', ['10.1.1.0/26'])] } });
    const server = planFlat({ one: { server: { value: 'https://[fd00::1]:6443', source: '' }, ...pods('10.1.0.0/16', 'fd00::/64') } });

    assert.is(findingsOf(inside, 'ISM012')[0]?.message, 'Its pod CIDRs 10.1.0.0/16 hold its own node addresses 10.1.0.11.');
    assert.is(findingsOf(server, 'ISM012')[0]?.message, 'Its pod CIDRs 10.1.0.0/16 and fd00::/64 hold its own API server fd00::1.');
  });

  test('are accepted with a warning when only service CIDRs overlap', () => {
    const plan = planFlat({ two: services('10.96.0.0/16') });

    assert.is(findingsOf(plan, 'ISM013')[0]?.message, 'Service CIDR 10.96.0.0/16 is in both cluster1 and cluster2.');
    assert.is(routeTexts(plan, 'cluster1').length, 2);
  });

  test('are refused where the two have no IP family in common', () => {
    const plan = planFlat({ two: { ...pods('fd00:2::/64'), nodes: [node('n1', 'fd01::2', ['fd00:2::/122'])] } });

    assert.is(findingsOf(plan, 'ISM018')[0]?.message, 'Pods of cluster1 have IPv4 only, pods of cluster2 IPv6 only.');
    assert.equal(routeTexts(plan, 'cluster1'), []);
  });

  test('are routed for the common family where one is dual stack', () => {
    const addresses = [
      { value: '192.168.1.21', source: 'InternalIP' },
      { value: 'fd01::21', source: 'InternalIP' },
    ];
    const plan = planFlat({
      two: { ...pods('10.2.0.0/16', 'fd00:2::/64'), nodes: [node('n1', '', ['10.2.1.0/26', 'fd00:2::/122'], { addresses, subnets })] },
    });

    assert.is(findingsOf(plan, 'ISM019')[0]?.message, 'cluster2 is dual stack and cluster1 is not; routes are planned for IPv4 only.');
    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.1.0/26 via 192.168.1.21']);
  });

  test('are routed for both families where both are dual stack', () => {
    const dual = (index: number) => ({
      ...pods(`10.${index}.0.0/16`, `fd00:${index}::/64`),
      nodes: [
        node('n1', '', [`10.${index}.1.0/26`, `fd00:${index}::/122`], {
          addresses: [
            { value: `192.168.1.${index}`, source: 'InternalIP' },
            { value: `fd01::${index}`, source: 'InternalIP' },
          ],
          subnets: ['192.168.1.0/24', 'fd01::/64'],
        }),
      ],
    });

    const plan = planFlat({ one: dual(1), two: dual(2) });

    assert.equal(routeTexts(plan, 'cluster1'), ['10.2.1.0/26 via 192.168.1.2', 'fd00:2::/122 via fd01::2']);
  });

  test('are refused when a node address is in both', () => {
    const plan = planFlat({ two: { nodes: [node('x', '192.168.1.12', ['10.2.1.0/26'], { subnets })] } });

    assert.is(findingsOf(plan, 'ISM021')[0]?.message, 'Node address 192.168.1.12 is in both cluster1 and cluster2.');
    assert.equal(routeTexts(plan, 'cluster2'), []);
  });
});

describe('the pod CIDRs of one cluster', ({ test }) => {
  test('are refused when they are wider than any cluster or reserved', () => {
    for (const cidr of [
      '0.0.0.0/0',
      '::/0',
      '0.0.0.0/1',
      '10.0.0.0/7',
      '2000::/15',
      '127.0.0.0/8',
      '169.254.0.0/16',
      '224.0.0.0/8',
      '240.0.0.0/8',
      'fe80::/64',
      'ff00::/16',
    ]) {
      const plan = planFlat({ two: pods(cidr) });

      const [finding] = findingsOf(plan, 'ISM014');
      assert.match(finding?.message ?? '', `Pod CIDR ${cidr} is`);
      assert.is(finding?.severity, 'error');
      assert.equal(routeTexts(plan, 'cluster1'), [], cidr);
    }
  });

  test('that are reserved get no route even where blocks are in them', () => {
    const plan = planFlat({ two: { ...pods('169.254.0.0/16'), nodes: [node('n1', '192.168.1.21', ['169.254.1.0/26'], { subnets })] } });

    assert.equal([routeTexts(plan, 'cluster1'), routeTexts(plan, 'cluster2')], [[], []]);
    assert.is(plan.links[0]?.reason, 'pod CIDR 169.254.0.0/16 of cluster2 is in 169.254.0.0/16 (link-local)');
  });

  test('are left out when they are malformed, each named with the reason', () => {
    const texts = [
      '10.0.0.1/16',
      '010.0.0.0/8',
      '10.1',
      '0x0a000001/8',
      '10.0.0.0/08',
      '10.0.0.0/+8',
      '10.0.0.0/26abc',
      ' 10.0.0.0/26 ',
      '::ffff:10.0.0.0/104',
      '10.0.0.0/33',
      'fe80::1%eth0/64',
    ];
    for (const text of texts) {
      const [finding] = findingsOf(planFlat({ two: pods('10.2.0.0/16', text) }), 'ISM015');

      assert.match(finding?.message ?? '', `Left out of the plan: ${JSON.stringify(text)} `);
      assert.is(finding?.cluster, 'cluster2');
    }
    assert.match(findingsOf(planFlat({ two: pods('10.2.0.1/16') }), 'ISM015')[0]?.message ?? '', 'did you mean 10.2.0.0/16?');
  });

  test('are warned about when carriers use them, when they are public, or tiny', () => {
    const shared = planFlat({ two: { ...pods('100.64.0.0/16'), nodes: [node('n1', '192.168.1.21', ['100.64.1.0/26'], { subnets })] } });
    const open = planFlat({ two: { ...pods('20.2.0.0/16'), nodes: [node('n1', '192.168.1.21', ['20.2.1.0/26'], { subnets })] } });
    const tiny = planFlat({ two: pods('10.2.0.0/16', '10.3.0.0/31') });

    assert.is(findingsOf(shared, 'ISM016')[0]?.severity, 'warning');
    assert.is(findingsOf(open, 'ISM031')[0]?.message, 'Pod CIDR 20.2.0.0/16 is public address space.');
    assert.is(findingsOf(tiny, 'ISM017')[0]?.message, 'Pod CIDR 10.3.0.0/31 has room for one or two pods.');
    assert.is(routeTexts(open, 'cluster1').length, 1);
    assert.equal([findingsOf(shared, 'ISM031'), findingsOf(open, 'ISM016')], [[], []]);
  });

  test('may be given twice or side by side, and not nested', () => {
    const twice = planFlat({ two: pods('10.2.0.0/16', '10.2.0.0/16', '10.3.0.0/16') });
    const nested = planFlat({ two: pods('10.2.0.0/16', '10.2.4.0/24') });

    assert.equal(codesOf(twice), ['ISM063']);
    assert.is(findingsOf(nested, 'ISM020')[0]?.message, 'Pod CIDR 10.2.4.0/24 lies inside pod CIDR 10.2.0.0/16.');
    assert.is(findingsOf(nested, 'ISM020')[0]?.severity, 'error');
  });
});
