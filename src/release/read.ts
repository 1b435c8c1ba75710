// Reads out/ back: the release index, and whether each chart folder is there. It reaches no cluster.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type * as z from 'zod';
import { usageError } from '../base/errors.ts';
import { parseYaml, type YamlSource } from '../base/yaml.ts';
import { ReleaseIndex } from '../render/types.ts';
import type { Files } from '../system/types.ts';
import type { GeneratedMesh, Release } from './types.ts';

/** A file of out/ that is not as it was generated. Editing values.yaml is allowed, so this is for a warning. */
export interface ChangedFile {
  readonly path: string;
  readonly change: 'edited' | 'missing';
}

/**
 * Reads releases.yaml of `folder` and finds the chart folders.
 * @param folder absolute path of out/
 * @throws IsthmusError (usage) when the index is missing or malformed, or a chart folder that it names is missing or outside `folder`
 */
export async function readGenerated(files: Pick<Files, 'read' | 'exists'>, folder: string): Promise<GeneratedMesh> {
  const path = resolve(folder, 'releases.yaml');
  if (!(await files.exists(path)))
    throw usageError('holds no releases.yaml', { where: folder, hint: 'Run `isthmus generate` first, or name the folder it wrote.' });
  const source = parseYaml(await files.read(path), path);
  const parsed = ReleaseIndex.safeParse(source.value);
  if (!parsed.success) throw indexError(source, parsed.error);
  checkReferences(parsed.data, path);
  const releases: Release[] = [];
  for (const release of parsed.data.releases) releases.push({ ...release, chartPath: await chartPathOf(files, folder, release.folder) });
  return { folder: resolve(folder), index: parsed.data, releases };
}

/** Files of out/ that differ from checksums.txt, in its order. Files that it does not name are the user's own. */
export async function changedFiles(files: Pick<Files, 'read' | 'exists'>, folder: string): Promise<readonly ChangedFile[]> {
  const sums = await files.read(resolve(folder, 'checksums.txt'));
  const changed: ChangedFile[] = [];
  for (const [, digest, path = ''] of sums.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)) {
    const file = inside(folder, path);
    if (!(await files.exists(file))) changed.push({ path, change: 'missing' });
    else if (sha256(await files.read(file)) !== digest) changed.push({ path, change: 'edited' });
  }
  return changed;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function indexError(source: YamlSource, error: z.ZodError) {
  const issue = error.issues[0];
  const path = (issue?.path ?? []).filter((part) => typeof part !== 'symbol');
  return usageError(`${path.join('.')}: ${issue?.message ?? 'is malformed'}`, {
    where: source.locate(path),
    hint: 'The folder was written by another version of isthmus, or edited; run `isthmus generate` again.',
  });
}

function checkReferences(index: ReleaseIndex, where: string): void {
  const clusters = new Set(index.clusters.map(({ name }) => name));
  const named = [
    ...index.releases.map(({ cluster }) => cluster),
    ...index.remoteSecrets.flatMap(({ remote, primary }) => [remote, primary]),
  ];
  const unknown = named.find((name) => !clusters.has(name));
  if (unknown !== undefined) throw usageError(`names cluster ${unknown}, which is not in its list of clusters`, { where });
}

async function chartPathOf(files: Pick<Files, 'exists'>, folder: string, chart: string | undefined): Promise<string | undefined> {
  if (chart === undefined) return undefined;
  const path = inside(folder, chart);
  if (await files.exists(resolve(path, 'Chart.yaml'))) return path;
  throw usageError('the chart folder is missing', { where: path, hint: 'Run `isthmus generate` again.' });
}

function inside(folder: string, path: string): string {
  const full = resolve(folder, path);
  if (full.startsWith(`${resolve(folder)}/`)) return full;
  throw usageError(`names ${JSON.stringify(path)}, which is outside of it`, { where: folder });
}
