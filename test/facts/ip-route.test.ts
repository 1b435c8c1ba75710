// The parser of `ip route`, on what kernels print and on what people paste.
import fc from 'fast-check';
import { formatCidr } from '../../src/base/cidr.ts';
import { parseIpRoute } from '../../src/facts/ip-route.ts';
import { assert, describe } from '../helpers/suite.ts';

function only(line: string): object {
  const { routes, malformed } = parseIpRoute(line);
  assert.equal(malformed, []);
  const [found] = routes.map(({ dst, ...route }) => ({ dst: formatCidr(dst), ...route }));
  if (found === undefined || routes.length > 1) throw new Error(`${routes.length} routes`);
  return found;
}

describe('ip route', ({ test }) => {
  const lines: readonly (readonly [line: string, route: object])[] = [
    [
      '10.1.43.0/26 via 9.111.255.29 dev tunl0 proto bird onlink',
      { kind: 'unicast', dst: '10.1.43.0/26', vias: ['9.111.255.29'], dev: 'tunl0', protocol: 'bird' },
    ],
    ['blackhole 10.1.198.128/26 proto bird', { kind: 'blackhole', dst: '10.1.198.128/26', vias: [], protocol: 'bird' }],
    ['blackhole 10.1.198.128/26 proto 80', { kind: 'blackhole', dst: '10.1.198.128/26', vias: [], protocol: '80' }],
    [
      '10.1.43.0/26 via 9.111.255.29 dev eth0 proto 80 metric 1024 onlink',
      { kind: 'unicast', dst: '10.1.43.0/26', vias: ['9.111.255.29'], dev: 'eth0', protocol: '80' },
    ],
    [
      '9.111.255.0/24 dev eth0 proto kernel scope link src 9.111.255.21 metric 100',
      { kind: 'unicast', dst: '9.111.255.0/24', vias: [], dev: 'eth0', protocol: 'kernel', scope: 'link', src: '9.111.255.21' },
    ],
    [
      '10.1.43.7 dev cali12345 scope link',
      { kind: 'unicast', dst: '10.1.43.7/32', vias: [], dev: 'cali12345', protocol: 'boot', scope: 'link' },
    ],
    [
      'fd00:10::40/122 via fe80::1 dev eth0 proto bird metric 1024 pref medium',
      { kind: 'unicast', dst: 'fd00:10::40/122', vias: ['fe80::1'], dev: 'eth0', protocol: 'bird' },
    ],
    ['10.2.0.0/24 via inet6 fe80::2 dev eth0', { kind: 'unicast', dst: '10.2.0.0/24', vias: ['fe80::2'], dev: 'eth0', protocol: 'boot' }],
    [
      'blackhole fd00::/122 dev lo proto 80 metric 1024 pref medium',
      { kind: 'blackhole', dst: 'fd00::/122', vias: [], dev: 'lo', protocol: '80' },
    ],
    ['unreachable 10.9.0.0/16', { kind: 'blackhole', dst: '10.9.0.0/16', vias: [], protocol: 'boot' }],
    ['   10.2.0.0/24 \t via 10.0.0.2   proto 157  ', { kind: 'unicast', dst: '10.2.0.0/24', vias: ['10.0.0.2'], protocol: '157' }],
    [
      '10.2.0.0/24 proto bird metric 1024\n\tnexthop via 10.0.0.2 dev eth0 weight 1\n\tnexthop via 10.0.0.3 dev eth0 weight 1',
      { kind: 'unicast', dst: '10.2.0.0/24', vias: ['10.0.0.2', '10.0.0.3'], dev: 'eth0', protocol: 'bird' },
    ],
  ];
  for (const [line, route] of lines) {
    test(`reads ${JSON.stringify(line)}`, () => {
      assert.equal(only(line), route);
    });
  }

  test('takes CRLF, prompts, blank lines and text around', () => {
    const text = [
      'root@gyliu-icp-1:~# ip route | grep bird',
      '10.1.43.0/26 via 9.111.255.29 dev tunl0 proto bird onlink',
      '',
      'blackhole 10.1.198.128/26 proto bird  ',
      'default via 9.111.255.1 dev eth0',
      '# 9.111.255.21',
      '9.111.255.21',
      'PING 20.1.47.150 (20.1.47.150) 56(84) bytes of data.',
      '64 bytes from 20.1.47.150: icmp_seq=1 ttl=63 time=0.5 ms',
      'root@gyliu-icp-1:~# ',
    ].join('\r\n');

    const { routes, malformed } = parseIpRoute(text);

    assert.equal(
      routes.map(({ dst }) => formatCidr(dst)),
      ['10.1.43.0/26', '10.1.198.128/26'],
    );
    assert.equal(malformed, []);
  });

  test('leaves out other tables and what the kernel keeps for itself', () => {
    const text = [
      '10.9.0.0/16 via 10.0.0.1 dev eth0 table 100',
      '10.8.0.0/16 via 10.0.0.1 dev eth0 table main',
      'local 10.0.0.5 dev eth0 table local proto kernel scope host src 10.0.0.5',
      'broadcast 10.0.0.255 dev eth0 table local proto kernel scope link src 10.0.0.5',
    ].join('\n');

    assert.equal(
      parseIpRoute(text).routes.map(({ dst }) => formatCidr(dst)),
      ['10.8.0.0/16'],
    );
  });

  const malformed: readonly string[] = [
    '10.1.43.0/33 via 9.111.255.29 proto bird',
    '10.1.43.1/26 via 9.111.255.29 proto bird',
    '010.1.43.0/26 via 9.111.255.29 proto bird',
    '10.1.43.0/26 via 9.111.255.299 proto bird',
    '10.1.43.0/26 via',
    '10.1.43.0/26 via 9.111.255.29 dev',
    'blackhole 10.1.43.0/026',
  ];
  for (const line of malformed) {
    test(`says that ${JSON.stringify(line)} is no route`, () => {
      assert.equal(parseIpRoute(line), { routes: [], malformed: [line] });
    });
  }

  const words = [
    '10.1.0.0/26',
    '10.1.0.9',
    'via',
    'dev',
    'proto',
    'bird',
    '80',
    'blackhole',
    'nexthop',
    'onlink',
    'default',
    'fe80::1',
    'fd00::/122',
    '::',
    '/',
    '.',
    'src',
    'table',
    'main',
    'scope',
    'link',
  ];

  test('never fails, whatever is pasted', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((list) => list.join(' ')),
    );
    const text = fc.array(line, { maxLength: 20 }).map((list) => list.join('\n'));

    fc.assert(
      fc.property(text, (pasted) => {
        const { routes, malformed: bad } = parseIpRoute(pasted);
        assert.ok(routes.length + bad.length <= pasted.split(/\r\n|\n|\r/).length);
      }),
      { seed: 3, numRuns: 2000 },
    );
  });

  test('takes linear time', () => {
    const long = [
      `${'1.'.repeat(200_000)}/x via`,
      `10.0.0.0/8 ${'nexthop via 10.0.0.1 '.repeat(20_000)}`,
      '10.1.0.0/26 via 10.0.0.1 proto bird\n'.repeat(50_000),
    ].join('\n');
    const start = performance.now();

    parseIpRoute(long);

    assert.ok(performance.now() - start < 5000);
  });
});
