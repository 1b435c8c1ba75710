// The images of a mesh: what its charts declare, compared with what their manifests say, and their names below a mirror.
import * as z from 'zod';
import { archiveError } from '../archive/errors.ts';
import { parseYaml } from '../base/yaml.ts';
import type { ImageLock, ImageRewrite, LockedImage } from './types.ts';

/** Images by reference, each with who uses it. */
export type ImageUses = ReadonlyMap<string, readonly string[]>;

/** `registry/repository`, and what of tag and digest is written behind it. */
export interface ImageName {
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:...` */
  readonly digest: string | undefined;
}

/** Splits a reference; the tag is what follows a colon behind the last slash. */
export function splitImage(image: string): ImageName {
  const [name = '', digest] = image.split('@');
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  return colon < 0
    ? { repository: name, tag: undefined, digest }
    : { repository: name.slice(0, colon), tag: name.slice(colon + 1), digest };
}

/** One parsed manifest. */
export interface ParsedManifest {
  readonly path: string;
  readonly object: unknown;
}

/** What the pods of a gateway name in the place of an image, for the injector to fill in. */
const autoImage = 'auto';

/**
 * Every image that parsed manifests name, in any field called `image`, with the files it is in. The `auto` of pods that the injector
 * makes gateways of is none; anywhere else it counts, and is refused as an image that nobody declares.
 */
export function imagesOfManifests(manifests: readonly ParsedManifest[]): ImageUses {
  const uses = new Map<string, string[]>();
  for (const { path, object } of manifests) for (const image of new Set(imageFields(object))) addUse(uses, image, path);
  return uses;
}

/**
 * The images that charts declare in their annotation `artifacthub.io/images`.
 * @param charts annotations of each, and who uses the chart, such as `cluster1/route-installer`
 */
export function declaredImages(
  charts: readonly { readonly consumer: string; readonly annotations: Readonly<Record<string, string>> }[],
): ImageUses {
  const uses = new Map<string, string[]>();
  for (const { consumer, annotations } of charts) {
    const declared = annotations['artifacthub.io/images'];
    if (declared === undefined) continue;
    for (const image of imageFields(parseYaml(declared, `${consumer}: artifacthub.io/images`).value)) addUse(uses, image, consumer);
  }
  return uses;
}

/**
 * Compares what charts declare with what is rendered: a list that misses an image is found out behind the air gap, when it is too late.
 * @throws IsthmusError that names each image that is only on one side, and where
 */
export function checkImages(declared: ImageUses, rendered: ImageUses): void {
  const undeclared = [...rendered]
    .filter(([image]) => !declared.has(image))
    .map(([image, files]) => `${image}, in ${files[0]}, is not declared`);
  const unused = [...declared]
    .filter(([image]) => !rendered.has(image))
    .map(([image, by]) => `${image}, declared by ${by[0]}, is in no manifest`);
  const problems = [...undeclared, ...unused];
  if (problems.length > 0) throw archiveError(`the list of images would be wrong: ${problems.join('; ')}`);
}

/**
 * Sees that the image is listed that the injector puts into gateways, which no chart can declare.
 * @throws IsthmusError that names a manifest of such pods
 */
export function checkInjected({ images }: ImageLock, manifests: readonly ParsedManifest[]): void {
  if (images.some(({ sources }) => sources.includes('injected'))) return;
  const gateway = manifests.find(({ object }) => holdsInjected(object));
  if (gateway !== undefined) throw archiveError('has pods that are injected, and no injected image is listed', gateway.path);
}

/**
 * images.lock.yaml.
 * @param injected images that no manifest names
 */
export function lockImages(declared: ImageUses, injected: ImageUses): ImageLock {
  const images = [...new Set([...declared.keys(), ...injected.keys()])].toSorted().map((image): LockedImage => {
    const { digest } = splitImage(image);
    const sources = [...(declared.has(image) ? ['chart' as const] : []), ...(injected.has(image) ? ['injected' as const] : [])];
    const consumers = [...(declared.get(image) ?? []), ...(injected.get(image) ?? [])].toSorted();
    return { image, ...(digest === undefined ? {} : { digest }), sources, consumers };
  });
  return { apiVersion: 'isthmus/v1', kind: 'ImageLock', images };
}

/**
 * rewrite.yaml: each repository by its last part, with all of its path where two would get the same name. Repositories that are
 * beside each other stay so, because an istiod knows one place for all images.
 */
export function rewriteRules({ images }: ImageLock): ImageRewrite {
  const repositories = [...new Set(images.map(({ image }) => splitImage(image).repository))].toSorted();
  const shared = repositories.filter((one) => repositories.some((other) => other !== one && lastPart(other) === lastPart(one)));
  const long = new Set(shared.map(placeOf));
  const rules = repositories.map((from) => ({ from, to: long.has(placeOf(from)) ? from.replaceAll(':', '-') : lastPart(from) }));
  return { apiVersion: 'isthmus/v1', kind: 'ImageRewrite', rules };
}

/**
 * Below which path of a mirror the images of one place are, such as those of an istiod's hub.
 * @param hub `registry.istio.io/release`
 * @param registry the mirror, such as `mirror.corp/istio`
 */
export function mirroredHub(hub: string, rewrite: ImageRewrite, registry: string): string {
  const example = rewrite.rules.find(({ from }) => placeOf(from) === hub)?.from ?? `${hub}/proxyv2`;
  return placeOf(mirroredImage(example, rewrite, registry));
}

function lastPart(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}

/** The repository without its last part. */
function placeOf(repository: string): string {
  return repository.slice(0, Math.max(0, repository.lastIndexOf('/')));
}

/**
 * Where an image is below a mirror; its tag and digest stay. An image without a rule is returned as it is.
 * @param registry the mirror, such as `mirror.corp/istio`; empty for the path below any
 */
export function mirroredImage(image: string, { rules }: ImageRewrite, registry: string): string {
  const { repository } = splitImage(image);
  const rule = rules.find(({ from }) => from === repository);
  if (rule === undefined) return image;
  const base = registry.replace(/\/+$/, '');
  return `${base}${base === '' ? '' : '/'}${rule.to}${image.slice(repository.length)}`;
}

function imageFields(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(imageFields);
  if (typeof value !== 'object' || value === null) return [];
  const images = Object.entries(value).flatMap(([key, child]) =>
    key === 'image' && typeof child === 'string' ? [child] : imageFields(child),
  );
  return isInjected(value) ? images.filter((image) => image !== autoImage) : images;
}

/** A template of pods that asks the injector for a gateway. */
const InjectedPod = z.object({
  metadata: z.object({
    labels: z.object({ 'sidecar.istio.io/inject': z.literal('true') }),
    annotations: z.object({ 'inject.istio.io/templates': z.literal('gateway') }),
  }),
});

function isInjected(value: object): boolean {
  return 'metadata' in value && InjectedPod.safeParse(value).success;
}

function holdsInjected(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return isInjected(value) || Object.values(value).some(holdsInjected);
}

function addUse(uses: Map<string, string[]>, image: string, by: string): void {
  const before = uses.get(image);
  if (before === undefined) uses.set(image, [by]);
  else before.push(by);
}
