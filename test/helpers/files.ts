// Files of the repository that are generated and committed: compared with what the code makes now.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Compares a committed file (path from the repository's root) with `expected`; ISTHMUS_UPDATE=1 rewrites it. */
export function matchCommitted(path: string, expected: string): void {
  if (process.env['ISTHMUS_UPDATE'] === '1') writeFileSync(join(root, path), expected);
  if (readFileSync(join(root, path), 'utf8') !== expected)
    throw new Error(`${path} is not what the code makes now; run npm run test:update`);
}
