// Publishes packages into a folder that any web server makes a chart repository of: packages, index.yaml, artifacthub-repo.yml.
import { join } from 'node:path';
import { IsthmusError, usageError } from '../base/errors.ts';
import { type IndexEntry, mergeIndex } from './index-file.ts';
import { provenance } from './sign.ts';
import type { ChartPackage, PublishDeps, PublishedChart, SignOptions } from './types.ts';

export interface RepositoryOptions {
  /** Absolute path. */
  readonly folder: string;
  /** Where the folder is served; package URLs are relative to index.yaml when absent. */
  readonly url?: string;
  /** Write helm's provenance file beside each package. */
  readonly sign?: SignOptions;
}

const files = { index: 'index.yaml', artifactHub: 'artifacthub-repo.yml' } as const;
const created = 'org.opencontainers.image.created';

/** Valid as it is: every field of it is optional. */
const artifactHub = `# What Artifact Hub (https://artifacthub.io) should know about this repository; isthmus writes this file once and leaves it alone.
# repositoryID: ID that Artifact Hub shows for the repository, for the label "verified publisher"
# owners:
#   - name: Your name
#     email: you@example.com
ignore: []
`;

/**
 * Adds packages to a repository, or makes one. Packages are written before the index that lists them, and nothing is written when one of
 * them is there with other contents.
 * @returns one result per package, in their order
 * @throws IsthmusError (findings) when a version exists with other contents; (usage) when the URL or the folder's index.yaml is wrong
 */
export async function publishToFolder(
  packages: readonly ChartPackage[],
  { folder, url, sign }: RepositoryOptions,
  deps: PublishDeps,
): Promise<readonly PublishedChart[]> {
  const base = url === undefined ? '' : baseUrl(url);
  const index = join(folder, files.index);
  const before = (await deps.files.exists(index)) ? await deps.files.read(index) : undefined;
  const entries = packages.map((each) => entryOf(each, base));
  const after = mergeIndex(before, entries, index);
  const missing = new Set<ChartPackage>();
  for (const each of packages) if (!(await isThere(each, folder, deps))) missing.add(each);
  for (const each of missing) await deps.files.write(join(folder, each.file), each.bytes);
  if (sign !== undefined) for (const each of packages) await writeProvenance(each, { folder, sign }, deps);
  await writeOnce(join(folder, files.artifactHub), artifactHub, deps);
  if (after !== before) await deps.files.write(index, after);
  return packages.map((each, position) => resultOf(each, missing.has(each) ? 'published' : 'unchanged', entries[position]?.urls[0] ?? ''));
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && /^https?:$/.test(url.protocol) && `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (!plain) throw usageError('--url is no web address', { hint: 'Such as https://charts.corp/mesh, without user, query or fragment.' });
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}

function entryOf({ metadata, file, digest }: ChartPackage, base: string): IndexEntry {
  return {
    ...metadata,
    created: metadata.annotations?.[created] ?? '1980-01-01T00:00:00Z',
    digest,
    // Some object stores read a plus sign in a path as a space.
    urls: [`${base}${encodeURIComponent(file)}`],
  };
}

async function isThere({ file, bytes }: ChartPackage, folder: string, deps: PublishDeps): Promise<boolean> {
  const path = join(folder, file);
  if (!(await deps.files.exists(path))) return false;
  if (Buffer.compare(await deps.files.readBytes(path), bytes) === 0) return true;
  throw new IsthmusError('findings', 'is there with other contents, and a version is never replaced', {
    where: path,
    hint: 'Publish into another folder, or publish the charts of another version.',
  });
}

/** A signature over the same package is kept: signing again would only change its time. */
async function writeProvenance(
  chart: ChartPackage,
  { folder, sign }: { readonly folder: string; readonly sign: SignOptions },
  deps: PublishDeps,
): Promise<void> {
  const path = join(folder, `${chart.file}.prov`);
  if ((await deps.files.exists(path)) && (await deps.files.read(path)).includes(`sha256:${chart.digest}`)) return;
  await deps.files.write(path, await provenance(chart, sign, deps));
}

async function writeOnce(path: string, contents: string, deps: PublishDeps): Promise<void> {
  if (!(await deps.files.exists(path))) await deps.files.write(path, contents);
}

function resultOf({ metadata, digest, release }: ChartPackage, outcome: PublishedChart['outcome'], url: string): PublishedChart {
  return {
    name: metadata.name,
    version: metadata.version,
    outcome,
    reference: url,
    digest: `sha256:${digest}`,
    ...(release === undefined ? {} : { release }),
  };
}
