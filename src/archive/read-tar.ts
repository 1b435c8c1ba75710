// Reads ustar archives from outside: strictly the form that isthmus writes, bounded, and to the last byte.
import { shortText } from '../base/names.ts';
import { archiveError } from './errors.ts';
import { createPathCheck } from './paths.ts';
import { blockSize, decodeHeader, type TarHeader } from './tar-header.ts';
import type { ArchivedFile, ArchiveLimits, ByteStream } from './types.ts';
import { paddingOf } from './write-tar.ts';

/**
 * The files of an archive in their order, while its bytes come in. Trust nothing before the last one was given: a fault may come after it.
 * @throws IsthmusError (findings) at the first byte that `writeTar` would not have written, or above a limit
 */
export async function* readTar(bytes: ByteStream, limits: ArchiveLimits): AsyncGenerator<ArchivedFile, void, void> {
  const input = createInput(bytes);
  const check = createOrderCheck(limits);
  try {
    for (;;) {
      const block = await input.take(blockSize);
      if (isZero(block)) return await checkEnd(input);
      const header = decodeHeader(block);
      check(header);
      const contents = readContents(input, header);
      yield { ...header, contents };
      for await (const _ of contents);
    }
  } finally {
    await input.close();
  }
}

/** Checks headers one after the other: paths, their order, one time for all, and the limits. */
function createOrderCheck(limits: ArchiveLimits): (header: TarHeader) => void {
  const checkPaths = createPathCheck();
  let files = 0;
  let total = 0;
  let before: TarHeader | undefined;
  return (header) => {
    const shown = shortText(header.path);
    checkPaths(header.path);
    if (++files > limits.maxFiles) throw archiveError(`holds more than ${limits.maxFiles} files`);
    if (header.size > limits.maxFileBytes) throw archiveError(`is larger than ${limits.maxFileBytes} bytes`, shown);
    total += header.size;
    if (total > limits.maxTotalBytes) throw archiveError(`holds more than ${limits.maxTotalBytes} bytes`);
    if (before !== undefined && before.path > header.path) throw archiveError('is not in the order of paths', shown);
    if (before !== undefined && before.mtime !== header.mtime) throw archiveError('has another time than the files before it', shown);
    before = header;
  };
}

async function* readContents(input: Input, { path, size }: TarHeader): ByteStream {
  let left = size;
  while (left > 0) {
    const chunk = await input.some(left);
    left -= chunk.length;
    yield chunk;
  }
  const padding = await input.take(paddingOf(size));
  if (!isZero(padding)) throw archiveError('is followed by bytes that belong to no file', shortText(path));
}

async function checkEnd(input: Input): Promise<void> {
  if (!isZero(await input.take(blockSize))) throw archiveError('has one empty block in the middle');
  if (!(await input.ended())) throw archiveError('goes on after its end');
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** A stream of chunks read by lengths. */
interface Input {
  /** Exactly `length` bytes; IsthmusError when the stream ends before. */
  take(length: number): Promise<Uint8Array>;
  /** At least one byte and at most `length`. */
  some(length: number): Promise<Uint8Array>;
  ended(): Promise<boolean>;
  close(): Promise<void>;
}

function createInput(bytes: ByteStream): Input {
  const iterator = bytes[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  const ended = async () => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return true;
      rest = next.value;
    }
    return false;
  };
  const some = async (length: number) => {
    if (await ended()) throw archiveError('ends too early');
    const chunk = rest.subarray(0, length);
    rest = rest.subarray(chunk.length);
    return chunk;
  };
  const take = async (length: number) => {
    const taken = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const chunk = await some(length - filled);
      taken.set(chunk, filled);
      filled += chunk.length;
    }
    return taken;
  };
  return { take, some, ended, close: async () => void (await iterator.return?.()) };
}
