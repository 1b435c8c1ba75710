// Writes blocks of DEFLATE: in the fixed code of RFC 1951 section 3.2.6, or stored when that is shorter. Codes made for each block would
// save a seventh of what is left of generated text, at twice the code.
import {
  distanceBits,
  distanceIndex,
  distanceStarts,
  endOfBlock,
  lengthBits,
  lengthIndex,
  lengthStarts,
  reversed,
  symbolCodes,
  symbolLength,
  type Tokens,
} from './deflate-code.ts';

/** Bits that do not fill a byte yet, carried from block to block. */
export interface PendingBits {
  pending: number;
  count: number;
}

export interface Block {
  readonly bytes: Uint8Array;
  /** Undefined for a block that is stored as it is. */
  readonly tokens: Tokens | undefined;
  readonly final: boolean;
}

/** Writes one block behind `bits` and leaves there what does not fill a byte; a final block fills its last one. */
export function writeBlock(bits: PendingBits, block: Block): { readonly output: Uint8Array; readonly stored: boolean } {
  const { bytes, tokens, final } = block;
  const stored = tokens === undefined || tokens.bits > bytes.length * 8 + 32;
  const output = createBitWriter(bits, bytes.length + 16);
  output.write(final ? 1 : 0, 1);
  if (stored) {
    output.write(0, 2);
    output.align();
    output.write(bytes.length, 16);
    output.write(~bytes.length & 0xffff, 16);
    output.copy(bytes);
  } else {
    output.write(1, 2);
    for (const token of tokens.tokens) writeToken(output, token);
    output.write(0, symbolLength(endOfBlock));
  }
  if (final) output.align();
  return { output: output.end(), stored };
}

function writeToken(output: BitWriter, token: number): void {
  if (token < endOfBlock) {
    output.write(symbolCodes[token] ?? 0, symbolLength(token));
    return;
  }
  const length = lengthIndex[token >> 16] ?? 0;
  output.write(symbolCodes[257 + length] ?? 0, symbolLength(257 + length));
  output.write((token >> 16) - (lengthStarts[length] ?? 0), lengthBits[length] ?? 0);
  const distance = distanceIndex[token & 0xffff] ?? 0;
  output.write(reversed(distance, 5), 5);
  output.write((token & 0xffff) + 1 - (distanceStarts[distance] ?? 0), distanceBits[distance] ?? 0);
}

interface BitWriter {
  /** The lowest `count` bits of `value`, at most 16. */
  write(value: number, count: number): void;
  /** Fills the last byte with zeros. */
  align(): void;
  /** Whole bytes, after `align`. */
  copy(bytes: Uint8Array): void;
  end(): Uint8Array;
}

function createBitWriter(bits: PendingBits, capacity: number): BitWriter {
  const bytes = new Uint8Array(capacity);
  let length = 0;
  const write = (value: number, count: number) => {
    bits.pending |= value << bits.count;
    bits.count += count;
    for (; bits.count >= 8; bits.count -= 8) {
      bytes[length++] = bits.pending & 0xff;
      bits.pending >>>= 8;
    }
  };
  return {
    write,
    align: () => write(0, (8 - bits.count) % 8),
    copy: (source) => {
      bytes.set(source, length);
      length += source.length;
    },
    end: () => bytes.subarray(0, length),
  };
}
