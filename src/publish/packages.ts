// Chart packages of out/ and of the hand-written charts: bytes that follow from the charts' files alone.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { refuseSecrets } from '../archive/secrets.ts';
import { packTgz } from '../archive/tgz.ts';
import { usageError } from '../base/errors.ts';
import { parseYaml, toYaml } from '../base/yaml.ts';
import type { GeneratedMesh } from '../release/types.ts';
import { chartVersion, digestOf } from '../render/charts.ts';
import type { Files } from '../system/types.ts';
import { ChartMetadata, type ChartPackage } from './types.ts';

type Reader = Pick<Files, 'read' | 'exists' | 'list'>;

/** Files of one chart by path. */
type ChartFiles = ReadonlyMap<string, string>;

/** 1980: some readers of archives know no earlier time. */
const mtime = 315_532_800;

/** What helm leaves out by the charts' .helmignore, and values for tests. */
const notPackaged = /^(?:\.|ci\/)/;

/**
 * Packs every chart of out/, those of install.sh among them. A chart that was edited gets the version that goes with its contents.
 * @throws IsthmusError (usage) when a chart lacks a file, holds one that generate did not write, or has a Chart.yaml that helm would refuse;
 * (findings) when a file holds a secret
 */
export async function packGenerated(files: Reader, generated: GeneratedMesh): Promise<readonly ChartPackage[]> {
  const folders = chartFolders(await files.read(join(generated.folder, 'checksums.txt')));
  const packages: ChartPackage[] = [];
  for (const [folder, paths] of folders) {
    const where = join(generated.folder, folder);
    await refuseUnknown(files, where, paths);
    const contents = await readChart(files, where, paths);
    const current = withVersion(contents, generated.index.isthmus, where);
    if (current !== contents && /\/remote-secret-[^/]+$/.test(folder)) throw editedSecret(where);
    const release = generated.releases.find((each) => each.folder === folder);
    packages.push({
      ...(await pack(current, where)),
      edited: current !== contents,
      ...(release === undefined ? {} : { release: { name: release.name, namespace: release.namespace, cluster: release.cluster } }),
    });
  }
  return packages;
}

/** Packs the hand-written charts, each below `folder` under its own name. */
export async function packGeneric(files: Reader, folder: string): Promise<readonly ChartPackage[]> {
  const paths = await files.list(folder);
  const names = [...new Set(paths.map((path) => path.slice(0, path.indexOf('/'))))];
  return Promise.all(
    names.map(async (name) => {
      const own = paths.filter((path) => path.startsWith(`${name}/`)).map((path) => path.slice(name.length + 1));
      const where = join(folder, name);
      return { ...(await pack(await readChart(files, where, own), where)), edited: false };
    }),
  );
}

/** Paths by chart folder, from what generate wrote down; anything else in out/ is the user's own. */
function chartFolders(checksums: string): ReadonlyMap<string, readonly string[]> {
  const paths = [...checksums.matchAll(/^[0-9a-f]{64} {2}(clusters\/.+)$/gm)].map(([, path = '']) => path);
  const folders = paths
    .filter((path) => /^clusters\/[^/]+\/[^/]+\/Chart\.yaml$/.test(path))
    .map((path) => path.slice(0, -'/Chart.yaml'.length));
  return new Map(
    folders.map((folder) => [folder, paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1))]),
  );
}

/** helm would install a file that lies in the folder, so leaving it out would publish another chart. */
async function refuseUnknown(files: Reader, where: string, known: readonly string[]): Promise<void> {
  const unknown = (await files.list(where)).find((path) => !known.includes(path) && !notPackaged.test(path));
  if (unknown === undefined) return;
  throw usageError('was not written by isthmus generate, and is not published', {
    where: join(where, unknown),
    hint: 'Remove it, or make it part of the chart: `isthmus generate --templates`.',
  });
}

async function readChart(files: Reader, where: string, paths: readonly string[]): Promise<ChartFiles> {
  const contents = new Map<string, string>();
  for (const path of paths) {
    const file = join(where, path);
    if (!(await files.exists(file))) throw usageError('is missing', { where: file, hint: 'Run `isthmus generate` again.' });
    const text = await files.read(file);
    refuseSecrets(file, text);
    contents.set(path, text);
  }
  return contents;
}

/** The values of this chart are a Secret: whoever edits them may have put a token there, in a form that no search finds. */
function editedSecret(where: string) {
  return usageError('was edited, and its values are the Secret itself: it is not published', {
    where,
    hint: 'Run `isthmus generate` again; helm gets the values on standard input when the chart is installed.',
  });
}

/** The same files where the version says what is in them; else with the version that does. */
function withVersion(files: ChartFiles, plainVersion: string, where: string): ChartFiles {
  const metadata = parseYaml(files.get('Chart.yaml') ?? '', join(where, 'Chart.yaml')).value as object;
  const chartYaml = (version: string) => new Map(files).set('Chart.yaml', toYaml({ ...metadata, version }));
  const version = chartVersion(plainVersion, digestOf(chartYaml(plainVersion)));
  return 'version' in metadata && metadata.version === version ? files : chartYaml(version);
}

async function pack(files: ChartFiles, where: string): Promise<Omit<ChartPackage, 'edited'>> {
  const metadata = readMetadata(files.get('Chart.yaml') ?? '', join(where, 'Chart.yaml'));
  const entries = [...files]
    .filter(([path]) => !notPackaged.test(path))
    .map(([path, text]) => ({ path: `${metadata.name}/${path}`, contents: Buffer.from(text) }));
  const bytes = await packTgz(entries, { mtime });
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { metadata, file: `${metadata.name}-${metadata.version}.tgz`, bytes, digest };
}

function readMetadata(text: string, file: string): ChartMetadata {
  const source = parseYaml(text, file);
  const parsed = ChartMetadata.safeParse(source.value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).filter((part) => typeof part !== 'symbol');
  throw usageError(`${path.join('.')}: ${issue?.message ?? 'is malformed'}`, { where: source.locate(path) });
}
