// Compresses to DEFLATE (RFC 1951) with bytes that follow from the input and this file alone. zlib's do not: Node's own, the one
// Debian links into Node and zlib-ng choose other matches from the same input, and choose differently from one release to the next.
import { writeBlock } from './deflate-block.ts';
import { createMatcher, findTokens, nextBlock } from './deflate-match.ts';

/** Bytes of a block, which is also how far back a match may reach. */
const blockBytes = 32 * 1024;

/** Bytes of a block that are tried after one that did not shrink: images, which are packed already, pass several times as fast. */
const probeBytes = 4 * 1024;

export interface Deflate {
  /** Takes input and returns what is compressed so far. */
  push(bytes: Uint8Array): Uint8Array;
  /** Ends the stream and returns the rest of it; may be called once. */
  finish(): Uint8Array;
}

/** A new stream. How the input is cut into pushes changes no byte of the output. */
export function createDeflate(): Deflate {
  const matcher = createMatcher(blockBytes);
  const current = matcher.data.subarray(blockBytes);
  const bits = { pending: 0, count: 0 };
  let filled = 0;
  let stored = false;
  const flush = (final: boolean): Uint8Array => {
    const tokens = findTokens(matcher, filled, stored ? probeBytes : blockBytes);
    const block = writeBlock(bits, { bytes: current.subarray(0, filled), tokens, final });
    stored = block.stored;
    nextBlock(matcher);
    filled = 0;
    return block.output;
  };
  return {
    push: (bytes) => {
      const output: Uint8Array[] = [];
      for (let taken = 0; taken < bytes.length; ) {
        // A full block waits for the next byte, so that the last one can be marked as such.
        if (filled === blockBytes) output.push(flush(false));
        const part = bytes.subarray(taken, taken + blockBytes - filled);
        current.set(part, filled);
        filled += part.length;
        taken += part.length;
      }
      return Buffer.concat(output);
    },
    finish: () => flush(true),
  };
}
