// gzip (RFC 1952) in one form: a single member, no name, no time, no hint at the system that wrote it.
import { Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { createDeflate } from './deflate.ts';
import { archiveError } from './errors.ts';
import type { ByteStream } from './types.ts';

/** Magic, DEFLATE, no flags, no time, slowest method, system 255 (unknown): gzip of other systems differs in the last byte. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff]);
const trailerBytes = 8;

/** Compresses a stream; the same bytes on every machine and under every version of Node. */
export async function* gzip(bytes: ByteStream): ByteStream {
  const deflate = createDeflate();
  const sum = createSum();
  yield header;
  for await (const chunk of bytes) {
    sum.add(chunk);
    const output = deflate.push(chunk);
    if (output.length > 0) yield output;
  }
  yield deflate.finish();
  yield sum.trailer();
}

/**
 * Unpacks a stream of one gzip member that any compressor may have made, and refuses whatever comes after it.
 * @throws IsthmusError (findings) when it is damaged, not gzip in the form above, cut short or followed by anything
 */
export async function* gunzip(bytes: ByteStream): ByteStream {
  const state = { fed: 0, ended: false, trailer: Buffer.alloc(0) };
  const source = Readable.from(bodyOf(bytes, state), { objectMode: false });
  const inflate = createInflateRaw();
  // An error of the source must reach whoever reads the result.
  source.on('error', (error) => inflate.destroy(error));
  const sum = createSum();
  try {
    for await (const chunk of source.pipe(inflate)) {
      sum.add(chunk);
      yield chunk;
    }
  } catch (error) {
    throw zlibError(error);
  } finally {
    source.destroy();
    inflate.destroy();
  }
  if (!state.ended || inflate.bytesWritten !== state.fed) throw archiveError('goes on after the end of its gzip member');
  if (!state.trailer.equals(sum.trailer())) throw archiveError('is damaged: its gzip checksum is another');
}

interface GunzipState {
  /** Bytes between header and trailer so far. */
  fed: number;
  ended: boolean;
  /** The last eight bytes, once the stream has ended. */
  trailer: Buffer;
}

/** What lies between header and trailer. */
async function* bodyOf(bytes: ByteStream, state: GunzipState): AsyncGenerator<Buffer> {
  let kept = Buffer.alloc(0);
  let started = false;
  for await (const chunk of bytes) {
    kept = Buffer.concat([kept, chunk]);
    if (!started && kept.length >= header.length) {
      checkHeader(kept.subarray(0, header.length));
      kept = kept.subarray(header.length);
      started = true;
    }
    if (!started || kept.length <= trailerBytes) continue;
    const body = kept.subarray(0, kept.length - trailerBytes);
    kept = kept.subarray(body.length);
    state.fed += body.length;
    yield body;
  }
  if (!started || kept.length < trailerBytes) throw archiveError('is not a gzip archive, or ends too early');
  state.trailer = kept;
  state.ended = true;
}

function checkHeader(bytes: Buffer): void {
  if (bytes.equals(header)) return;
  if (!bytes.subarray(0, 2).equals(header.subarray(0, 2))) throw archiveError('is not a gzip archive');
  throw archiveError('has a gzip header that isthmus does not write');
}

function createSum() {
  let sum = 0;
  let length = 0;
  return {
    add: (bytes: Uint8Array) => {
      sum = crc32(bytes, sum);
      length = (length + bytes.length) % 2 ** 32;
    },
    /** CRC-32 and length, as the trailer has them. */
    trailer: () => {
      const bytes = Buffer.alloc(trailerBytes);
      bytes.writeUInt32LE(sum, 0);
      bytes.writeUInt32LE(length, 4);
      return bytes;
    },
  };
}

function zlibError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'Z_BUF_ERROR') return archiveError('ends too early');
  return code.startsWith('Z_') ? archiveError('is damaged: it cannot be unpacked') : error;
}
