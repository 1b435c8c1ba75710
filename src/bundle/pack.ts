// Makes a bundle of out/: everything is read, rendered, compared and summed up before the first byte of the archive is written.
import { createHash } from 'node:crypto';
import type { ArchiveSource } from '../archive/types.ts';
import { sourceOf } from '../archive/write-tar.ts';
import { failure } from '../base/errors.ts';
import { parseYaml, toYaml } from '../base/yaml.ts';
import type { GeneratedMesh, Release } from '../release/types.ts';
import type { Artifact } from '../render/types.ts';
import type { Files } from '../system/types.ts';
import { formatChecksums, sha256 } from './checksums.ts';
import { type GeneratedContents, type PackedChart, readContents } from './generated.ts';
import { checkImages, declaredImages, type ImageUses, imagesOfManifests, lockImages, rewriteRules } from './images.ts';
import { injectorHubs } from './injectors.ts';
import { bundleFiles, ociFolder } from './layout.ts';
import { spdxDocument } from './sbom.ts';
import type { BundleManifest, ImageLock } from './types.ts';

export interface PackInput {
  readonly generated: GeneratedMesh;
  /** Rendered manifests, paths as in the bundle. */
  readonly manifests: readonly Artifact[];
  /** Images that the injector of the mesh puts into pods, each with the clusters that need it. */
  readonly injected: ImageUses;
  /** Kubernetes version by cluster, where known. */
  readonly kubernetes: ReadonlyMap<string, string>;
  /** Seconds since 1970: time of every file. */
  readonly mtime: number;
}

/** A bundle but for what depends on the images themselves. */
export interface PreparedBundle {
  readonly input: PackInput;
  readonly contents: GeneratedContents;
  readonly images: ImageLock;
  /** Where the istiods of the bundle take the images from that they inject. */
  readonly hubs: readonly string[];
}

/** What is written beside what was generated. */
export interface BundleParts {
  /** README.md, install.sh, verify.sh. */
  readonly documents: readonly Artifact[];
  /** With digests, when the images were copied. */
  readonly images: ImageLock;
  /** Files of images/oci; empty when only the list goes along. */
  readonly oci: readonly ArchiveSource[];
}

/**
 * Reads out/, packs its charts and makes the list of images.
 * @throws IsthmusError when a file of out/ holds a secret or is not isthmus's, or the list of images is not complete
 */
export async function prepareBundle(files: Pick<Files, 'read' | 'list' | 'exists'>, input: PackInput): Promise<PreparedBundle> {
  const contents = await readContents(files, input.generated);
  const declared = declaredImages(
    contents.charts.flatMap(({ release, metadata }) =>
      release === undefined ? [] : [{ consumer: `${release.cluster}/${release.name}`, annotations: metadata.annotations ?? {} }],
    ),
  );
  const manifests = input.manifests.map(({ path, contents: text }) => ({ path, object: parseYaml(text, path).value }));
  checkImages(declared, imagesOfManifests(manifests));
  return { input, contents, hubs: injectorHubs(manifests), images: lockImages(declared, input.injected) };
}

/** All files of the bundle but its signature, in no order. */
export async function bundleEntries(prepared: PreparedBundle, parts: BundleParts): Promise<readonly ArchiveSource[]> {
  const { input, contents } = prepared;
  const texts = [...input.manifests, ...parts.documents, ...imageFiles(parts.images), ...valuesFiles(contents.charts)];
  const packed = [
    ...texts.map(({ path, contents: text, executable }) => ({ path, contents: Buffer.from(text), executable: executable ?? false })),
    ...contents.texts,
    ...contents.charts.map(({ path, bytes }) => ({ path, contents: bytes })),
  ].map(sourceOf);
  const digests = await digestsOf([...packed, ...parts.oci]);
  const sbom = textSource(bundleFiles.sbom, sbomText(prepared, parts.images, digests));
  const checksums = formatChecksums(new Map([...digests, ...(await digestsOf([sbom]))].map(([path, sums]) => [path, sums.sha256])));
  const manifest = describeBundle(prepared, { checksums: sha256(checksums), images: parts.oci.length > 0 ? 'oci' : 'list' });
  return [...packed, ...parts.oci, sbom, textSource(bundleFiles.checksums, checksums), textSource(bundleFiles.manifest, toYaml(manifest))];
}

