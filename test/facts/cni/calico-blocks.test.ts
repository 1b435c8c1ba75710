// Blocks of Calico's IPAM: which node each belongs to, what is borrowed, and what is left out.
import fc from 'fast-check';
import { type Cidr, contains, parseAddress, parseCidr } from '../../../src/base/cidr.ts';
import { calicoBlocks } from '../../../src/facts/cni/calico-blocks.ts';
import { BlockAffinity, IPAMBlock } from '../../../src/facts/cni/calico-objects.ts';
import type { Block } from '../../../src/facts/schema.ts';
import type { Problem } from '../../../src/findings/types.ts';
import { assert, describe } from '../../helpers/suite.ts';

const nodes = new Set(['n1', 'n2', 'n3']);

function affinity(cidr: string, node: string, spec: object = { state: 'confirmed' }): BlockAffinity {
  return BlockAffinity.parse({ metadata: { name: `${node}-${cidr.replaceAll(/[./:]/g, '-')}` }, spec: { cidr, node, ...spec } });
}

/** A block whose addresses are used by these nodes, by ordinal. */
function block(cidr: string, host: string | null, users: Readonly<Record<number, string>>): IPAMBlock {
  const names = [...new Set(Object.values(users))];
  const allocations = Array.from({ length: 64 }, (_, ordinal) => {
    const user = users[ordinal];
    return user === undefined ? null : names.indexOf(user);
  });
  const attributes = names.map((node) => ({ handle_id: node, secondary: { node, pod: 'p' } }));
  const name = cidr.replaceAll(/[./:]/g, '-');
  return IPAMBlock.parse({ metadata: { name }, spec: { cidr, affinity: host === null ? null : `host:${host}`, allocations, attributes } });
}

function resolve(affinities: readonly BlockAffinity[], blocks: readonly IPAMBlock[] = []) {
  const problems: Problem[] = [];
  const found = calicoBlocks({ affinities, blocks, nodes, report: (problem) => problems.push(problem) });
  return { found, problems, codes: problems.map(({ code }) => code), text: describeBlocks(found) };
}

function describeBlocks(found: ReadonlyMap<string, readonly Block[]>): string[] {
  return [...found].flatMap(([node, list]) => list.map((one) => `${node} ${one.cidr}${one.borrowed === true ? ' borrowed' : ''}`)).sort();
}

describe('Calico blocks', ({ test }) => {
  const skipped: readonly (readonly [what: string, spec: object])[] = [
    ['pending', { state: 'pending' }],
    ['pendingDeletion', { state: 'pendingDeletion' }],
    ['without a state', {}],
    ['deleted as text', { state: 'confirmed', deleted: 'true' }],
    ['deleted as a boolean', { state: 'confirmed', deleted: true }],
    ['virtual', { state: 'confirmed', type: 'virtual' }],
  ];
  for (const [what, spec] of skipped) {
    test(`leave out an affinity that is ${what}`, () => {
      const { text, problems } = resolve([affinity('10.1.0.0/26', 'n1', spec), affinity('10.1.0.64/26', 'n2')]);

      assert.equal(text, ['n2 10.1.0.64/26']);
      assert.equal(problems, []);
    });
  }

  const kept: readonly object[] = [
    { state: 'confirmed', deleted: 'false' },
    { state: 'confirmed', deleted: false, type: 'host' },
    { state: 'confirmed', type: '' },
    { state: 'confirmed', deleted: null },
  ];
  for (const spec of kept) {
    test(`keep an affinity with ${JSON.stringify(spec)}`, () => {
      assert.equal(resolve([affinity('10.1.0.0/26', 'n1', spec)]).text, ['n1 10.1.0.0/26']);
    });
  }

  test('never come from the name of an object', () => {
    const odd = BlockAffinity.parse({
      metadata: { name: 'n2-10-9-9-0-26' },
      spec: { cidr: '10.1.0.0/26', node: 'n1', state: 'confirmed' },
    });

    assert.equal(resolve([odd]).text, ['n1 10.1.0.0/26']);
  });

  test('may have any size, in both families', () => {
    const { text } = resolve([affinity('10.1.0.0/20', 'n1'), affinity('10.2.0.8/32', 'n2'), affinity('fd00:10::40/122', 'n1')]);

    assert.equal(text, ['n1 10.1.0.0/20', 'n1 fd00:10::40/122', 'n2 10.2.0.8/32']);
  });

  test('of two confirmed owners are left out, the others go on', () => {
    const { text, problems } = resolve([affinity('10.1.0.0/26', 'n2'), affinity('10.1.0.0/26', 'n1'), affinity('10.1.0.64/26', 'n1')]);

    assert.equal(text, ['n1 10.1.0.64/26']);
    assert.equal(
      problems.map(({ code, where, message }) => `${code} ${where} ${message}`),
      ['ISM034 10.1.0.0/26 Pod block 10.1.0.0/26 belongs to n1 and to n2; it is left out'],
    );
  });

  test('whose own affinity names another node are left out, with the addresses in them', () => {
    const { text, codes } = resolve([affinity('10.1.0.0/26', 'n1')], [block('10.1.0.0/26', 'n2', { 3: 'n3' })]);

    assert.equal(text, []);
    assert.equal(codes, ['ISM034']);
  });

  test('claimed twice by one node are no dispute', () => {
    const { text, problems } = resolve([affinity('10.1.0.0/26', 'n1'), affinity('10.1.0.0/26', 'n1')]);

    assert.equal(text, ['n1 10.1.0.0/26']);
    assert.equal(problems, []);
  });

  test('of nodes that are gone are skipped and reported once', () => {
    const gone = ['10.1.1.0/26', '10.1.2.0/26', '10.1.3.0/26', '10.1.4.0/26'].map((cidr) => affinity(cidr, 'gone'));

    const { text, problems } = resolve([...gone, affinity('10.1.0.0/26', 'n1')]);

    assert.equal(text, ['n1 10.1.0.0/26']);
    assert.is(problems.length, 1);
    assert.is(problems[0]?.code, 'ISM035');
    assert.match(
      problems[0]?.message ?? '',
      '4 pod blocks belong to nodes that are gone (gone): 10.1.1.0/26, 10.1.2.0/26, 10.1.3.0/26 and 1 more',
    );
  });

  test('that are no CIDR are reported by the name of their object', () => {
    const { problems } = resolve([affinity('10.1.0.1/26', 'n1')]);

    assert.is(problems[0]?.code, 'ISM015');
    assert.is(problems[0]?.where, 'BlockAffinity n1-10-1-0-1-26');
  });
});

