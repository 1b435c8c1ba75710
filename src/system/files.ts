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
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { failure, type IsthmusError, messageOf, usageError } from '../base/errors.ts';
import type { Files } from './types.ts';

/** Largest file that is read unless the caller says otherwise, in bytes. */
export const defaultMaxBytes = 64 * 1024 * 1024;

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
export function createFiles(): Files {
  return {
    read: async (path, maxBytes) => decode(readFile(path, maxBytes), path),
    readBytes: async (path, maxBytes) => readFile(path, maxBytes),
    exists: async (path) => exists(path),
    list: async (folder) => listBelow(folder, '').sort(compareBytes),
    write: async (path, contents, options) => writeFile(path, contents, options),
    remove: async (path) => rmSync(path, { recursive: true, force: true }),
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
  const stats = fstatSync(descriptor);
  if (stats.isDirectory()) throw usageError('is a folder; a file is expected', { where: path });
  if (!stats.isFile()) throw usageError('is not a regular file', { where: path });
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

function writeFile(path: string, contents: string | Uint8Array, options: { readonly executable?: boolean } = {}): void {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  const mode = options.executable === true ? 0o755 : 0o644;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, contents, { mode, flag: 'wx' });
    chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw failure(`cannot be written: ${reasonOf(error)}`, { where: path, cause: error });
  }
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
