// CIDR algebra against a plain model: a block is the set of integers from its first to its last address.
import fc from 'fast-check';
import {
  aggregate,
  type Cidr,
  compareCidrs,
  contains,
  type Family,
  formatAddress,
  formatCidr,
  overlaps,
  parseAddress,
  parseCidr,
  sizeOf,
  truncate,
} from '../../src/base/cidr.ts';
import { assert, describe } from '../helpers/suite.ts';

const width = { 4: 32, 6: 128 } as const;
const seed = 3;

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (typeof parsed === 'string') throw new Error(`${text} ${parsed}`);
  return parsed;
}

interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

function spanOf({ family, start, prefix }: Cidr): Span {
  return { first: start, last: start + 2n ** BigInt(width[family] - prefix) - 1n };
}

/** Sorted spans that touch or overlap made one. */
function union(cidrs: readonly Cidr[], family: Family): Span[] {
  const spans = cidrs.filter((block) => block.family === family).map(spanOf);
  const merged: Span[] = [];
  for (const span of spans.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const last = merged.at(-1);
    if (last === undefined || span.first > last.last + 1n) merged.push(span);
    else if (span.last > last.last) merged[merged.length - 1] = { first: last.first, last: span.last };
  }
  return merged;
}

/** The fewest blocks that cover a span: the widest that starts at its first address and fits, again and again. */
function fewestBlocks({ first, last }: Span, family: Family): number {
  let count = 0;
  for (let at = first; at <= last; count++) {
    let size = 1n;
    while (size < 2n ** BigInt(width[family]) && at % (size * 2n) === 0n && at + size * 2n - 1n <= last) size *= 2n;
    at += size;
  }
  return count;
}

function block(family: Family, shortest: number): fc.Arbitrary<Cidr> {
  return fc
    .tuple(fc.bigInt({ min: 0n, max: 2n ** BigInt(width[family]) - 1n }), fc.integer({ min: shortest, max: width[family] }))
    .map(([value, prefix]) => truncate({ family, start: value, prefix: width[family] }, prefix));
}

/** Blocks that often touch: all within 64 addresses. */
function crowded(family: Family): fc.Arbitrary<Cidr> {
  const base = family === 4 ? 0x0a010000n : 0xfd00n << 112n;
  return fc
    .tuple(fc.bigInt({ min: 0n, max: 63n }), fc.integer({ min: width[family] - 6, max: width[family] }))
    .map(([offset, prefix]) => truncate({ family, start: base + offset, prefix: width[family] }, prefix));
}

const anyBlock = fc.oneof(block(4, 0), block(6, 0), crowded(4), crowded(6));

describe('parseCidr', ({ test }) => {
  const refused: readonly (readonly [string, string])[] = [
    ['010.0.0.0/8', 'is not an IP address'],
    ['10.1/16', 'is not an IP address'],
    ['10/8', 'is not an IP address'],
    ['0x0a000000/8', 'is not an IP address'],
    ['167772160/8', 'is not an IP address'],
    ['10.0.0.256/32', 'is not an IP address'],
    ['10.0.0.0.0/8', 'is not an IP address'],
    ['10.0.0.0/08', 'has no plain number as prefix length'],
    ['10.0.0.0/+8', 'has no plain number as prefix length'],
    ['10.0.0.0/-8', 'has no plain number as prefix length'],
    ['10.0.0.0/8.0', 'has no plain number as prefix length'],
    ['10.0.0.0/1e1', 'has no plain number as prefix length'],
    ['10.0.0.0/26abc', 'has no plain number as prefix length'],
    ['10.0.0.0/ 26 ', 'has no plain number as prefix length'],
    ['10.0.0.0/', 'has no plain number as prefix length'],
    ['10.0.0.0/8/8', 'has no plain number as prefix length'],
    ['10.0.0.0/8\n', 'has no plain number as prefix length'],
    ['10.0.0.0/\u{663}', 'has no plain number as prefix length'],
    [' 10.0.0.0/8', 'is not an IP address'],
    ['10.0.0.0 /8', 'is not an IP address'],
    ['10.0.0.0/33', 'has a prefix longer than 32'],
    ['10.0.0.0/999', 'has a prefix longer than 32'],
    ['fd00::/129', 'has a prefix longer than 128'],
    ['10.0.0.0', 'has no prefix length; write for example 10.1.0.0/16'],
    ['', 'has no prefix length; write for example 10.1.0.0/16'],
    ['/8', 'is not an IP address'],
    ['fe80::1%eth0/64', 'addresses with a zone are not allowed'],
    ['::ffff:10.0.0.0/104', 'IPv4-mapped IPv6 is not allowed; write the IPv4 form'],
    ['::ffff:a00:0/104', 'IPv4-mapped IPv6 is not allowed; write the IPv4 form'],
    ['fd00::1::/64', 'is not an IP address'],
    ['fd00:::/64', 'is not an IP address'],
    ['fd00::12345/64', 'is not an IP address'],
    ['[fd00::]/64', 'is not an IP address'],
    ['10.0.0.1/16', 'has host bits set; did you mean 10.0.0.0/16?'],
    ['fd00::1/64', 'has host bits set; did you mean fd00::/64?'],
    ['0.0.0.1/0', 'has host bits set; did you mean 0.0.0.0/0?'],
  ];
  for (const [text, reason] of refused) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.is(parseCidr(text), reason);
    });
  }

  test('accepts the edges', () => {
    for (const text of ['0.0.0.0/0', '255.255.255.255/32', '10.0.0.0/31', '::/0', 'fd00::1/128']) assert.is(formatCidr(cidr(text)), text);
  });

  test('reads what formatCidr writes', () => {
    fc.assert(
      fc.property(anyBlock, (value) => {
        const parsed = parseCidr(formatCidr(value));
        const mapped = value.family === 6 && value.start >> 32n === 0xffffn;

        if (mapped) assert.type(parsed, 'string');
        else assert.equal(parsed, value);
      }),
      { seed, numRuns: 2000 },
    );
  });

  test('gives a block or a reason for any text', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'0123456789abcdef.:/%- ') }));

    fc.assert(
      fc.property(text, (value) => {
        const parsed = parseCidr(value);
        if (typeof parsed !== 'string') assert.is(parsed.start % sizeOf(parsed), 0n);
      }),
      { seed, numRuns: 3000 },
    );
  });
});

