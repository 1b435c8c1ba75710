// Copies images out of their registries through skopeo or crane: by digest, for all platforms, with the user's own credentials.
import { join } from 'node:path';
import * as z from 'zod';
import { archiveError } from '../archive/errors.ts';
import type { ArchiveSource } from '../archive/types.ts';
import { sourceOf } from '../archive/write-tar.ts';
import { failure, type IsthmusError } from '../base/errors.ts';
import type { System } from '../system/types.ts';
import { mirroredImage, rewriteRules } from './images.ts';
import { blobPath, type Descriptor, descriptorsIn, indexText, isDescription, layoutText, ociFiles } from './oci-layout.ts';
import type { ImageLock, LockedImage } from './types.ts';

export type CopyDeps = Pick<System, 'exec' | 'files' | 'env'>;

export interface CopiedImages {
  /** The lock with the digests of what was copied. */
  readonly images: ImageLock;
  /** Files of images/oci. */
  readonly entries: readonly ArchiveSource[];
}

export interface CopyRequest {
  readonly images: ImageLock;
  /** Where the copies are kept until the bundle is written; the caller removes it. */
  readonly folder: string;
  /** Told before each image. */
  readonly onProgress: (text: string) => void;
}

interface Copier {
  readonly program: string;
  readonly version: readonly string[];
  /** Copies an image with all its platforms into a new OCI layout. */
  readonly copy: (image: string, folder: string) => readonly string[];
}

const copiers: readonly Copier[] = [
  {
    program: 'skopeo',
    version: ['--version'],
    copy: (image, folder) => ['copy', '--all', '--preserve-digests', `docker://${image}`, `oci:${folder}`],
  },
  { program: 'crane', version: ['version'], copy: (image, folder) => ['pull', '--format=oci', image, folder] },
];

/** Variables by which either program finds the user's credentials and certificates; other children do not get them. */
const passedOn = ['DOCKER_CONFIG', 'REGISTRY_AUTH_FILE'] as const;

/** Images are large and lines to the outside slow; milliseconds. */
const copyTimeoutMs = 4 * 3600_000;

interface Copied {
  readonly image: LockedImage;
  readonly descriptor: Descriptor;
  readonly entries: readonly ArchiveSource[];
}

/**
 * Copies every image of the list into a folder and reads its digests.
 * @throws IsthmusError when neither program is there, a copy fails, or an image is not what its digest says
 */
export async function copyImages(deps: CopyDeps, { images, folder, onProgress }: CopyRequest): Promise<CopiedImages> {
  const copier = await findCopier(deps, images);
  const copied: Copied[] = [];
  for (const [index, image] of images.images.entries()) {
    onProgress(`image ${index + 1} of ${images.images.length}: ${image.image}`);
    copied.push(await copyImage(deps, copier, { image, folder: join(folder, String(index)) }));
  }
  const blobs = new Map(copied.flatMap(({ entries }) => entries.map((entry) => [entry.path, entry] as const)));
  const index = indexText(new Map(copied.map(({ image, descriptor }) => [image.image, descriptor])));
  const texts = [
    { path: ociFiles.layout, contents: Buffer.from(layoutText) },
    { path: ociFiles.index, contents: Buffer.from(index) },
  ];
  return { images: { ...images, images: copied.map(({ image }) => image) }, entries: [...texts.map(sourceOf), ...blobs.values()] };
}

async function findCopier({ exec }: CopyDeps, images: ImageLock): Promise<Copier> {
  for (const copier of copiers) {
    const result = await exec(copier.program, copier.version).catch(() => undefined);
    if (result?.code === 0) return copier;
  }
  throw missingCopier(images);
}

function missingCopier(images: ImageLock): IsthmusError {
  const rules = rewriteRules(images);
  const commands = images.images.map(
    ({ image }) => `  skopeo copy --all --preserve-digests docker://${image} docker://MIRROR/${mirroredImage(image, rules, '')}`,
  );
  return failure('neither skopeo nor crane was found, and one of them must copy the images', {
    hint: `Install skopeo or crane, or make the bundle with --images list and copy the images to your registry by hand:\n${commands.join('\n')}`,
  });
}

async function copyImage(
  deps: CopyDeps,
  { program, copy }: Copier,
  { image, folder }: { readonly image: LockedImage; readonly folder: string },
): Promise<Copied> {
  const env = Object.fromEntries(passedOn.flatMap((name) => (deps.env[name] === undefined ? [] : [[name, deps.env[name]]])));
  const { code, stderr } = await deps.exec(program, copy(image.image, folder), { env, timeoutMs: copyTimeoutMs });
  if (code !== 0)
    throw failure(`${program} could not copy it: ${stderr.trim().split('\n').at(-1) ?? ''}`, { where: image.image, cause: stderr });
  const [descriptor, second] = descriptorsIn(await deps.files.read(join(folder, 'index.json')), image.image);
  if (descriptor === undefined || second !== undefined) throw archiveError(`${program} did not copy exactly one image`, image.image);
  if (image.digest !== undefined && image.digest !== descriptor.digest)
    throw archiveError(`is ${descriptor.digest}, not what its digest says`, image.image);
  const platforms = await readPlatforms(deps, folder, descriptor);
  return {
    image: { ...image, digest: descriptor.digest, ...(platforms.size === 0 ? {} : { platforms: Object.fromEntries(platforms) }) },
    descriptor,
    entries: await blobsOf(deps, folder),
  };
}

async function blobsOf({ files }: CopyDeps, folder: string): Promise<readonly ArchiveSource[]> {
  const blobs = join(folder, 'blobs', 'sha256');
  const entries: ArchiveSource[] = [];
  for (const name of await files.list(blobs)) {
    const path = join(blobs, name);
    entries.push({ path: blobPath(`sha256:${name}`), size: await files.size(path), open: () => files.readStream(path) });
  }
  return entries;
}

const Platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });

/** Digests by platform, in order of platform; `unknown` stands for attestations, which run nowhere. */
async function readPlatforms({ files }: CopyDeps, folder: string, descriptor: Descriptor): Promise<ReadonlyMap<string, string>> {
  const read = (digest: string) => files.read(join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)));
  const parts = descriptorsIn(await read(descriptor.digest), descriptor.digest);
  const images = parts.filter(({ mediaType }) => isDescription(mediaType));
  const [config] = parts;
  if (images.length === 0 && config !== undefined) {
    const platform = Platform.safeParse(JSON.parse(await read(config.digest)));
    return new Map(platform.success ? [[platformText(platform.data), descriptor.digest]] : []);
  }
  const known = images.flatMap(({ platform, digest }) =>
    platform === undefined || platform.os === 'unknown' ? [] : [[platformText(platform), digest] as const],
  );
  return new Map(known.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function platformText({ os, architecture, variant }: z.infer<typeof Platform>): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}
