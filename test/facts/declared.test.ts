// What mesh.yaml says of a cluster: nodes with blocks, pasted routing tables that must agree, and ICP's configuration.
import fc from 'fast-check';
import { IsthmusError } from '../../src/base/errors.ts';
import { declaredFacts } from '../../src/facts/declared.ts';
import { formatFacts } from '../../src/facts/file.ts';
import { ClusterFacts } from '../../src/facts/schema.ts';
import type { Cluster } from '../../src/spec/schema.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

type DeclaredNode = NonNullable<Cluster['nodes']>[number];

const locate = (path: readonly (string | number)[]): string => `mesh.yaml ${path.join('.')}`;

function cluster(fields: Partial<Cluster>): Cluster {
  const loadBalancer = { annotations: {}, addresses: {} };
  return { name: 'c1', role: 'primary', network: 'network1', loadBalancer, ...fields };
}

function node(name: string, routes?: string, fields: Partial<DeclaredNode> = {}): DeclaredNode {
  return { name, podCIDRs: [], ...(routes === undefined ? {} : { routes }), ...fields };
}

/** The facts of a cluster about which mesh.yaml says something. */
function factsOf(fields: Partial<Cluster>, icp?: { readonly text: string; readonly file: string }): ClusterFacts {
  const facts = declaredFacts(cluster(fields), locate, icp);
  if (facts === undefined) throw new Error('no facts');
  return facts;
}

function declare(nodes: readonly DeclaredNode[], fields: Partial<Cluster> = {}): ClusterFacts {
  return factsOf({ nodes, ...fields });
}

function blocksOf(facts: ClusterFacts): string[] {
  return facts.nodes.flatMap(({ name, blocks }) =>
    blocks.map(({ cidr, borrowed }) => `${name} ${cidr}${borrowed === true ? ' borrowed' : ''}`),
  );
}

/** `ip route | grep bird` of the three nodes of the 2018 procedure's first cluster. */
const tables: Readonly<Record<string, string>> = {
  '9.111.255.21': `10.1.43.0/26 via 9.111.255.29 dev tunl0 proto bird onlink
10.1.158.192/26 via 9.111.255.129 dev tunl0 proto bird onlink
blackhole 10.1.198.128/26 proto bird`,
  '9.111.255.129': `10.1.43.0/26 via 9.111.255.29 dev tunl0 proto bird onlink
blackhole 10.1.158.192/26 proto bird
10.1.198.128/26 via 9.111.255.21 dev tunl0 proto bird onlink`,
  '9.111.255.29': `blackhole 10.1.43.0/26 proto bird
10.1.158.192/26 via 9.111.255.129 dev tunl0 proto bird onlink
10.1.198.128/26 via 9.111.255.21 dev tunl0 proto bird onlink`,
};
const seedBlocks = ['9.111.255.129 10.1.158.192/26', '9.111.255.21 10.1.198.128/26', '9.111.255.29 10.1.43.0/26'];
const names = Object.keys(tables);

describe('declared facts', ({ test }) => {
  test('are none where mesh.yaml says nothing about the cluster', () => {
    assert.is(declaredFacts(cluster({ context: 'c' }), locate), undefined);
  });

  test('tell where each was written', () => {
    const facts = declare([node('n1', undefined, { address: '10.0.0.1', podCIDRs: ['10.1.0.64/26', '10.1.0.0/26'] })], {
      podCIDRs: ['10.1.0.0/16'],
      serviceCIDRs: ['10.96.0.0/12'],
      apiServer: 'https://10.0.0.1:6443',
    });

    assert.is(facts.origin, 'text');
    assert.equal(facts.podCIDRs, { value: ['10.1.0.0/16'], source: 'mesh.yaml podCIDRs' });
    assert.equal(facts.serviceCIDRs, { value: ['10.96.0.0/12'], source: 'mesh.yaml serviceCIDRs' });
    assert.equal(facts.server, { value: 'https://10.0.0.1:6443', source: 'mesh.yaml apiServer' });
    assert.equal(facts.nodes[0]?.addresses, [{ value: '10.0.0.1', source: 'mesh.yaml nodes.0.address' }]);
    assert.equal(facts.nodes[0]?.blocks, [
      { cidr: '10.1.0.0/26', source: 'mesh.yaml nodes.0.podCIDRs.1' },
      { cidr: '10.1.0.64/26', source: 'mesh.yaml nodes.0.podCIDRs.0' },
    ]);
    assert.equal(facts.problems, []);
    assert.equal(ClusterFacts.parse(facts), facts);
  });

  test('take the name of a node as its address where it is one', () => {
    const facts = declare([node('10.0.0.7'), node('n1')]);

    assert.equal(
      facts.nodes.map(({ addresses }) => addresses[0]?.value),
      ['10.0.0.7', undefined],
    );
  });
});

