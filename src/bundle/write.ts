// Writes a bundle: signed when asked, checked as its readers will check it, and only then a file.
import { collect, writeTgz } from '../archive/tgz.ts';
import type { ArchiveSource } from '../archive/types.ts';
import { sourceOf } from '../archive/write-tar.ts';
import type { FileStreams } from '../system/types.ts';
import { bundleFiles } from './layout.ts';
import { checkEntries } from './read.ts';
import { type SignatureDeps, signManifest } from './signature.ts';
import type { Bundle } from './types.ts';

export interface WriteRequest {
  /** Absolute path of the archive. */
  readonly path: string;
  readonly entries: readonly ArchiveSource[];
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Path of the SSH key that signs. */
  readonly signWith?: string;
}

/**
 * Writes the archive. The same entries, time and key give the same bytes.
 * @returns the bundle as a reader sees it
 * @throws IsthmusError when it could not be read again; nothing is written then
 */
export async function writeBundle(
  deps: SignatureDeps & { readonly files: Pick<FileStreams, 'writeStream'> },
  { path, entries, mtime, signWith }: WriteRequest,
): Promise<Bundle> {
  const all = signWith === undefined ? entries : [...entries, await signatureOf(deps, entries, signWith)];
  const bundle = await checkEntries(all, mtime);
  await deps.files.writeStream(path, writeTgz(all, { mtime }));
  return bundle;
}

async function signatureOf(deps: SignatureDeps, entries: readonly ArchiveSource[], key: string): Promise<ArchiveSource> {
  const manifest = entries.find((entry) => entry.path === bundleFiles.manifest);
  const text = manifest === undefined ? '' : Buffer.from(await collect(manifest.open())).toString('utf8');
  return sourceOf({ path: bundleFiles.signature, contents: Buffer.from(await signManifest(deps, key, text)) });
}
