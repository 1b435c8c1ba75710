// Compresses to DEFLATE (RFC 1951) with bytes that follow from the input alone. zlib's do not: Node's own, the one Debian links into
// Node and zlib-ng choose other matches from the same input, so a pinned compressor in JavaScript does the work.
import { Deflate } from 'fflate';

/** Input is handed on in pieces of this many bytes, because what the compressor writes depends on how its input is cut. */
const pieceBytes = 64 * 1024;
const level = 6;

export interface DeflateStream {
  /** Takes input and returns what is compressed so far. */
  push(bytes: Uint8Array): Uint8Array;
  /** Ends the stream and returns the rest of it; may be called once. */
  finish(): Uint8Array;
}

/** A new stream. How the input is cut into pushes changes no byte of the output. */
export function createDeflate(): DeflateStream {
  const piece = new Uint8Array(pieceBytes);
  const output: Uint8Array[] = [];
  const deflate = new Deflate({ level }, (chunk) => void output.push(chunk));
  let filled = 0;
  const take = () => Buffer.concat(output.splice(0));
  return {
    push: (bytes) => {
      for (let taken = 0; taken < bytes.length; ) {
        const part = bytes.subarray(taken, taken + pieceBytes - filled);
        piece.set(part, filled);
        filled += part.length;
        taken += part.length;
        if (filled < pieceBytes) continue;
        deflate.push(piece);
        filled = 0;
      }
      return take();
    },
    finish: () => {
      deflate.push(piece.subarray(0, filled), true);
      return take();
    },
  };
}
