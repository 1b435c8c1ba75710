// Lists of blocks: what covers an address, and where two lists meet, against the obvious slow answers.
import fc from 'fast-check';
import { type Cidr, contains, formatCidr, overlaps, parseCidr, truncate } from '../../src/base/cidr.ts';
import { coverOf, disjoint, meetings } from '../../src/plan/overlap.ts';
import { assert, describe } from '../helpers/suite.ts';

/** Blocks close to each other, so that they often nest. */
const block: fc.Arbitrary<Cidr> = fc
  .record({
    family: fc.constantFrom(4 as const, 6 as const),
    start: fc.bigInt({ min: 0n, max: 255n }),
    length: fc.integer({ min: 0, max: 8 }),
  })
  .map(({ family, start, length }) => {
    const full = family === 4 ? 32 : 128;
    return truncate({ family, start, prefix: full }, full - length);
  });
const blocks = fc.array(block, { maxLength: 30 });

describe('lists of blocks', ({ test }) => {
  test('become disjoint and keep every address', () => {
    fc.assert(
      fc.property(blocks, (list) => {
        const result = disjoint(list);

        assert.ok(result.every((one, i) => result.every((other, j) => i === j || !overlaps(one, other))));
        assert.ok(list.every((one) => result.some((other) => contains(other, one))));
        assert.ok(result.every((one) => list.some((other) => formatCidr(other) === formatCidr(one))));
      }),
      { seed: 1 },
    );
  });

  test('find the block that covers another', () => {
    fc.assert(
      fc.property(blocks, block, (list, wanted) => {
        const ranges = disjoint(list);

        assert.equal(
          coverOf(ranges, wanted),
          ranges.find((range) => contains(range, wanted)),
        );
      }),
      { seed: 2 },
    );
  });

  test('meet exactly where some pair overlaps', () => {
    fc.assert(
      fc.property(blocks, blocks, (a, b) => {
        const [left, right] = [disjoint(a), disjoint(b)];
        const slow = left.flatMap((one) =>
          right.filter((other) => overlaps(one, other)).map((other) => `${formatCidr(one)} ${formatCidr(other)}`),
        );

        const fast = meetings(left, right).map(([one, other]) => `${formatCidr(one)} ${formatCidr(other)}`);

        assert.equal(fast.sort(), slow.sort());
      }),
      { seed: 3 },
    );
  });

  test('cover nothing when they are empty', () => {
    const cidr = parseCidr('10.0.0.0/8');

    assert.is(typeof cidr === 'string' ? cidr : coverOf([], cidr), undefined);
    assert.equal(meetings([], []), []);
  });
});
