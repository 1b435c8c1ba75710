// The file system: regular files only, bounded, and written so that no half file is ever seen.
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { failure, type IsthmusError, messageOf, usageError } from '../base/errors.ts';
import type { FileStreams, Files } from './types.ts';

/** Largest file that is read unless the caller says otherwise, in bytes. */
export const defaultMaxBytes = 64 * 1024 * 1024;

/** Bytes that a stream reads at a time. */
const chunkBytes = 256 * 1024;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  ELOOP: 'is a symbolic link that leads to itself',
  ENOTDIR: 'lies below something that is not a folder',
  EISDIR: 'is a folder; a file is expected',
  ENXIO: 'is a socket or a pipe; a regular file is expected',
  ENAMETOOLONG: 'has a name that is too long',
  EROFS: 'lies on a read-only file system',
  ENOSPC: 'cannot be written: the disk is full',
};

/** The real file system. */
export function createFiles(): Files & FileStreams {
  return {
    read: async (path, maxBytes) => decode(readFile(path, maxBytes), path),
    readBytes: async (path, maxBytes) => readFile(path, maxBytes),
    exists: async (path) => exists(path),
    list: async (folder) => listBelow(folder, '').sort(compareBytes),
    write: async (path, contents, options) => writeFile(path, contents, options),
    remove: async (path) => rmSync(path, { recursive: true, force: true }),
    size: async (path) => sizeOf(path),
    readStream: (path) => readStream(path),
    writeStream: async (path, bytes, options) => writeStream(path, bytes, options),
  };
}

/** Synchronous below: isthmus reads and writes hundreds of small files in a row, which costs a third of doing it through the thread pool. */
function readFile(path: string, maxBytes: number = defaultMaxBytes): Buffer {
  const descriptor = openForReading(path);
  try {
    return readRegular(descriptor, path, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}

function openForReading(path: string): number {
  try {
    // Without O_NONBLOCK, opening a pipe would wait for a writer for ever.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw fileError(path, error);
  }
}

function readRegular(descriptor: number, path: string, maxBytes: number): Buffer {
  const stats = regularStats(descriptor, path);
  if (stats.size > maxBytes) throw tooLarge(path, maxBytes);
  // Files of /proc and /sys claim a size of 0, so what is read is bounded again.
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.max(stats.size - total, 0) + 1024);
    const length = readSync(descriptor, chunk);
    if (length === 0) return Buffer.concat(chunks);
    total += length;
    if (total > maxBytes) throw tooLarge(path, maxBytes);
    chunks.push(chunk.subarray(0, length));
  }
}

function regularStats(descriptor: number, path: string): Stats {
  const stats = fstatSync(descriptor);
  if (stats.isDirectory()) throw usageError('is a folder; a file is expected', { where: path });
  if (!stats.isFile()) throw usageError('is not a regular file', { where: path });
  return stats;
}

function tooLarge(path: string, maxBytes: number): IsthmusError {
  return usageError(`is larger than ${maxBytes} bytes`, { where: path });
}

function decode(bytes: Buffer, path: string): string {
  if (!isUtf8(bytes)) throw usageError('is not UTF-8 text', { where: path, hint: 'Save it as UTF-8.' });
  return bytes.toString('utf8');
}

function listBelow(folder: string, prefix: string): string[] {
  const names: string[] = [];
  for (const entry of entriesOf(folder)) {
    const name = `${prefix}${entry.name}`;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) names.push(...listBelow(path, `${name}/`));
    else if (entry.isFile()) names.push(name);
    else
      throw usageError(entry.isSymbolicLink() ? 'is a symbolic link; links are not followed here' : 'is not a regular file', {
        where: path,
      });
  }
  return names;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw fileError(folder, error);
  }
}

function sizeOf(path: string): number {
  const descriptor = openForReading(path);
  try {
    return regularStats(descriptor, path).size;
  } finally {
    closeSync(descriptor);
  }
}

async function* readStream(path: string): AsyncGenerator<Uint8Array> {
  const descriptor = openForReading(path);
  try {
    regularStats(descriptor, path);
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const length = readSync(descriptor, chunk);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

type WriteOptions = Parameters<Files['write']>[2];

function writeFile(path: string, contents: string | Uint8Array, options: WriteOptions): void {
  const temporary = temporaryFor(path);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, contents, { flag: 'wx' });
    putInPlace(temporary, path, options);
  } catch (error) {
    throw notWritten(temporary, path, error);
  }
}

async function writeStream(path: string, bytes: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<void> {
  const temporary = temporaryFor(path);
  try {
    mkdirSync(dirname(path), { recursive: true });
    await writeAll(openSync(temporary, 'wx'), bytes);
    putInPlace(temporary, path, options);
  } catch (error) {
    throw notWritten(temporary, path, error);
  }
}

async function writeAll(descriptor: number, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of bytes) for (let written = 0; written < chunk.length; ) written += writeSync(descriptor, chunk, written);
  } finally {
    closeSync(descriptor);
  }
}

function temporaryFor(path: string): string {
  return join(dirname(path), `.${randomUUID()}.tmp`);
}

function putInPlace(temporary: string, path: string, options: WriteOptions = {}): void {
  chmodSync(temporary, options.executable === true ? 0o755 : 0o644);
  renameSync(temporary, path);
}

/** Takes away what was written so far. An error of a stream's source is its own, not one of writing. */
function notWritten(temporary: string, path: string, error: unknown): unknown {
  rmSync(temporary, { force: true });
  return codeOf(error) === undefined ? error : failure(`cannot be written: ${reasonOf(error)}`, { where: path, cause: error });
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw fileError(path, error);
  }
}

function fileError(path: string, error: unknown): IsthmusError {
  return usageError(reasonOf(error), { where: path, cause: error });
}

function reasonOf(error: unknown): string {
  return reasons[codeOf(error) ?? ''] ?? messageOf(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
