// Puts a small image for several platforms into a registry, as a builder would: layers, configs, manifests, and an index over them.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { rawTar } from '../helpers/bundles.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
}

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/**
 * Pushes `<host>/<repository>:<tag>` with one file for each platform.
 * @param platforms such as `linux/amd64`
 * @returns the digest of the index
 */
export async function pushImage(host: string, repository: string, tag: string, platforms: readonly string[]): Promise<string> {
  const base = `http://${host}/v2/${repository}`;
  const manifests: Descriptor[] = [];
  for (const platform of platforms) {
    const [os = '', architecture = ''] = platform.split('/');
    const files = rawTar([{ name: 'platform', contents: Buffer.from(platform) }]);
    const layer = await pushBlob(base, types.layer, gzipSync(files));
    const config = { architecture, os, config: {}, rootfs: { type: 'layers', diff_ids: [digestOf(files)] } };
    const pushed = await pushBlob(base, types.config, Buffer.from(JSON.stringify(config)));
    const manifest = { schemaVersion: 2, mediaType: types.manifest, config: pushed, layers: [layer] };
    manifests.push({ ...(await pushManifest(base, types.manifest, manifest)), platform: { os, architecture } });
  }
  const index = { schemaVersion: 2, mediaType: types.index, manifests };
  return (await pushManifest(base, types.index, index, tag)).digest;
}

async function pushBlob(base: string, mediaType: string, bytes: Buffer): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const started = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
  const url = new URL(started.headers.get('location') ?? '', base);
  url.searchParams.set('digest', digest);
  await put(url.href, 'application/octet-stream', bytes);
  return { mediaType, digest, size: bytes.length };
}

async function pushManifest(base: string, mediaType: string, manifest: object, tag?: string): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = digestOf(bytes);
  await put(`${base}/manifests/${tag ?? digest}`, mediaType, bytes);
  return { mediaType, digest, size: bytes.length };
}

async function put(url: string, type: string, bytes: Buffer): Promise<void> {
  const response = await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body: new Uint8Array(bytes) });
  if (!response.ok) throw new Error(`PUT ${url}: ${response.status} ${await response.text()}`);
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
