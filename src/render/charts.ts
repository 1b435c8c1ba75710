// Chart folders for one cluster and release: a chart's files as they are, its Chart.yaml rewritten, its values filled in.
import { createHash } from 'node:crypto';
import { failure } from '../base/errors.ts';
import { parseYaml, toYaml } from '../base/yaml.ts';
import type { Artifact, ChartFile } from './types.ts';

export interface ChartRequest {
  /** Release name; with the cluster's it makes the chart's name. */
  readonly release: string;
  readonly cluster: string;
  readonly mesh: string;
  readonly istioVersion: string;
  /** Plain version of isthmus; the folder's digest is added to it. */
  readonly version: string;
  /** The chart as it was written, with paths relative to it. */
  readonly source: readonly ChartFile[];
  /** Files made for this cluster, values.yaml among them; they replace those of the source. */
  readonly files: readonly ChartFile[];
  /** What its pods run. */
  readonly images?: readonly ChartImage[];
}

export interface ChartImage {
  readonly name: string;
  /** Full reference, as the pod has it. */
  readonly image: string;
}

export interface ChartFolder {
  /** `clusters/<cluster>/<release>` */
  readonly folder: string;
  /** SHA-256 over the folder's files with the plain version in Chart.yaml, hex. */
  readonly digest: string;
  /** `<isthmus version>+<first 12 of the digest>`, the version in Chart.yaml. */
  readonly version: string;
  readonly artifacts: readonly Artifact[];
}

const chartYaml = 'Chart.yaml';
const digestLength = 12;

/** Helm writes the time of a package's file into its manifest in a registry unless the chart names one; the digest then follows from the contents. */
const created = { 'org.opencontainers.image.created': '1980-01-01T00:00:00Z' };

/** What helps the chart's own development or is documentation of its publication: not needed to install it. */
const notInstalled = /^(?:ci\/|tests?\/|README\.md(?:\.gotmpl)?$|CHANGELOG\.md$)/;

/**
 * Makes the self-contained chart folder of one release. Pure: the same input gives the same bytes.
 * The version carries the digest as build metadata, so that `helm list` alone tells whether a release is up to date.
 */
export function chartFolder(request: ChartRequest): ChartFolder {
  const files = mergeFiles(request.source, request.files);
  const metadata = readMetadata(files.get(chartYaml) ?? '', request.release);
  const digest = digestOf(files.set(chartYaml, chartYamlText(metadata, request, request.version)));
  const version = chartVersion(request.version, digest);
  files.set(chartYaml, chartYamlText(metadata, request, version));
  const folder = `clusters/${request.cluster}/${request.release}`;
  const artifacts = sortedEntries(files).map(([path, contents]) => ({ path: `${folder}/${path}`, contents }));
  return { folder, digest, version, artifacts };
}

/** SHA-256 in hex over files in bytewise order of path; lengths keep one file's end from passing for another's start. */
export function digestOf(files: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const [path, contents] of sortedEntries(files)) {
    hash.update(`${Buffer.byteLength(path)} ${Buffer.byteLength(contents)}\n`);
    hash.update(path);
    hash.update(contents);
  }
  return hash.digest('hex');
}

/** Version of a generated chart: that of isthmus, with the start of the chart's digest as build metadata. */
export function chartVersion(version: string, digest: string): string {
  return `${version}${version.includes('+') ? '.' : '+'}${digest.slice(0, digestLength)}`;
}

function mergeFiles(source: readonly ChartFile[], files: readonly ChartFile[]): Map<string, string> {
  const kept = source.filter(({ path }) => !notInstalled.test(path));
  return new Map([...kept, ...files].map(({ path, contents }) => [path, contents]));
}

type Metadata = Readonly<Record<string, unknown>>;

function readMetadata(text: string, release: string): Metadata {
  const { value } = parseYaml(text, `${release}/${chartYaml}`);
  if (!isRecord(value)) throw failure('is not a mapping', { where: `${release}/${chartYaml}` });
  return value;
}

function chartYamlText(metadata: Metadata, request: ChartRequest, version: string): string {
  const { release, cluster, mesh, istioVersion } = request;
  return toYaml({
    ...metadata,
    name: `${release}-${cluster}`,
    version,
    appVersion: istioVersion,
    description: `${release} for cluster ${cluster} of mesh ${mesh}`,
    annotations: {
      ...annotationsOf(metadata, request.images ?? [], request.version),
      ...created,
      'isthmus/mesh': mesh,
      'isthmus/cluster': cluster,
      'isthmus/release': release,
    },
  });
}

/** What isthmus writes into each chart, beside everything below `isthmus/`; and the changes of a chart, which are of no mesh. */
const ownAnnotations: ReadonlySet<string> = new Set([
  ...Object.keys(created),
  'artifacthub.io/changes',
  'artifacthub.io/images',
  'artifacthub.io/prerelease',
]);

/** The chart's own annotations and the images of this mesh. A chart that is read back from out/ must not get another order, and so another version. */
function annotationsOf(metadata: Metadata, images: readonly ChartImage[], version: string): Metadata {
  const all = isRecord(metadata['annotations']) ? metadata['annotations'] : {};
  const kept = Object.entries(all).filter(([name]) => !ownAnnotations.has(name) && !name.startsWith('isthmus/'));
  return {
    ...Object.fromEntries(kept),
    ...(images.length === 0 ? {} : { 'artifacthub.io/images': toYaml(images) }),
    ...(version.split('+')[0]?.includes('-') === true ? { 'artifacthub.io/prerelease': 'true' } : {}),
  };
}

function isRecord(value: unknown): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortedEntries(files: ReadonlyMap<string, string>): (readonly [string, string])[] {
  return [...files].sort(([a], [b]) => (a < b ? -1 : 1));
}