function textSource(path: string, text: string): ArchiveSource {
  return sourceOf({ path, contents: Buffer.from(text) });
}

function imageFiles(lock: ImageLock): readonly Artifact[] {
  return [
    { path: bundleFiles.imageLock, contents: toYaml(lock) },
    { path: bundleFiles.imageList, contents: lock.images.map(({ image }) => `${image}\n`).join('') },
    { path: bundleFiles.imageRewrite, contents: toYaml(rewriteRules(lock)) },
  ];
}

function valuesFiles(charts: readonly PackedChart[]): readonly Artifact[] {
  return charts.flatMap(({ release, values }) =>
    release === undefined ? [] : [{ path: valuesPath(release.cluster, release.name), contents: values ?? '{}\n' }],
  );
}

function valuesPath(cluster: string, release: string): string {
  return `values/${cluster}/${release}.yaml`;
}

interface Sums {
  readonly sha1: string;
  readonly sha256: string;
}

async function digestsOf(entries: readonly ArchiveSource[]): Promise<ReadonlyMap<string, Sums>> {
  const digests = new Map<string, Sums>();
  for (const { path, open } of entries) {
    const [one, two] = [createHash('sha1'), createHash('sha256')];
    for await (const chunk of open()) {
      // SPDX asks for SHA-1 of every file; layers of images are not listed there as files.
      if (!path.startsWith(ociFolder)) one.update(chunk);
      two.update(chunk);
    }
    digests.set(path, { sha1: one.digest('hex'), sha256: two.digest('hex') });
  }
  return digests;
}

function sbomText({ input }: PreparedBundle, { images }: ImageLock, digests: ReadonlyMap<string, Sums>): string {
  const files = [...digests].filter(([path]) => !path.startsWith(ociFolder)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return spdxDocument({
    mesh: input.generated.index.mesh,
    isthmus: input.generated.index.isthmus,
    created: createdAt(input.mtime),
    digest: sha256(formatChecksums(new Map([...digests].map(([path, sums]) => [path, sums.sha256])))),
    files: files.map(([path, sums]) => ({ path, ...sums })),
    images,
  });
}

function describeBundle(
  { input, contents }: PreparedBundle,
  { checksums, images }: Pick<BundleManifest, 'checksums' | 'images'>,
): BundleManifest {
  const { index, releases } = input.generated;
  return {
    apiVersion: 'isthmus/v1',
    kind: 'Bundle',
    mesh: index.mesh,
    isthmus: index.isthmus,
    istio: index.istio.version,
    created: createdAt(input.mtime),
    inputs: contents.digest,
    checksums,
    clusters: index.clusters.map(({ name, role }) => {
      const kubeVersion = input.kubernetes.get(name);
      return { name, role, ...(kubeVersion === undefined ? {} : { kubeVersion }) };
    }),
    releases: releases.map((release) => describeRelease(release, contents.charts)),
    images,
    tools: [
      { name: 'isthmus', for: 'isthmus bundle verify and install' },
      { name: 'helm 3.14 or later', for: 'isthmus bundle install' },
      { name: 'kubectl', for: 'install.sh' },
      { name: 'sha256sum', for: 'install.sh and verify.sh' },
    ],
  };
}

function describeRelease(release: Release, charts: readonly PackedChart[]): BundleManifest['releases'][number] {
  const { cluster, name, namespace, order, waitsFor } = release;
  const chart = charts.find((each) => each.release?.cluster === cluster && each.release.name === name);
  if (chart === undefined) throw failure(`${name} waits for ${waitsFor.join(', ')}`, { where: cluster });
  return { cluster, name, namespace, order, version: chart.metadata.version, chart: chart.path, values: valuesPath(cluster, name) };
}

function createdAt(mtime: number): string {
  return new Date(mtime * 1000).toISOString().replace('.000Z', 'Z');
}