describe('borrowed addresses of Calico', ({ test }) => {
  test('are routed one by one to the node that uses them, neighbours together', () => {
    const users = { 0: 'n1', 5: 'n2', 8: 'n2', 9: 'n2', 10: 'n2', 11: 'n2', 63: 'n3' };

    const { text } = resolve([affinity('10.1.0.0/26', 'n1')], [block('10.1.0.0/26', 'n1', users)]);

    assert.equal(text, ['n1 10.1.0.0/26', 'n2 10.1.0.5/32 borrowed', 'n2 10.1.0.8/30 borrowed', 'n3 10.1.0.63/32 borrowed']);
  });

  test('in a block that no node owns are all routed one by one', () => {
    const { text } = resolve([], [block('10.1.0.0/26', null, { 1: 'n1', 2: 'n2' })]);

    assert.equal(text, ['n1 10.1.0.1/32 borrowed', 'n2 10.1.0.2/32 borrowed']);
  });

  test('are /128 in IPv6', () => {
    const { text } = resolve([affinity('fd00::/122', 'n1')], [block('fd00::/122', 'n1', { 7: 'n2' })]);

    assert.equal(text, ['n1 fd00::/122', 'n2 fd00::7/128 borrowed']);
  });

  test('do not count once they are released, without a node, or in blocks of load balancers', () => {
    const released = IPAMBlock.parse({
      metadata: { name: 'b' },
      spec: {
        cidr: '10.1.0.0/30',
        affinity: 'host:n1',
        allocations: [0, 1, 2, 9],
        attributes: [{ releasedAt: '2026-01-01T00:00:00Z', secondary: { node: 'n2' } }, { secondary: null }, {}],
      },
    });
    const virtual = IPAMBlock.parse({
      metadata: { name: 'v' },
      spec: { cidr: '10.9.0.0/30', affinity: 'virtual:load-balancer', allocations: [0], attributes: [{ secondary: { node: 'n2' } }] },
    });
    const deleted = IPAMBlock.parse({
      metadata: { name: 'd' },
      spec: { cidr: '10.8.0.0/30', deleted: true, allocations: [0], attributes: [{ secondary: { node: 'n2' } }] },
    });

    assert.equal(resolve([affinity('10.1.0.0/30', 'n1')], [released, virtual, deleted]).text, ['n1 10.1.0.0/30']);
  });

  test('of nodes that are gone are left out', () => {
    const { text, codes } = resolve([affinity('10.1.0.0/26', 'n1')], [block('10.1.0.0/26', 'n1', { 1: 'gone' })]);

    assert.equal(text, ['n1 10.1.0.0/26']);
    assert.equal(codes, ['ISM035']);
  });
});

describe('Calico blocks of random clusters', ({ test }) => {
  const names = ['n1', 'n2', 'n3'] as const;
  const owners = fc.array(fc.constantFrom(...names, null), { minLength: 1, maxLength: 6 });
  const users = fc.dictionary(fc.integer({ min: 0, max: 63 }).map(String), fc.constantFrom(...names), { maxKeys: 20 });

  test('lead every used address to its node by the longest prefix', () => {
    fc.assert(
      fc.property(owners, fc.array(users, { minLength: 6, maxLength: 6 }), (hosts, used) => {
        const cidrs = hosts.map((_, index) => `10.1.${index}.0/26`);
        const affinities = hosts.flatMap((host, index) => (host === null ? [] : [affinity(cidrs[index] ?? '', host)]));
        const blocks = hosts.map((host, index) => block(cidrs[index] ?? '', host, used[index] ?? {}));

        const { found, problems } = resolve(affinities, blocks);

        assert.equal(problems, []);
        for (const [index] of hosts.entries())
          for (const [ordinal, node] of Object.entries(used[index] ?? {})) assert.is(longestMatch(found, `10.1.${index}.${ordinal}`), node);
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});

function longestMatch(found: ReadonlyMap<string, readonly Block[]>, text: string): string | undefined {
  const address = parseAddress(text) as Cidr;
  const hits = [...found].flatMap(([node, list]) =>
    list.map((one) => ({ node, cidr: parseCidr(one.cidr) as Cidr })).filter(({ cidr }) => contains(cidr, address)),
  );
  return hits.sort((a, b) => b.cidr.prefix - a.cidr.prefix)[0]?.node;
}
