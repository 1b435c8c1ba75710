// The compressor: any inflater reads what it writes, and how its input arrives changes nothing.
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { createDeflate } from '../../src/archive/deflate.ts';
import { assert, describe } from '../helpers/suite.ts';

function deflated(input: Uint8Array, cuts: readonly number[]): Buffer {
  const stream = createDeflate();
  const ends = [...cuts.map((cut) => Math.floor(cut * input.length)).sort((a, b) => a - b), input.length];
  return Buffer.concat([...ends.map((end, index) => stream.push(input.subarray(ends[index - 1] ?? 0, end))), stream.finish()]);
}

/** Repeats and noise, up to a few times the size of what the compressor looks at. */
const input = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.integer({ min: 1, max: 2000 })), { maxLength: 8 })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes))).subarray(0, 400_000));
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 10 });

describe('DEFLATE', ({ test }) => {
  test('is inflated to what went in, whatever it is and however it is cut', () => {
    fc.assert(
      fc.property(input, cuts, (bytes, at) => {
        const output = deflated(bytes, at);

        assert.ok(inflateRawSync(output).equals(bytes));
        assert.ok(output.equals(deflated(bytes, [])));
      }),
      { seed: 11, numRuns: 60 },
    );
  });
});
