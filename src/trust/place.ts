// Keys must not lie where generated files do: out/ is looked at, committed, copied and published.
import { dirname, join, relative } from 'node:path';
import { usageError } from '../base/errors.ts';
import type { Files } from '../system/types.ts';

/** The file by which a folder is known as one that `isthmus generate` wrote. */
const generatedMark = 'releases.yaml';

/**
 * @param folder absolute path
 * @throws IsthmusError (usage) when the folder is, or lies below, one that isthmus generated
 */
export async function refuseGenerated(files: Pick<Files, 'exists'>, folder: string): Promise<void> {
  for (let parent = folder; ; parent = dirname(parent)) {
    if (await files.exists(join(parent, generatedMark))) throw insideOut(folder, parent);
    if (parent === dirname(parent)) return;
  }
}

/**
 * @param folder absolute path of the folder of keys
 * @param out absolute path of the folder of generated files
 * @throws IsthmusError (usage) when the one is in the other
 */
export function refuseInside(folder: string, out: string): void {
  const path = relative(out, folder);
  if (path === '' || !(path.startsWith('..') || path.startsWith('/'))) throw insideOut(folder, out);
}

function insideOut(folder: string, out: string) {
  return usageError(`lies in ${out}, which holds generated files; no key may be there`, {
    where: folder,
    hint: 'Choose a folder beside it.',
  });
}
