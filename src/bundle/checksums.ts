// checksums.txt in the form that `sha256sum -c` reads, so that a bundle can be checked without isthmus.
import { createHash } from 'node:crypto';
import { archiveError } from '../archive/errors.ts';

/** SHA-256, hex. */
export function sha256(contents: string | Uint8Array): string {
  return createHash('sha256').update(contents).digest('hex');
}

/** One line for each file, two spaces between digest and path, in bytewise order of path. */
export function formatChecksums(digests: ReadonlyMap<string, string>): string {
  return [...digests]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, digest]) => `${digest}  ${path}\n`)
    .join('');
}

/**
 * Digests by path.
 * @throws IsthmusError (findings) when the text is not exactly what `formatChecksums` makes of them
 */
export function parseChecksums(text: string, where: string): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const [, digest = '', path = ''] of text.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)) digests.set(path, digest);
  if (formatChecksums(digests) !== text) throw archiveError('is not a sorted list of SHA-256 and paths', where);
  return digests;
}
