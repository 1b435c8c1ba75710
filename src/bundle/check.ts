// Compares a bundle with what it says of itself, from its root of trust down to every image of every manifest.
import * as z from 'zod';
import { archiveError } from '../archive/errors.ts';
import { refuseSecretData, refuseSecrets, refuseSecretsInChart } from '../archive/secrets.ts';
import { readTgz } from '../archive/tgz.ts';
import { IsthmusError } from '../base/errors.ts';
import { parseYaml } from '../base/yaml.ts';
import { ReleaseIndex } from '../render/types.ts';
import { parseChecksums } from './checksums.ts';
import { checkImages, checkInjected, type ImageUses, imagesOfManifests, rewriteRules } from './images.ts';
import { bundleFiles, executables, outsideChecksums } from './layout.ts';
import { checkOciLayout } from './oci-layout.ts';
import { type Bundle, type BundleListing, BundleManifest, ImageLock, ImageRewrite } from './types.ts';

/**
 * Accounts for every file.
 * @throws IsthmusError (findings) at the first thing that is not as the bundle says, or that no bundle may hold
 */
export async function checkBundle(listing: BundleListing): Promise<Bundle> {
  const manifest = parseFile(listing, bundleFiles.manifest, BundleManifest);
  checkSums(listing, manifest);
  for (const path of executables) textOf(listing, path);
  const bundle: Bundle = {
    ...listing,
    manifest,
    index: parseFile(listing, bundleFiles.releases, ReleaseIndex),
    images: parseFile(listing, bundleFiles.imageLock, ImageLock),
    rewrite: parseFile(listing, bundleFiles.imageRewrite, ImageRewrite),
  };
  if (new Date(bundle.mtime * 1000).getTime() !== Date.parse(manifest.created))
    throw archiveError('names another time than its files have', bundleFiles.manifest);
  checkReleases(bundle);
  for (const [path, text] of listing.texts) refuseSecrets(path, text);
  for (const [path, bytes] of listing.charts) await checkChart(path, bytes);
  checkImageList(bundle);
  checkOciLayout(bundle);
  return bundle;
}

function checkSums({ files, texts }: BundleListing, manifest: BundleManifest): void {
  if (files.get(bundleFiles.checksums)?.sha256 !== manifest.checksums)
    throw archiveError('is missing, or not the one that bundle.yaml was made with', bundleFiles.checksums);
  const sums = parseChecksums(texts.get(bundleFiles.checksums) ?? '', bundleFiles.checksums);
  for (const [path, digest] of sums) {
    if (outsideChecksums.has(path)) throw archiveError('cannot be in checksums.txt', path);
    const file = files.get(path);
    if (file === undefined) throw archiveError('is missing', path);
    if (file.sha256 !== digest) throw archiveError('was changed: its SHA-256 is another than checksums.txt says', path);
  }
  const extra = [...files.keys()].find((path) => !sums.has(path) && !outsideChecksums.has(path));
  if (extra !== undefined) throw archiveError('is not in checksums.txt', extra);
}

function checkReleases({ manifest, index, files, charts }: Bundle): void {
  if (manifest.mesh !== index.mesh) throw archiveError(`names another mesh than ${bundleFiles.releases}`, bundleFiles.manifest);
  const key = ({ cluster, name, namespace, order }: Pick<BundleManifest['releases'][number], 'cluster' | 'name' | 'namespace' | 'order'>) =>
    [cluster, namespace, name, order].join(' ');
  if (manifest.releases.map(key).join('\n') !== index.releases.map(key).join('\n'))
    throw archiveError(`names other releases than ${bundleFiles.releases}`, bundleFiles.manifest);
  const clusters = (of: readonly { readonly name: string; readonly role: string }[]) =>
    of.map(({ name, role }) => `${name} ${role}`).join('\n');
  if (clusters(manifest.clusters) !== clusters(index.clusters))
    throw archiveError(`names other clusters than ${bundleFiles.releases}`, bundleFiles.manifest);
  for (const { chart, values } of manifest.releases) {
    if (!charts.has(chart)) throw archiveError('is missing', chart);
    if (!files.has(values)) throw archiveError('is missing', values);
  }
}

async function checkChart(path: string, bytes: Uint8Array): Promise<void> {
  const entries = await readTgz(bytes).catch((error: unknown) => {
    throw error instanceof IsthmusError ? archiveError(error.message, [path, error.where ?? ''].join(' ').trim()) : error;
  });
  const folder = entries[0]?.path.split('/')[0] ?? '';
  if (entries.some((entry) => !entry.path.startsWith(`${folder}/`)) || !entries.some((entry) => entry.path === `${folder}/Chart.yaml`))
    throw archiveError('is not a chart in one folder', path);
  refuseSecretsInChart(path, entries);
}

function checkImageList(bundle: Bundle): void {
  const { images, texts } = bundle;
  if (textOf(bundle, bundleFiles.imageList) !== images.images.map(({ image }) => `${image}\n`).join(''))
    throw archiveError(`names other images than ${bundleFiles.imageLock}`, bundleFiles.imageList);
  if (JSON.stringify(rewriteRules(images)) !== JSON.stringify(bundle.rewrite))
    throw archiveError(`has other rules than the images ask for`, bundleFiles.imageRewrite);
  const manifests = [...texts]
    .filter(([path]) => path.startsWith('manifests/'))
    .map(([path, text]) => ({ path, object: parsed(() => parseYaml(text, path).value, path) }));
  for (const { path, object } of manifests) refuseSecretData(path, object);
  const declared: ImageUses = new Map(
    images.images.filter(({ sources }) => sources.includes('chart')).map(({ image, consumers }) => [image, consumers]),
  );
  checkImages(declared, imagesOfManifests(manifests));
  checkInjected(images, manifests);
}

function parseFile<T>(listing: BundleListing, path: string, schema: z.ZodType<T>): T {
  const text = textOf(listing, path);
  return parsed(() => schema.parse(parseYaml(text, path).value), path);
}

/** Whatever is wrong with a file of a bundle is a fault of the bundle, not of the command line. */
function parsed<T>(read: () => T, path: string): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof IsthmusError) throw archiveError(error.message, error.where ?? path);
    if (!(error instanceof z.ZodError)) throw error;
    const issue = error.issues[0];
    throw archiveError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is malformed'}`, path);
  }
}

function textOf({ texts }: BundleListing, path: string): string {
  const text = texts.get(path);
  if (text === undefined) throw archiveError('is missing', path);
  return text;
}
