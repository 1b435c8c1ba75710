// images/oci: the layout of the OCI image specification, with every image by the reference that the pods have, and nothing beside.
import * as z from 'zod';
import { archiveError } from '../archive/errors.ts';
import { shortText } from '../base/names.ts';
import { bundleFiles, ociFolder } from './layout.ts';
import type { Bundle, LockedImage } from './types.ts';

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** A reference from one blob to another. https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md */
export const Descriptor = z
  .object({
    mediaType: z.string(),
    digest: Digest,
    size: z.int(),
    platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  })
  .readonly();

/** An index of images by platform, or a manifest of one image: what either refers to. */
export const Description = z
  .object({ manifests: z.array(Descriptor).readonly(), config: Descriptor, layers: z.array(Descriptor).readonly() })
  .partial()
  .readonly();

export type Descriptor = z.infer<typeof Descriptor>;

export const ociFiles = { layout: `${ociFolder}oci-layout`, index: `${ociFolder}index.json` } as const;

/** Where tools look for the name of an image in a layout. */
export const refName = 'org.opencontainers.image.ref.name';

/** Path of a blob in a bundle. */
export function blobPath(digest: string): string {
  return `${ociFolder}blobs/sha256/${digest.slice('sha256:'.length)}`;
}

/** Text of oci-layout. */
export const layoutText = '{"imageLayoutVersion":"1.0.0"}';

/** Text of index.json for images by reference, in order of reference. */
export function indexText(images: ReadonlyMap<string, Pick<Descriptor, 'mediaType' | 'digest' | 'size'>>): string {
  const manifests = [...images]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([image, { mediaType, digest, size }]) => ({ mediaType, digest, size, annotations: { [refName]: image } }));
  return JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests });
}

/**
 * Checks that images/oci is there when bundle.yaml says so, names the images of the lock by their digests, and that blobs are what they are called.
 * @throws IsthmusError (findings)
 */
export function checkOciLayout(bundle: Bundle): void {
  const { manifest, files, texts, images } = bundle;
  const present = [...files].filter(([path]) => path.startsWith(ociFolder));
  if (manifest.images === 'list') {
    const extra = present[0]?.[0];
    if (extra !== undefined) throw archiveError('is there, though bundle.yaml says that images are listed only', extra);
    return;
  }
  for (const [path, { sha256 }] of present)
    if (path.startsWith(`${ociFolder}blobs/`) && path !== blobPath(`sha256:${sha256}`))
      throw archiveError('is not what its name says', path);
  if (texts.get(ociFiles.layout) !== layoutText) throw archiveError('is missing or of another version', ociFiles.layout);
  const listed = new Map(descriptorsIn(texts.get(ociFiles.index) ?? '', ociFiles.index).map((each) => [each.annotations?.[refName], each]));
  const expected = new Map(images.images.map((image) => [image.image, descriptorOf(image, listed)]));
  if (texts.get(ociFiles.index) !== indexText(expected))
    throw archiveError(`names other images than ${bundleFiles.imageLock}`, ociFiles.index);
  const reached = reachable(bundle, [...expected.values()]);
  const extra = present.map(([path]) => path).find((path) => !reached.has(path) && path !== ociFiles.layout && path !== ociFiles.index);
  if (extra !== undefined) throw archiveError('belongs to no image', extra);
}

/** The blobs of images, found from their descriptors on; each must be there. */
function reachable({ files, blobs }: Bundle, roots: readonly Descriptor[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const rest = [...roots];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const path = blobPath(next.digest);
    if (files.get(path)?.size !== next.size) throw archiveError('is missing, or not of the size that its image says', path);
    if (reached.has(path)) continue;
    reached.add(path);
    if (isDescription(next.mediaType)) rest.push(...descriptorsIn(Buffer.from(blobs.get(path) ?? []).toString('utf8'), path));
  }
  return reached;
}

/** Whether a blob of this type refers to others. */
export function isDescription(mediaType: string): boolean {
  return /^application\/vnd\.(?:oci\.image\.(?:index|manifest)\.v1|docker\.distribution\.manifest(?:\.list)?\.v2)\+json$/.test(mediaType);
}

function descriptorOf({ image, digest }: LockedImage, listed: ReadonlyMap<string | undefined, Descriptor>): Descriptor {
  const found = listed.get(image);
  if (found === undefined || found.digest !== digest)
    throw archiveError(`does not hold ${shortText(image)} by the digest of the lock`, ociFiles.index);
  return found;
}

/** What an index or a manifest refers to; IsthmusError (findings) when the text is neither. */
export function descriptorsIn(text: string, where: string): readonly Descriptor[] {
  try {
    const { manifests = [], config, layers = [] } = Description.parse(JSON.parse(text));
    return [...manifests, ...(config === undefined ? [] : [config]), ...layers];
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) throw archiveError('is not an image index or manifest', where);
    throw error;
  }
}
