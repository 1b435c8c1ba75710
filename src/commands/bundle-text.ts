// A bundle as people and programs see it: clusters, releases, images, sizes.
import { ociFolder } from '../bundle/layout.ts';
import type { Signer } from '../bundle/signature.ts';
import type { Bundle } from '../bundle/types.ts';
import { table } from './output.ts';

/** How many of those who need an image are named in a line. */
const shownConsumers = 2;

/** The archive that a bundle was read from or written to. */
export interface BundleArchive {
  readonly file: string;
  /** Packed. */
  readonly bytes: number;
}

/** What `-o json` and `-o yaml` print of a bundle. */
export function summarizeBundle(bundle: Bundle, { file, bytes }: BundleArchive) {
  const { manifest, images, files } = bundle;
  return {
    apiVersion: 'isthmus/v1',
    kind: 'BundleSummary',
    file,
    bytes,
    unpackedBytes: unpackedBytes(bundle),
    files: files.size,
    mesh: manifest.mesh,
    isthmus: manifest.isthmus,
    istio: manifest.istio,
    created: manifest.created,
    inputs: manifest.inputs,
    clusters: manifest.clusters,
    releases: manifest.releases.map((release) => ({ ...release, bytes: files.get(release.chart)?.size ?? 0 })),
    images: images.images,
    imagesInside: manifest.images === 'oci',
    imageBytes: sizeOf(bundle, ociFolder),
    tools: manifest.tools,
  };
}

/** The same as text for people. */
export function describeBundle(bundle: Bundle, { file, bytes }: BundleArchive): string {
  const { manifest, images, files } = bundle;
  const inside = manifest.images === 'oci' ? `inside, ${size(sizeOf(bundle, ociFolder))}` : 'listed, not inside';
  const clusters = manifest.clusters.map(({ name, role, kubeVersion }) => [
    `  ${name}`,
    role,
    `Kubernetes ${kubeVersion ?? 'not known'}`,
    `manifests ${size(sizeOf(bundle, `manifests/${name}/`))}`,
  ]);
  const releases = manifest.releases.map(({ cluster, name, namespace, version, chart }) => [
    `  ${cluster}`,
    name,
    `in ${namespace}`,
    version,
    size(files.get(chart)?.size ?? 0),
  ]);
  const listed = images.images.map(({ image, digest, consumers }) => [
    `  ${image}`,
    digest === undefined ? 'digest not known' : digest.slice(0, 'sha256:'.length + 12),
    `for ${consumers.slice(0, shownConsumers).join(', ')}${consumers.length > shownConsumers ? ` and ${consumers.length - shownConsumers} more` : ''}`,
  ]);
  return [
    `${file}: mesh ${manifest.mesh}, Istio ${manifest.istio}; ${files.size} files, ${size(bytes)}, ${size(unpackedBytes(bundle))} unpacked\n`,
    `\nClusters\n${table(clusters)}`,
    `\nReleases\n${table(releases)}`,
    `\nImages, ${inside}\n${table(listed)}`,
  ].join('');
}

/** Who signed a bundle, as one sentence. */
export function describeSigner(signer: Signer | undefined): string {
  if (signer === undefined) return 'It is not signed.';
  if (signer.principal !== undefined) return `It is signed by ${signer.principal} with ${signer.key}.`;
  return `It is signed with ${signer.key}; --allowed-signers checks whose key that is.`;
}

function unpackedBytes({ files }: Bundle): number {
  return [...files.values()].reduce((sum, file) => sum + file.size, 0);
}

function sizeOf({ files }: Bundle, prefix: string): number {
  return [...files].reduce((sum, [path, file]) => (path.startsWith(prefix) ? sum + file.size : sum), 0);
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return bytes < 1_000_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${(bytes / 1_000_000_000).toFixed(2)} GB`;
}