describe('pasted routing tables', ({ test }) => {
  test('of all nodes agree on the blocks of the 2018 procedure', () => {
    const facts = declare(names.map((name) => node(name, tables[name])));

    assert.equal(blocksOf(facts), seedBlocks);
    assert.equal(facts.problems, []);
    assert.equal(facts.cni?.value, { name: 'calico', encapsulation: 'ipip', flat: true });
    assert.is(facts.nodes[2]?.blocks[0]?.source, 'ip route on 9.111.255.29, mesh.yaml nodes.2.routes');
  });

  for (const one of names) {
    test(`of ${one} alone tell the blocks of all`, () => {
      const facts = declare(names.map((name) => node(name, name === one ? tables[name] : undefined)));

      assert.equal(blocksOf(facts), seedBlocks);
      assert.equal(facts.problems, []);
    });
  }

  test('give the same facts in any order of nodes', () => {
    const nodes = names.map((name) => node(name, tables[name]));
    const text = (order: readonly DeclaredNode[]): string =>
      formatFacts(declare(order))
        .replaceAll(/nodes\.[0-9]/g, 'nodes.x')
        .replace(/sha256: .*/, '');
    const expected = text(nodes);

    fc.assert(
      fc.property(fc.shuffledSubarray(nodes, { minLength: 3 }), (shuffled) => {
        assert.is(text(shuffled), expected);
      }),
      { seed: 1, numRuns: 10 },
    );
  });

  test('with CRLF and prompts say the same', () => {
    const pasted = names.map((name) =>
      node(name, `root@${name}:~# ip route | grep bird\r\n${tables[name]?.replaceAll('\n', '\r\n')}\r\nroot@${name}:~# `),
    );

    assert.equal(blocksOf(declare(pasted)), seedBlocks);
  });

  test('that disagree leave the block out and say who says what', () => {
    const facts = declare([
      node('10.0.0.1', 'blackhole 10.1.0.0/26 proto bird'),
      node('10.0.0.2', '10.1.0.0/26 via 10.0.0.3 dev tunl0 proto bird onlink\nblackhole 10.1.0.64/26 proto bird'),
      node('10.0.0.3'),
    ]);

    assert.equal(blocksOf(facts), ['10.0.0.2 10.1.0.64/26']);
    assert.equal(
      facts.problems.map(({ code, message }) => `${code} ${message}`),
      [
        'ISM034 The texts disagree on pod block 10.1.0.0/26: it belongs to 10.0.0.1 (ip route on 10.0.0.1, mesh.yaml nodes.0.routes)' +
          ' and to 10.0.0.3 (ip route on 10.0.0.2, mesh.yaml nodes.1.routes); it is left out',
      ],
    );
  });

  test('that disagree with declared blocks are a problem too', () => {
    const facts = declare([
      node('10.0.0.1', 'blackhole 10.1.0.0/26 proto bird'),
      node('10.0.0.2', undefined, { podCIDRs: ['10.1.0.0/26'] }),
    ]);

    assert.equal(blocksOf(facts), []);
    assert.equal(
      facts.problems.map(({ code }) => code),
      ['ISM034'],
    );
  });

  test('that lead to an unknown node say which to add', () => {
    const facts = declare([node('9.111.255.21', tables['9.111.255.21'])]);

    assert.equal(blocksOf(facts), ['9.111.255.21 10.1.198.128/26']);
    assert.equal(
      facts.problems.map(({ code, where, hint }) => `${code} ${where} ${hint}`),
      [
        'ISM034 10.1.158.192/26 Add the node with address 9.111.255.129 to nodes in mesh.yaml.',
        'ISM034 10.1.43.0/26 Add the node with address 9.111.255.29 to nodes in mesh.yaml.',
      ],
    );
  });

  test('of VXLAN need the table of each node, as a peer is named by its tunnel', () => {
    const table = 'blackhole 10.1.0.0/26 proto 80\n10.1.0.64/26 via 10.1.0.64 dev vxlan.calico proto 80 onlink';

    const half = declare([node('10.0.0.1', table), node('10.0.0.2')]);
    const whole = declare([node('10.0.0.1', table), node('10.0.0.2', 'blackhole 10.1.0.64/26 proto 80')]);

    assert.equal(
      half.problems.map(({ code, where }) => `${code} ${where}`),
      ['ISM007 10.1.0.64/26'],
    );
    assert.equal(blocksOf(whole), ['10.0.0.1 10.1.0.0/26', '10.0.0.2 10.1.0.64/26']);
    assert.equal(whole.problems, []);
    assert.is(whole.cni?.value.encapsulation, 'vxlan');
  });

  test('tell single addresses that a node borrowed', () => {
    const table = 'blackhole 10.1.0.0/26 proto bird\n10.1.0.5 via 10.0.0.2 dev eth0 proto bird\n10.1.0.6 via 10.0.0.1 dev eth0 proto bird';

    const facts = declare([node('10.0.0.1', table), node('10.0.0.2')]);

    assert.equal(blocksOf(facts), ['10.0.0.1 10.1.0.0/26', '10.0.0.2 10.1.0.5/32 borrowed']);
    assert.is(facts.cni?.value.encapsulation, 'none');
  });

  test('tell node subnets, and routes of others as foreign', () => {
    const table = `default via 9.111.255.1 dev eth0
9.111.255.0/24 dev eth0 proto kernel scope link src 9.111.255.21
172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 linkdown
10.1.198.130 dev cali3f2a scope link
blackhole 10.1.198.128/26 proto bird
20.1.47.128/26 via 9.111.255.77 dev eth0
20.1.31.128/26 via 9.111.255.152 dev eth0 proto 157
30.0.0.0/8 via 9.111.255.254 dev eth0 proto static metric 100
blackhole 10.66.0.0/16`;

    const facts = declare([node('9.111.255.21', table)]);

    assert.equal(facts.nodes[0]?.subnets, ['9.111.255.0/24']);
    assert.equal(facts.nodes[0]?.foreignRoutes, [
      { dst: '10.66.0.0/16', protocol: 'boot' },
      { dst: '20.1.31.128/26', protocol: '157', dev: 'eth0', via: '9.111.255.152' },
      { dst: '20.1.47.128/26', protocol: 'boot', dev: 'eth0', via: '9.111.255.77' },
      { dst: '30.0.0.0/8', protocol: 'static', dev: 'eth0', via: '9.111.255.254' },
      { dst: '172.17.0.0/16', protocol: 'kernel', dev: 'docker0' },
    ]);
    assert.equal(facts.problems, []);
  });

  test('tell the block on the bridge of a CNI without its own routes', () => {
    const facts = declare([node('10.0.0.1', '10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1')]);

    assert.equal(blocksOf(facts), ['10.0.0.1 10.244.1.0/24']);
    assert.is(facts.cni, undefined);
  });

  test('report lines that look like routes and are none', () => {
    const facts = declare([node('10.0.0.1', '10.1.0.1/26 via 10.0.0.2 proto bird')]);

    assert.is(facts.problems[0]?.code, 'ISM015');
    assert.is(facts.problems[0]?.where, 'ip route on 10.0.0.1, mesh.yaml nodes.0.routes');
    assert.match(facts.problems[0]?.message ?? '', '10.1.0.1/26 via 10.0.0.2 proto bird');
  });

  test('never break anything, whatever they hold', () => {
    const block = fc.constantFrom('10.1.0.0/26', '10.1.0.64/26', '10.1.0.7', 'fd00::/122', '10.1.0.0/8', 'x');
    const via = fc.constantFrom('via 10.0.0.1', 'via 10.0.0.2', 'via 10.9.9.9', 'via fe80::1', 'via', '');
    const rest = fc.constantFrom(
      'dev tunl0 proto bird onlink',
      'proto 80',
      'dev vxlan.calico proto 80',
      'proto kernel scope link',
      'proto 157',
      '',
    );
    const line = fc
      .tuple(fc.constantFrom('', 'blackhole ', 'unicast '), block, via, rest)
      .map(([type, ...words]) => `${type}${words.join(' ')}`);
    const table = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'));

    fc.assert(
      fc.property(table, table, (first, second) => {
        const facts = declare([node('10.0.0.1', first), node('10.0.0.2', second)]);
        assert.equal(ClusterFacts.parse(facts), facts);
        const owned = facts.nodes.flatMap(({ blocks }) => blocks.map(({ cidr }) => cidr));
        assert.is(new Set(owned).size, owned.length);
      }),
      { seed: 9, numRuns: 1000 },
    );
  });
});

