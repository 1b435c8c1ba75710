// Which paths an archive may hold: those that every file system takes for one and the same file below its folder.
import { shortText } from '../base/names.ts';
import { archiveError } from './errors.ts';

const component = /^[A-Za-z0-9._@+-]+$/;
/** Names that Windows gives to devices, whatever comes after a dot. */
const device = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/**
 * Refuses a path that is absolute, leads out of its folder, or is not the same name everywhere.
 * Allowed are parts of letters, digits and `._@+-`, joined by `/`.
 * @throws IsthmusError that quotes the path
 */
export function checkPath(path: string): void {
  const shown = shortText(path);
  if (path === '') throw archiveError('holds a file without a name');
  if (path.startsWith('/')) throw archiveError('is an absolute path', shown);
  for (const part of path.split('/')) {
    if (part === '..') throw archiveError('leads out of its folder', shown);
    if (part === '' || part === '.') throw archiveError('has an empty part or `.`', shown);
    if (!component.test(part)) throw archiveError('has a character other than letters, digits and ._@+-', shown);
    if (part.endsWith('.') || device.test(part)) throw archiveError('is a name that some systems read as another', shown);
  }
}

/** Takes paths one by one and refuses those that `checkPath` refuses, come twice, differ in case alone, or use a file as a folder. */
export function createPathCheck(): (path: string) => void {
  const seen = new Map<string, { readonly path: string; readonly file: boolean }>();
  return (path) => {
    checkPath(path);
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) add(path.slice(0, end), false);
    add(path, true);
  };

  function add(path: string, file: boolean): void {
    const before = seen.get(path.toLowerCase());
    if (before === undefined) return void seen.set(path.toLowerCase(), { path, file });
    if (before.path !== path) throw archiveError(`differs from ${shortText(before.path)} in case alone`, shortText(path));
    if (file && before.file) throw archiveError('is there twice', shortText(path));
    if (file || before.file) throw archiveError('is both a file and a folder', shortText(path));
  }
}

/** Order of paths by their bytes, the same in every locale; to sort with. */
export function comparePaths(a: { readonly path: string }, b: { readonly path: string }): number {
  // Paths are ASCII, whose order of code units is that of the bytes.
  if (a.path === b.path) return 0;
  return a.path < b.path ? -1 : 1;
}
