// Packed archives: .tgz as a stream for bundles, and in memory for chart packages.
import { gunzip, gzip } from './gzip.ts';
import { readTar } from './read-tar.ts';
import type { ArchivedFile, ArchiveEntry, ArchiveLimits, ArchiveOptions, ArchiveSource, ByteStream } from './types.ts';
import { sourceOf, writeTar } from './write-tar.ts';

/** Limits for what is read into memory: no chart comes near them. */
export const chartLimits: ArchiveLimits = { maxFiles: 2000, maxFileBytes: 64 * 2 ** 20, maxTotalBytes: 256 * 2 ** 20 };

/** The bytes of a packed archive; its entries are read one after the other. Errors are those of `writeTar`. */
export function writeTgz(entries: readonly ArchiveSource[], options: ArchiveOptions): ByteStream {
  return gzip(writeTar(entries, options));
}

/** A packed archive in memory, such as a chart package of `<chart>/Chart.yaml` and so on, which helm 3 and 4 read. */
export async function packTgz(entries: readonly ArchiveEntry[], options: ArchiveOptions): Promise<Uint8Array> {
  return collect(writeTgz(entries.map(sourceOf), options));
}

/** The files of a packed archive as its bytes come in; see `readTar`. */
export function streamTgz(bytes: ByteStream, limits: ArchiveLimits): AsyncGenerator<ArchivedFile, void, void> {
  return readTar(gunzip(bytes), limits);
}

/**
 * Reads a packed archive that is in memory. It must be in the form that `packTgz` writes; how well it is compressed does not matter.
 * @throws IsthmusError (findings) at the first thing that is not
 */
export async function readTgz(bytes: Uint8Array, limits: ArchiveLimits = chartLimits): Promise<readonly ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  for await (const { path, executable, contents } of streamTgz(only(bytes), limits))
    entries.push({ path, contents: await collect(contents), ...(executable ? { executable } : {}) });
  return entries;
}

/** All bytes of a stream; only for what is known to be small. */
export async function collect(bytes: ByteStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* only(bytes: Uint8Array): ByteStream {
  yield bytes;
}
