// Writes generated files into a folder without ever destroying what someone else put there.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { failure } from '../base/errors.ts';
import type { Artifact } from '../render/types.ts';
import type { Files } from '../system/types.ts';

/** The list of generated files with their SHA-256, in the form of sha256sum; it is how a later run knows its own. */
export const checksumsFile = 'checksums.txt';

export interface WriteOptions {
  /** The folder as the user named it, for messages. */
  readonly shown: string;
  /** What to do with generated files that were edited since: refuse to go on, replace them, or keep them as they are. */
  readonly edited: 'refuse' | 'replace' | 'keep';
}

export interface Written {
  readonly changed: number;
  readonly removed: number;
  readonly unchanged: number;
}

/**
 * Makes `folder` hold exactly the artifacts, besides files that are not ours.
 * Everything is checked before the first write; the checksum list is written last, so a run that dies is repaired by the next.
 * @throws IsthmusError when the folder belongs to someone else, or a generated file was edited and `edited` is `refuse`
 */
export async function writeArtifacts(
  files: Files,
  folder: string,
  artifacts: readonly Artifact[],
  options: WriteOptions,
): Promise<Written> {
  const present = new Set((await files.exists(folder)) ? await files.list(folder) : []);
  const ours = present.has(checksumsFile) ? parseChecksums(await files.read(join(folder, checksumsFile))) : new Map<string, string>();
  if (present.size > 0 && ours.size === 0) throw foreignFolder(options.shown);
  const wanted = new Map(artifacts.map((artifact) => [artifact.path, artifact]));
  const stale = [...ours.keys()].filter((path) => !wanted.has(path) && present.has(path));
  const sums = await checksums(files, folder, [...[...wanted.keys()].filter((path) => present.has(path)), ...stale]);
  const changed = artifacts.filter((artifact) => sums.get(artifact.path) !== sha256(artifact.contents));
  const touched = [...changed.map((artifact) => artifact.path), ...stale].filter((path) => path !== checksumsFile && present.has(path));
  const edited = touched.filter((path) => sums.get(path) !== ours.get(path));
  if (edited.length > 0 && options.edited === 'refuse') throw editedFiles(edited, options.shown);
  const kept = new Set(options.edited === 'keep' ? edited : []);
  for (const path of stale) if (!kept.has(path)) await files.remove(join(folder, path));
  const last = (artifact: Artifact) => (artifact.path === checksumsFile ? 1 : 0);
  const writes = changed.filter((artifact) => !kept.has(artifact.path)).sort((a, b) => last(a) - last(b));
  for (const artifact of writes) await writeOne(files, folder, artifact);
  return { changed: writes.length, removed: stale.length, unchanged: artifacts.length - changed.length };
}

function writeOne(files: Files, folder: string, artifact: Artifact): Promise<void> {
  return files.write(join(folder, artifact.path), artifact.contents, artifact.executable === true ? { executable: true } : {});
}

function parseChecksums(text: string): Map<string, string> {
  const lines = text.split('\n').map((line) => /^([0-9a-f]{64}) {2}(.+)$/.exec(line));
  return new Map(lines.flatMap((match) => (match?.[1] !== undefined && match[2] !== undefined ? [[match[2], match[1]] as const] : [])));
}

async function checksums(files: Files, folder: string, paths: readonly string[]): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  for (const path of paths) sums.set(path, sha256(await files.read(join(folder, path), maxGeneratedBytes)));
  return sums;
}

/** No generated file comes near this size; bytes. */
const maxGeneratedBytes = 512 * 1024 * 1024;

function sha256(contents: string): string {
  return createHash('sha256').update(contents).digest('hex');
}

function foreignFolder(shown: string): Error {
  return failure('is not empty and was not written by isthmus', {
    where: shown,
    hint: 'Name another folder with --out; nothing was written.',
  });
}

function editedFiles(paths: readonly string[], shown: string): Error {
  const list = paths.slice(0, 10).join(', ');
  return failure(`files were edited since they were generated: ${list}${paths.length > 10 ? ` and ${paths.length - 10} more` : ''}`, {
    where: shown,
    hint: 'Put the change into mesh.yaml or a template (--templates) so that it stays; --overwrite drops it. Nothing was written.',
  });
}
