// What a bundle takes of out/: chart folders as packages, values to be looked at, and what install reads. Nothing else of the folder goes in.
import { join } from 'node:path';
import { packTgz } from '../archive/tgz.ts';
import type { ArchiveEntry } from '../archive/types.ts';
import { failure, usageError } from '../base/errors.ts';
import { parseYaml } from '../base/yaml.ts';
import type { GeneratedMesh } from '../release/types.ts';
import type { Files } from '../system/types.ts';
import { formatChecksums, parseChecksums, sha256 } from './checksums.ts';
import { refuseSecrets } from './secrets.ts';

/** A chart folder of out/, packed. */
export interface PackedChart {
  readonly cluster: string;
  /** Folder below `clusters/<cluster>/`: the release that it installs. */
  readonly release: string;
  /** `charts/<name>-<version>.tgz` */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Text of Chart.yaml. */
  readonly metadata: string;
  /** Text of values.yaml; undefined for a chart without one. */
  readonly values: string | undefined;
}

export interface GeneratedContents {
  readonly charts: readonly PackedChart[];
  /** Further files, with paths as in out/. */
  readonly texts: readonly ArchiveEntry[];
  /** SHA-256 over all that was read. */
  readonly digest: string;
}

/** Files of out/ that a bundle holds as they are: what the charts were made from, and the index of releases. */
const carried = /^(?:mesh\.yaml|plan\.yaml|releases\.yaml|topology\.svg|facts\/[^/]+\.yaml)$/;
const chartFile = /^clusters\/([^/]+)\/([^/]+)\/(.+)$/;

/**
 * Reads out/ and packs its charts.
 * @throws IsthmusError when a file is missing, was put into a chart folder by someone else, or holds a secret
 */
export async function readContents(
  files: Pick<Files, 'read' | 'list'>,
  generated: GeneratedMesh,
  mtime: number,
): Promise<GeneratedContents> {
  const { folder } = generated;
  const checksums = parseChecksums(await files.read(join(folder, 'checksums.txt')), join(folder, 'checksums.txt'));
  const wanted = [...checksums.keys()].filter((path) => carried.test(path) || chartFile.test(path));
  await refuseForeign(files, folder, new Set(wanted));
  const contents: { readonly path: string; readonly text: string }[] = [];
  for (const path of wanted) contents.push({ path, text: await files.read(join(folder, path)) });
  for (const { path, text } of contents) refuseSecrets(path, text);
  return {
    charts: await packCharts(contents, mtime),
    texts: contents.filter(({ path }) => carried.test(path)).map(({ path, text }) => ({ path, contents: Buffer.from(text) })),
    digest: sha256(formatChecksums(new Map(contents.map(({ path, text }) => [path, sha256(text)])))),
  };
}

/** helm takes whatever lies in a chart folder, so a file that isthmus did not write would be installed with it. */
async function refuseForeign(files: Pick<Files, 'list'>, folder: string, wanted: ReadonlySet<string>): Promise<void> {
  const present = await files.list(join(folder, 'clusters'));
  const foreign = present.map((path) => `clusters/${path}`).find((path) => !wanted.has(path));
  if (foreign === undefined) return;
  throw usageError('was not written by isthmus generate, and helm would take it for a part of the chart', {
    where: join(folder, foreign),
    hint: 'Move it elsewhere, or generate again with a template that makes it (--templates).',
  });
}

async function packCharts(contents: readonly { readonly path: string; readonly text: string }[], mtime: number): Promise<PackedChart[]> {
  const folders = new Map<string, { path: string; text: string }[]>();
  for (const { path, text } of contents) {
    const [, cluster = '', release = '', inside = ''] = chartFile.exec(path) ?? [];
    if (inside === '') continue;
    const key = `${cluster}/${release}`;
    folders.set(key, [...(folders.get(key) ?? []), { path: inside, text }]);
  }
  const charts: PackedChart[] = [];
  for (const [key, inside] of folders) charts.push(await packChart(key, inside, mtime));
  return charts;
}

async function packChart(folder: string, files: readonly { path: string; text: string }[], mtime: number): Promise<PackedChart> {
  const [cluster = '', release = ''] = folder.split('/');
  const textOf = (name: string) => files.find(({ path }) => path === name)?.text;
  const metadata = textOf('Chart.yaml') ?? '';
  const { name, version } = chartName(metadata, `clusters/${folder}/Chart.yaml`);
  const entries = files.map(({ path, text }) => ({ path: `${name}/${path}`, contents: Buffer.from(text) }));
  const bytes = await packTgz(entries, { mtime });
  return { cluster, release, path: `charts/${name}-${version}.tgz`, bytes, metadata, values: textOf('values.yaml') };
}

function chartName(metadata: string, where: string): { readonly name: string; readonly version: string } {
  const { value } = parseYaml(metadata, where);
  if (typeof value === 'object' && value !== null && 'name' in value && 'version' in value) {
    const { name, version } = value;
    if (typeof name === 'string' && typeof version === 'string') return { name, version };
  }
  throw failure('names no chart and version', { where, hint: 'Run `isthmus generate` again.' });
}
