// The file system: regular files only, bounded, and written so that no half file is ever seen.
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
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
    read,
    exists: async (path) => (await kindOf(path)) !== undefined,
    list: async (folder) => (await listBelow(folder, '')).sort(compareBytes),
    write,
    remove: (path) => rm(path, { recursive: true, force: true }),
  };
}

async function read(path: string, maxBytes: number = defaultMaxBytes): Promise<string> {
  const handle = await openForReading(path);
  try {
    return await readRegular(handle, path, maxBytes);
  } finally {
    await handle.close();
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK, opening a pipe would wait for a writer for ever.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw fileError(path, error);
  }
}

async function readRegular(handle: FileHandle, path: string, maxBytes: number): Promise<string> {
  const stats = await handle.stat();
  if (stats.isDirectory()) throw usageError('is a folder; a file is expected', { where: path });
  if (!stats.isFile()) throw usageError('is not a regular file', { where: path });
  if (stats.size > maxBytes) throw usageError(`is larger than ${maxBytes} bytes`, { where: path });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readBounded(handle, path, maxBytes));
  } catch (error) {
    if (error instanceof TypeError) throw usageError('is not UTF-8 text', { where: path, hint: 'Save it as UTF-8.' });
    throw error;
  }
}

/** Files of /proc and /sys claim a size of 0, so the size is checked again while reading. */
async function readBounded(handle: FileHandle, path: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total > maxBytes) throw usageError(`is larger than ${maxBytes} bytes`, { where: path });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function listBelow(folder: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const name = `${prefix}${entry.name}`;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) names.push(...(await listBelow(path, `${name}/`)));
    else if (entry.isFile()) names.push(name);
    else
      throw usageError(entry.isSymbolicLink() ? 'is a symbolic link; links are not followed here' : 'is not a regular file', {
        where: path,
      });
  }
  return names;
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw fileError(folder, error);
  }
}

async function write(path: string, contents: string, options: { readonly executable?: boolean } = {}): Promise<void> {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  const mode = options.executable === true ? 0o755 : 0o644;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, contents, { mode, flag: 'wx' });
    await chmod(temporary, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw failure(`cannot be written: ${reasonOf(error)}`, { where: path, cause: error });
  }
}

async function kindOf(path: string): Promise<'present' | undefined> {
  try {
    await lstat(path);
    return 'present';
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
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
