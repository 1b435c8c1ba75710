// Finds repetitions for DEFLATE: literals and references to what came up to 32 KiB before.
import { bitsOfToken, type Tokens } from './deflate-code.ts';

export interface Matcher {
  /** Where the caller puts the bytes of the current block. */
  readonly block: Uint8Array;
  /** Tokens of the first `length` bytes of the block, once per block; undefined when `probe` bytes of them have not become shorter. */
  tokens(length: number, probe: number): Tokens | undefined;
  /** Ends the block: it becomes what the next one may refer to. */
  slide(): void;
}

const minLength = 3;
const maxLength = 258;
/** How many earlier places are tried for each match. */
const maxTries = 48;
/** A match of this length is taken without trying more places. */
const goodLength = 128;
const hashBits = 15;

/** @param size bytes of a block, at most 32 KiB */
export function createMatcher(size: number): Matcher {
  const data = new Uint8Array(2 * size);
  // By hash the last place in `data`, and by place the one before it with the same hash; -1 for none.
  const head = new Int32Array(1 << hashBits).fill(-1);
  const previous = new Int32Array(size).fill(-1);
  const found = new Int32Array(size);

  return { block: data.subarray(size), tokens, slide };

  function tokens(length: number, probe: number): Tokens | undefined {
    const end = size + length;
    let count = 0;
    let bits = 0;
    for (let at = size; at < end; ) {
      if (at - size >= probe && bits >= (at - size) * 8) return undefined;
      const token = bestMatch(at, end) ?? data[at] ?? 0;
      found[count++] = token;
      bits += bitsOfToken(token);
      const next = at + Math.max(1, token >> 16);
      while (at < next) insert(at++, end);
    }
    return { tokens: found.subarray(0, count), bits };
  }

  function slide(): void {
    data.copyWithin(0, size);
    for (const places of [head, previous]) for (let i = 0; i < places.length; i++) places[i] = Math.max(-1, (places[i] ?? -1) - size);
  }

  function hashAt(at: number): number {
    const three = ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0);
    return Math.imul(three, 0x9e3779b1) >>> (32 - hashBits);
  }

  function insert(at: number, end: number): void {
    if (at + minLength > end) return;
    const hash = hashAt(at);
    previous[at % size] = head[hash] ?? -1;
    head[hash] = at;
  }

  function bestMatch(at: number, end: number): number | undefined {
    const limit = Math.min(maxLength, end - at);
    if (limit < minLength) return undefined;
    let length = minLength - 1;
    let distance = 0;
    let place = head[hashAt(at)] ?? -1;
    for (let tries = 0; tries < maxTries && place >= at - size && place >= 0; tries++) {
      const common = commonLength(place, at, { longerThan: length, limit });
      if (common > length) [length, distance] = [common, at - place];
      if (length >= goodLength || length === limit) break;
      place = placeBefore(place);
    }
    return distance === 0 ? undefined : (length << 16) | (distance - 1);
  }

  /** The place before it with the same hash; none where a later place has taken its slot. */
  function placeBefore(place: number): number {
    const before = previous[place % size] ?? -1;
    return before < place ? before : -1;
  }

  /** How many bytes are the same at both places; 0 when that cannot be more than `longerThan`. */
  function commonLength(a: number, b: number, { longerThan, limit }: { readonly longerThan: number; readonly limit: number }): number {
    if (data[a + longerThan] !== data[b + longerThan]) return 0;
    let length = 0;
    while (length < limit && data[a + length] === data[b + length]) length++;
    return length;
  }
}
