// The fixed code of DEFLATE, RFC 1951 sections 3.2.5 and 3.2.6: symbols for bytes, lengths and distances.

/** What a block is written as: each token is a byte, or `length << 16 | distance - 1`. */
export interface Tokens {
  readonly tokens: Int32Array;
  /** Length of all of them in the fixed code. */
  readonly bits: number;
}

/** The symbol that ends a block. */
export const endOfBlock = 256;
/** Lengths by symbol from 257 on, of which some bits more follow. */
export const lengthStarts = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
] as const;
export const lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0] as const;
/** Distances by symbol, of which some bits more follow. */
export const distanceStarts = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385,
  24577,
] as const;
export const distanceBits = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13] as const;

/** For every length 0 to 258 its index in `lengthStarts`. */
export const lengthIndex = Uint8Array.from({ length: 259 }, (_, length) => lastIndex(lengthStarts, length));
/** For every distance 1 to 32,768, less one, its index in `distanceStarts`. */
export const distanceIndex = Uint8Array.from({ length: 32768 }, (_, less) => lastIndex(distanceStarts, less + 1));
/** Codes of symbols 0 to 287, with their first bit lowest, as they are written. */
export const symbolCodes = Uint16Array.from({ length: 288 }, (_, symbol) => reversed(symbolCode(symbol), symbolLength(symbol)));

/** Length of a token in the fixed code. */
export function bitsOfToken(token: number): number {
  if (token < endOfBlock) return symbolLength(token);
  const length = lengthIndex[token >> 16] ?? 0;
  const distance = distanceIndex[token & 0xffff] ?? 0;
  return symbolLength(257 + length) + (lengthBits[length] ?? 0) + 5 + (distanceBits[distance] ?? 0);
}

/** Bits of the code of a symbol 0 to 287. */
export function symbolLength(symbol: number): number {
  if (symbol < 144) return 8;
  if (symbol < 256) return 9;
  return symbol < 280 ? 7 : 8;
}

function symbolCode(symbol: number): number {
  if (symbol < 144) return 0x30 + symbol;
  if (symbol < 256) return 0x190 + symbol - 144;
  return symbol < 280 ? symbol - 256 : 0xc0 + symbol - 280;
}

/** A code with its first bit lowest, as it is written. */
export function reversed(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit++) result |= ((code >> bit) & 1) << (length - 1 - bit);
  return result;
}

function lastIndex(starts: readonly number[], value: number): number {
  return Math.max(
    0,
    starts.findLastIndex((start) => start <= value),
  );
}
