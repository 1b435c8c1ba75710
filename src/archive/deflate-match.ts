// Finds repetitions for DEFLATE: literals and references to what came up to 32 KiB before.
import { bitsOfToken, type Tokens } from './deflate-code.ts';

const minLength = 3;
const maxLength = 258;
/** How many earlier places are tried for each match. */
const maxTries = 32;
/** A match of this length is taken without trying more places. */
const goodLength = 64;
const hashBits = 15;

/** What is known of the block and of the one before it. */
export interface Matcher {
  /** Bytes of a block. */
  readonly size: number;
  /** The block before, and then the current one. */
  readonly data: Uint8Array;
  /** By hash of three bytes the last place in `data` where they are; -1 for none. */
  readonly last: Int32Array;
  /** By place, modulo `size`, the one before it with the same hash. */
  readonly previous: Int32Array;
  readonly found: Int32Array;
}

/** @param size bytes of a block, at most 32 KiB: how far back a reference can reach */
export function createMatcher(size: number): Matcher {
  return {
    size,
    data: new Uint8Array(2 * size),
    last: new Int32Array(1 << hashBits).fill(-1),
    previous: new Int32Array(size).fill(-1),
    found: new Int32Array(size),
  };
}

/**
 * Tokens of the first `length` bytes of the current block; to be called once for each block.
 * @returns undefined when the first `probe` bytes have not become shorter
 */
export function findTokens(matcher: Matcher, length: number, probe: number): Tokens | undefined {
  const { size, data, found } = matcher;
  const end = size + length;
  let count = 0;
  let bits = 0;
  for (let at = size; at < end; ) {
    if (at - size >= probe && bits >= (at - size) * 8) return undefined;
    const token = bestMatch(matcher, at, end) || (data[at] ?? 0);
    found[count++] = token;
    bits += bitsOfToken(token);
    const next = at + Math.max(1, token >> 16);
    while (at < next) remember(matcher, at++, end);
  }
  return { tokens: found.subarray(0, count), bits };
}

/** Ends the current block: it becomes what the next one may refer to. */
export function nextBlock({ size, data, last, previous }: Matcher): void {
  data.copyWithin(0, size);
  for (const places of [last, previous]) for (let i = 0; i < places.length; i++) places[i] = Math.max(-1, (places[i] ?? -1) - size);
}

function hashAt(data: Uint8Array, at: number): number {
  const three = ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
  return Math.imul(three, 0x9e3779b1) >>> (32 - hashBits);
}

function remember({ size, data, last, previous }: Matcher, at: number, end: number): void {
  if (at + minLength > end) return;
  const hash = hashAt(data, at);
  previous[at % size] = last[hash] ?? -1;
  last[hash] = at;
}

/** The longest reference for what starts at `at`, the nearest of them; 0 for none. */
function bestMatch({ size, data, last, previous }: Matcher, at: number, end: number): number {
  const limit = Math.min(maxLength, end - at);
  if (limit < minLength) return 0;
  const enough = Math.min(goodLength, limit);
  let length = minLength - 1;
  let distance = 0;
  let place = last[hashAt(data, at)] ?? -1;
  for (let tries = maxTries; tries > 0 && place >= 0 && at - place <= size && length < enough; tries--) {
    const common = data[place + length] === data[at + length] ? commonLength(data, place, at, limit) : 0;
    if (common > length) {
      length = common;
      distance = at - place;
    }
    const before = previous[place % size] ?? -1;
    // A slot that a later place has taken leads nowhere.
    place = before < place ? before : -1;
  }
  return distance === 0 ? 0 : (length << 16) | (distance - 1);
}

function commonLength(data: Uint8Array, a: number, b: number, limit: number): number {
  let length = 0;
  while (length < limit && data[a + length] === data[b + length]) length++;
  return length;
}
