// Golden files: compared byte for byte; ISTHMUS_UPDATE=1 rewrites them.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createPatch } from 'diff';

const goldenFolder = join(import.meta.dirname, '..', 'golden');
const updating = process.env['ISTHMUS_UPDATE'] === '1';

/** Compares `actual` with test/golden/<path>; throws a unified diff when they differ. */
export function matchGolden(path: string, actual: string): void {
  const file = join(goldenFolder, path);
  if (updating) writeGolden(file, actual);
  const expected = readOrUndefined(file);
  if (expected === undefined) throw new Error(`no golden file ${path}; run npm run test:update and look at what it wrote`);
  if (expected !== actual) throw new Error(`differs from its golden file:\n${createPatch(path, expected, actual, 'golden', 'now')}`);
}

/** Compares a whole tree of files (path to contents) with the folder test/golden/<path>: same files, same bytes. */
export function matchGoldenTree(path: string, files: ReadonlyMap<string, string>): void {
  const folder = join(goldenFolder, path);
  if (updating) rmSync(folder, { recursive: true, force: true });
  for (const [name, contents] of files) matchGolden(join(path, name), contents);
  const extra = listFiles(folder).filter((name) => !files.has(name));
  if (extra.length > 0) throw new Error(`golden files that are not made any more: ${extra.join(', ')}`);
}

function writeGolden(file: string, actual: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, actual);
}

function readOrUndefined(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