describe('addresses', ({ test }) => {
  const canonical: readonly (readonly [string, string])[] = [
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['fd00:0:0:0:0:0:0:0', 'fd00::'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['10.0.0.1', '10.0.0.1'],
  ];
  for (const [text, expected] of canonical) {
    test(`writes ${text} as RFC 5952 says`, () => {
      const parsed = parseAddress(text);

      assert.is(typeof parsed === 'string' ? parsed : formatAddress(parsed), expected);
    });
  }

  test('are written in canonical form whatever they are', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const parsed = parseAddress(text);
        if (typeof parsed === 'string') return;
        const written = formatAddress(parsed);

        assert.equal(parseAddress(written), parsed);
        assert.match(written, /^[0-9a-f:]+$/);
        assert.not.match(written, /(?:^|:)0[0-9a-f]/);
        assert.not.match(written, /::.*::/);
        if (!written.includes('::')) assert.not.match(written, /(?:^|:)0:0(?::|$)/);
        assert.is(new URL(`http://[${text}]/`).hostname, `[${written}]`);
      }),
      { seed, numRuns: 2000 },
    );
  });
});

describe('blocks', ({ test }) => {
  test('contain and overlap as sets of addresses do', () => {
    fc.assert(
      fc.property(anyBlock, anyBlock, (a, b) => {
        const [spanA, spanB] = [spanOf(a), spanOf(b)];
        const same = a.family === b.family;

        assert.is(contains(a, b), same && spanA.first <= spanB.first && spanB.last <= spanA.last);
        assert.is(overlaps(a, b), same && spanA.first <= spanB.last && spanB.first <= spanA.last);
      }),
      { seed, numRuns: 3000 },
    );
  });

  test('are as large as their span', () => {
    fc.assert(
      fc.property(anyBlock, (a) => sizeOf(a) === spanOf(a).last - spanOf(a).first + 1n),
      { seed },
    );
  });

  test('truncate to the block around them', () => {
    fc.assert(
      fc.property(anyBlock, fc.nat(128), (a, length) => {
        const prefix = Math.min(length, a.prefix);
        const wider = truncate(a, prefix);

        assert.is(wider.prefix, prefix);
        assert.is(wider.start % sizeOf(wider), 0n);
        assert.ok(contains(wider, a));
      }),
      { seed },
    );
  });

  test('sort by family, address and width, totally', () => {
    fc.assert(
      fc.property(anyBlock, anyBlock, anyBlock, (a, b, c) => {
        assert.is(Math.sign(compareCidrs(a, b)), -Math.sign(compareCidrs(b, a)) + 0);
        if (compareCidrs(a, b) <= 0 && compareCidrs(b, c) <= 0) assert.ok(compareCidrs(a, c) <= 0);
        assert.is(compareCidrs(a, b) === 0, formatCidr(a) === formatCidr(b));
      }),
      { seed },
    );
    assert.equal(['fd00::/8', '10.0.0.0/8', '10.0.0.0/16', '9.0.0.0/8'].map(cidr).sort(compareCidrs).map(formatCidr), [
      '9.0.0.0/8',
      '10.0.0.0/8',
      '10.0.0.0/16',
      'fd00::/8',
    ]);
  });
});

describe('aggregate', ({ test }) => {
  test('joins halves and drops nested blocks', () => {
    const joined = (...texts: string[]) => aggregate(texts.map(cidr)).map(formatCidr);

    assert.equal(joined(), []);
    assert.equal(joined('10.0.0.0/25', '10.0.0.128/25'), ['10.0.0.0/24']);
    assert.equal(joined('10.0.0.128/25', '10.0.1.0/25'), ['10.0.0.128/25', '10.0.1.0/25']);
    assert.equal(joined('10.0.0.0/24', '10.0.0.64/26', '10.0.0.0/24'), ['10.0.0.0/24']);
    assert.equal(joined('10.0.0.0/26', '10.0.0.64/26', '10.0.0.128/26', '10.0.0.192/26'), ['10.0.0.0/24']);
    assert.equal(joined('0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1'), ['0.0.0.0/0', '::/0']);
  });

  test('covers exactly the same addresses with the fewest blocks, in order, whatever the order of input', () => {
    const lists = fc.oneof(fc.array(fc.oneof(crowded(4), crowded(6)), { maxLength: 40 }), fc.array(anyBlock, { maxLength: 10 }));

    fc.assert(
      fc.property(lists, (list) => {
        const result = aggregate(list);

        for (const family of [4, 6] as const) {
          const spans = union(list, family);
          assert.equal(union(result, family), spans);
          const fewest = spans.reduce((sum, span) => sum + fewestBlocks(span, family), 0);
          assert.is(result.filter((value) => value.family === family).length, fewest);
        }
        assert.equal(result, [...result].sort(compareCidrs));
        assert.equal(aggregate([...list].reverse()), result);
      }),
      { seed, numRuns: 1000 },
    );
  });
});
