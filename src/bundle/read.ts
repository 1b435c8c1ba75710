// Reads a bundle from outside in one pass that writes nothing: every byte is accounted for before anyone may use a file of it.
import { createHash } from 'node:crypto';
import { archiveError } from '../archive/errors.ts';
import { readTar } from '../archive/read-tar.ts';
import { collect, streamTgz } from '../archive/tgz.ts';
import type { ArchivedFile, ArchiveLimits, ArchiveSource, ByteStream } from '../archive/types.ts';
import { writeTar } from '../archive/write-tar.ts';
import { IsthmusError } from '../base/errors.ts';
import type { FileStreams } from '../system/types.ts';
import { checkBundle } from './check.ts';
import { bundleFiles, executables, isKnownPath, ociFolder } from './layout.ts';
import type { Bundle, BundleFile, BundleListing } from './types.ts';

/** For the whole archive: a mesh with the images of its components for all platforms is well below. */
const limits: ArchiveLimits = { maxFiles: 200_000, maxFileBytes: 8 * 2 ** 30, maxTotalBytes: 64 * 2 ** 30 };
/** For a file that is held in memory, and for all of them. */
const memory = { maxFileBytes: 64 * 2 ** 20, maxTotalBytes: 2 ** 30 } as const;
/** Bytes of the largest blob that may be a manifest or an index of images; registries take no larger ones. */
const maxDescription = 4 * 2 ** 20;

/**
 * Reads and checks a bundle.
 * @param path of the archive
 * @throws IsthmusError (findings) that says what is wrong with which file; (usage) when the archive cannot be read
 */
export async function readBundle(files: Pick<FileStreams, 'readStream'>, path: string): Promise<Bundle> {
  try {
    return await checkBundle(await listFiles(streamTgz(files.readStream(path), limits)));
  } catch (error) {
    throw error instanceof IsthmusError && error.kind === 'findings' ? within(error, path) : error;
  }
}

/** Whether a file is a bundle of isthmus, whole or not: what may be written over by another one. */
export async function isBundle(files: Pick<FileStreams, 'readStream'>, path: string): Promise<boolean> {
  try {
    for await (const file of streamTgz(files.readStream(path), limits)) if (file.path === bundleFiles.manifest) return true;
  } catch (error) {
    if (!(error instanceof IsthmusError)) throw error;
  }
  return false;
}

/** The same fault, with the archive's name before that of the file in it. */
function within(error: IsthmusError, path: string): IsthmusError {
  return new IsthmusError('findings', error.message, {
    where: error.where === undefined ? path : `${path}: ${error.where}`,
    hint: error.hint ?? 'Do not use this file; get the bundle again from where it was made.',
    cause: error,
  });
}

/**
 * Checks what is about to be written, exactly as whoever reads it will.
 * @throws IsthmusError (findings)
 */
export async function checkEntries(entries: readonly ArchiveSource[], mtime: number): Promise<Bundle> {
  return checkBundle(await listFiles(readTar(writeTar(entries, { mtime }), limits)));
}

async function listFiles(archived: AsyncIterable<ArchivedFile>): Promise<BundleListing> {
  const files = new Map<string, BundleFile>();
  const texts = new Map<string, string>();
  const [charts, blobs] = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()];
  const check = createFileCheck();
  let mtime = 0;
  for await (const file of archived) {
    check(file);
    mtime = file.mtime;
    const hash = createHash('sha256');
    const contents = hashed(file.contents, hash);
    if (isBlob(file.path) && file.size > maxDescription) for await (const _ of contents);
    else if (isBlob(file.path)) blobs.set(file.path, await collect(contents));
    else if (file.path.startsWith('charts/')) charts.set(file.path, await collect(contents));
    else texts.set(file.path, decode(await collect(contents), file.path));
    files.set(file.path, { size: file.size, sha256: hash.digest('hex') });
  }
  return { files, texts, blobs, charts, mtime };
}

function isBlob(path: string): boolean {
  return path.startsWith(`${ociFolder}blobs/`);
}

/** What can be said of a file before its contents are read. */
function createFileCheck(): (file: ArchivedFile) => void {
  let held = 0;
  return ({ path, size, executable }) => {
    if (!isKnownPath(path)) throw archiveError('is not a file of a bundle', path);
    if (executable !== executables.has(path)) throw archiveError(executable ? 'must not be executable' : 'is not executable', path);
    if (isBlob(path) && size > maxDescription) return;
    held += size;
    if (size > memory.maxFileBytes) throw archiveError(`is larger than ${memory.maxFileBytes} bytes`, path);
    if (held > memory.maxTotalBytes) throw archiveError(`holds more than ${memory.maxTotalBytes} bytes beside images`);
  };
}

async function* hashed(bytes: ByteStream, hash: ReturnType<typeof createHash>): ByteStream {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw error instanceof TypeError ? archiveError('is not UTF-8 text', path) : error;
  }
}
