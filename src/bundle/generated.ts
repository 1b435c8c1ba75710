// What a bundle takes of out/: its charts as packages, the values of releases to be looked at, and what install reads. Nothing else goes in.
import { join } from 'node:path';
import { refuseSecrets } from '../archive/secrets.ts';
import { readTgz } from '../archive/tgz.ts';
import type { ArchiveEntry } from '../archive/types.ts';
import { packGenerated } from '../publish/packages.ts';
import type { ChartPackage } from '../publish/types.ts';
import type { GeneratedMesh } from '../release/types.ts';
import type { Files } from '../system/types.ts';
import { formatChecksums, parseChecksums, sha256 } from './checksums.ts';

/** A chart of out/ as it is published, with its values to be looked at. */
export interface PackedChart extends ChartPackage {
  /** Path in the bundle. */
  readonly path: string;
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

/**
 * Reads out/ and packs its charts.
 * @throws IsthmusError when a file is missing, was put into a chart folder by someone else, or holds a secret
 */
export async function readContents(files: Pick<Files, 'read' | 'list' | 'exists'>, generated: GeneratedMesh): Promise<GeneratedContents> {
  const list = join(generated.folder, 'checksums.txt');
  const wanted = [...parseChecksums(await files.read(list), list).keys()].filter((path) => carried.test(path));
  const texts: ArchiveEntry[] = [];
  for (const path of wanted) {
    const text = await files.read(join(generated.folder, path));
    refuseSecrets(path, text);
    texts.push({ path, contents: Buffer.from(text) });
  }
  const charts: PackedChart[] = [];
  for (const chart of await packGenerated(files, generated)) charts.push(await openChart(chart));
  const digests = [
    ...texts.map(({ path, contents }) => [path, sha256(contents)] as const),
    ...charts.map(({ path, digest }) => [path, digest] as const),
  ];
  return { charts, texts, digest: sha256(formatChecksums(new Map(digests))) };
}

async function openChart(chart: ChartPackage): Promise<PackedChart> {
  const path = `charts/${chart.file}`;
  const entries = await readTgz(chart.bytes);
  const values = entries.find((entry) => entry.path === `${chart.metadata.name}/values.yaml`);
  return { ...chart, path, values: values === undefined ? undefined : Buffer.from(values.contents).toString('utf8') };
}
