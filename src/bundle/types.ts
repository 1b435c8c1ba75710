// The files that describe a bundle: what is in it, where its images come from, and how references are rewritten for a mirror.
import * as z from 'zod';
import type { ReleaseIndex } from '../render/types.ts';

const Digest = z.string().regex(/^[0-9a-f]{64}$/);
const ImageDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** bundle.yaml: the root of trust. What it says of checksums.txt covers every other file, so whoever trusts it trusts them all. */
export const BundleManifest = z
  .strictObject({
    apiVersion: z.literal('isthmus/v1'),
    kind: z.literal('Bundle'),
    mesh: z.string(),
    isthmus: z.string().describe('Version of isthmus that wrote it'),
    istio: z.string(),
    created: z.iso.datetime().describe('SOURCE_DATE_EPOCH, or the start of 1980: a bundle tells nothing of when it was made'),
    inputs: Digest.describe('SHA-256 over the generated files that went in'),
    checksums: Digest.describe('SHA-256 of checksums.txt'),
    clusters: z
      .array(
        z
          .strictObject({
            name: z.string(),
            role: z.enum(['primary', 'remote']),
            kubeVersion: z.string().optional().describe('Kubernetes that its manifests are rendered for, where known'),
          })
          .readonly(),
      )
      .readonly(),
    releases: z
      .array(
        z
          .strictObject({
            cluster: z.string(),
            name: z.string(),
            namespace: z.string(),
            order: z.int(),
            version: z.string(),
            chart: z.string().describe('Package below charts/'),
            values: z.string().describe('Its values, to be looked at and given to helm with -f'),
          })
          .readonly(),
      )
      .readonly()
      .describe('In order of installation'),
    images: z.enum(['list', 'oci']).describe('Whether images/oci holds the images themselves'),
    tools: z
      .array(z.strictObject({ name: z.string(), for: z.string() }).readonly())
      .readonly()
      .describe('Programs that are needed where the bundle is used'),
  })
  .readonly();

/** images/images.lock.yaml: every image that the mesh needs, and who needs it. */
export const ImageLock = z
  .strictObject({
    apiVersion: z.literal('isthmus/v1'),
    kind: z.literal('ImageLock'),
    images: z
      .array(
        z
          .strictObject({
            image: z.string().describe('Reference as the pods have it'),
            digest: ImageDigest.optional().describe('Where known: from the reference, or from the copy in images/oci'),
            platforms: z.record(z.string(), ImageDigest).optional().describe('Digest by platform, such as linux/amd64'),
            sources: z
              .array(z.enum(['chart', 'injected']))
              .readonly()
              .describe('Named by a rendered chart, put into pods by the injector of the mesh, or both'),
            consumers: z.array(z.string()).readonly(),
          })
          .readonly(),
      )
      .readonly(),
  })
  .readonly();

/** images/rewrite.yaml: what each image is called below the mirror that `--registry` names. */
export const ImageRewrite = z
  .strictObject({
    apiVersion: z.literal('isthmus/v1'),
    kind: z.literal('ImageRewrite'),
    rules: z
      .array(
        z
          .strictObject({
            from: z.string().describe('Registry and repository, without tag and digest, which stay'),
            to: z.string().describe('Path below the mirror'),
          })
          .readonly(),
      )
      .readonly(),
  })
  .readonly();

export type BundleManifest = z.infer<typeof BundleManifest>;
export type ImageLock = z.infer<typeof ImageLock>;
export type LockedImage = ImageLock['images'][number];
export type ImageRewrite = z.infer<typeof ImageRewrite>;

export interface BundleFile {
  /** Bytes, unpacked. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** What was met in an archive, not yet compared with what the bundle says of itself. */
export interface BundleListing {
  readonly files: ReadonlyMap<string, BundleFile>;
  /** Every file that is text. */
  readonly texts: ReadonlyMap<string, string>;
  /** Files of images/oci/blobs that are small enough to be more than a layer, by path. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Packages below charts/, by path. */
  readonly charts: ReadonlyMap<string, Uint8Array>;
  /** Time of every file, seconds since 1970. */
  readonly mtime: number;
}

/** A bundle that was checked. Its files are in memory, but for those of images/oci. */
export interface Bundle extends BundleListing {
  readonly manifest: BundleManifest;
  readonly index: ReleaseIndex;
  readonly images: ImageLock;
  readonly rewrite: ImageRewrite;
}