describe("ICP's cluster/config.yaml", ({ test }) => {
  const text = 'network_type: calico\nnetwork_cidr: 10.1.0.0/16\nservice_cluster_ip_range: 10.0.0.1/24\ncluster_name: mycluster\n';

  test('tells ranges, network and platform', () => {
    const facts = factsOf({}, { text, file: 'icp/config.yaml' });

    assert.equal(facts.podCIDRs, { value: ['10.1.0.0/16'], source: 'icp/config.yaml:2:15 network_cidr' });
    assert.equal(facts.serviceCIDRs, { value: ['10.0.0.0/24'], source: 'icp/config.yaml:3:27 service_cluster_ip_range' });
    assert.equal(facts.cni?.value, { name: 'calico', encapsulation: 'ipip', flat: true });
    assert.is(facts.platform?.value, 'icp');
    assert.is(facts.loadBalancer?.value, 'keepalived');
    assert.equal(ClusterFacts.parse(facts), facts);
  });

  test('comes after mesh.yaml', () => {
    const facts = declaredFacts(cluster({ podCIDRs: ['10.5.0.0/16'] }), locate, { text, file: 'config.yaml' });

    assert.equal(facts?.podCIDRs, { value: ['10.5.0.0/16'], source: 'mesh.yaml podCIDRs' });
    assert.equal(facts?.serviceCIDRs?.value, ['10.0.0.0/24']);
  });

  test('may leave out everything, or turn IPIP off', () => {
    const empty = declaredFacts(cluster({}), locate, { text: 'cluster_name: a\n', file: 'config.yaml' });
    const plain = declaredFacts(cluster({}), locate, { text: `${text}calico_ipip_enabled: false\n`, file: 'config.yaml' });

    assert.equal([empty?.podCIDRs, empty?.cni], [undefined, undefined]);
    assert.is(plain?.cni?.value.encapsulation, 'none');
  });

  const wrong: readonly (readonly [text: string, where: string])[] = [
    ['network_cidr: 10.1.0.0', 'config.yaml:1:15'],
    ['a: b\nservice_cluster_ip_range: 7', 'config.yaml:2:27'],
    ['- a', 'config.yaml:1:1'],
    ['network_cidr: [10.1.0.0/16]', 'config.yaml:1:15'],
    ['a: 1\na: 2', 'config.yaml:2:1'],
  ];
  for (const [bad, where] of wrong) {
    test(`is refused at its position when it says ${JSON.stringify(bad)}`, async () => {
      const error = await thrownBy(() => declaredFacts(cluster({}), locate, { text: bad, file: 'config.yaml' }));

      assert.instance(error, IsthmusError);
      assert.is((error as IsthmusError).kind, 'usage');
      assert.is((error as IsthmusError).where, where);
    });
  }
});
