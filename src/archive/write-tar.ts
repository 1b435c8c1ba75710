// Writes ustar archives whose bytes follow from paths, contents, executable bits and one time, and from nothing else.
import { shortText } from '../base/names.ts';
import { archiveError } from './errors.ts';
import { comparePaths, createPathCheck } from './paths.ts';
import { blockSize, encodeHeader } from './tar-header.ts';
import type { ArchiveEntry, ArchiveOptions, ArchiveSource, ByteStream } from './types.ts';

/**
 * The bytes of an archive, sorted by path. All paths are checked before the first byte.
 * @throws IsthmusError when a path may not be in an archive (`checkPath`), clashes with another, or a source gives more or fewer bytes than its size
 */
export async function* writeTar(entries: readonly ArchiveSource[], { mtime }: ArchiveOptions): ByteStream {
  const sorted = entries.toSorted(comparePaths);
  const check = createPathCheck();
  const headers = sorted.map((entry) => {
    check(entry.path);
    return encodeHeader({ path: entry.path, size: entry.size, executable: entry.executable ?? false, mtime });
  });
  for (const [index, entry] of sorted.entries()) {
    yield headers[index] ?? new Uint8Array();
    yield* contentsOf(entry);
    yield new Uint8Array(paddingOf(entry.size));
  }
  yield new Uint8Array(2 * blockSize);
}

/** An entry in memory as a source. */
export function sourceOf({ path, contents, executable }: ArchiveEntry): ArchiveSource {
  return {
    path,
    size: contents.length,
    ...(executable === undefined ? {} : { executable }),
    async *open() {
      yield contents;
    },
  };
}

/** Zero bytes that follow contents of `size` bytes. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

async function* contentsOf(entry: ArchiveSource): ByteStream {
  let given = 0;
  for await (const chunk of entry.open()) {
    given += chunk.length;
    if (given > entry.size) break;
    yield chunk;
  }
  if (given !== entry.size) throw archiveError('changed while it was packed', shortText(entry.path));
}
