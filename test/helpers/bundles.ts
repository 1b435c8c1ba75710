// Bundles for tests, made of a committed out/ without helm, and archives of any form for what must be refused.
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { collect } from '../../src/archive/tgz.ts';
import type { ArchiveEntry } from '../../src/archive/types.ts';
import { toYaml } from '../../src/base/yaml.ts';
import { formatChecksums, sha256 } from '../../src/bundle/checksums.ts';
import { bundleFiles, outsideChecksums } from '../../src/bundle/layout.ts';
import { type BundleParts, bundleEntries, type PackInput, type PreparedBundle, prepareBundle } from '../../src/bundle/pack.ts';
import { readGenerated } from '../../src/release/read.ts';
import type { Artifact } from '../../src/render/types.ts';
import { createFiles } from '../../src/system/files.ts';

const root = join(import.meta.dirname, '..', '..');

/** The image that the charts of the committed out/ declare. */
export const proxy = 'registry.istio.io/release/proxyv2:1.30.3';
export const mtime = 315_532_800;

/** A manifest of the agent in each cluster, as far as its image is concerned. */
export function agentManifests(image = proxy): readonly Artifact[] {
  return ['cluster1', 'cluster2'].map((cluster) => ({
    path: `manifests/${cluster}/40-workloads/daemonset-isthmus-system-route-installer-keeper.yaml`,
    contents: toYaml({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'route-installer-keeper', namespace: 'isthmus-system' },
      spec: { template: { spec: { containers: [{ name: 'agent', image }] } } },
    }),
  }));
}

export const documents: readonly Artifact[] = [
  { path: 'README.md', contents: '# Mesh bookinfo\n' },
  { path: 'install.sh', contents: '#!/bin/sh\n', executable: true },
  { path: 'verify.sh', contents: '#!/bin/sh\n', executable: true },
];

/** Prepares a bundle of the committed out/, or of another folder. */
export async function prepared(overrides: Partial<PackInput> = {}, folder = join(root, 'test/golden/out/modern')): Promise<PreparedBundle> {
  const files = createFiles();
  return prepareBundle(files, {
    generated: await readGenerated(files, folder),
    manifests: agentManifests(),
    injected: new Map([[proxy, ['cluster1/sidecars', 'cluster2/sidecars']]]),
    kubernetes: new Map([['cluster1', '1.34.4']]),
    mtime,
    ...overrides,
  });
}

/** All files of a bundle, in memory. */
export async function entriesOf(bundle: PreparedBundle, parts: Partial<BundleParts> = {}): Promise<readonly ArchiveEntry[]> {
  const sources = await bundleEntries(bundle, { documents, images: bundle.images, oci: [], ...parts });
  return Promise.all(
    sources.map(async ({ path, executable, open }) => ({ path, contents: await collect(open()), executable: executable ?? false })),
  );
}

/** The same files with checksums.txt and bundle.yaml made anew: what someone does who changes a bundle and covers it up. */
export function resealed(entries: readonly ArchiveEntry[]): readonly ArchiveEntry[] {
  const listed = entries.filter(({ path }) => !outsideChecksums.has(path));
  const checksums = formatChecksums(new Map(listed.map(({ path, contents }) => [path, sha256(contents)])));
  const manifest = textOf(entries, bundleFiles.manifest).replace(/^checksums: .*$/m, `checksums: "${sha256(checksums)}"`);
  return replaced(replaced(entries, bundleFiles.checksums, checksums), bundleFiles.manifest, manifest);
}

/** Entries with the text of one file replaced, or added. */
export function replaced(entries: readonly ArchiveEntry[], path: string, text: string): readonly ArchiveEntry[] {
  return [...entries.filter((entry) => entry.path !== path), { path, contents: Buffer.from(text), executable: path.endsWith('.sh') }];
}

export function textOf(entries: readonly ArchiveEntry[], path: string): string {
  return Buffer.from(entries.find((entry) => entry.path === path)?.contents ?? []).toString('utf8');
}

/** One member of a tar archive, with every field of its header free. */
export interface RawMember {
  readonly name: string;
  readonly prefix?: string;
  readonly contents?: Uint8Array;
  readonly mode?: string;
  readonly uid?: string;
  readonly owner?: string;
  readonly size?: string;
  readonly mtime?: string;
  readonly kind?: string;
  readonly link?: string;
  readonly magic?: string;
  readonly device?: string;
  readonly padding?: string;
  readonly sum?: string;
}

/** A tar archive of any members, ended by `end` blocks of zeros. */
export function rawTar(members: readonly RawMember[], end = 2): Buffer {
  return Buffer.concat([...members.flatMap((member) => [rawHeader(member), rawContents(member)]), Buffer.alloc(512 * end)]);
}

/** The members of entries as isthmus writes them, in order of path. */
export function membersOf(entries: readonly ArchiveEntry[]): readonly RawMember[] {
  return [...entries]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, contents, executable }) => ({ name: path, contents, mode: executable === true ? '0000755' : '0000644' }));
}

/** gzip in the form of isthmus around any bytes, compressed by zlib. */
export function rawGzip(bytes: Uint8Array, header: readonly number[] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff]): Buffer {
  const packed = gzipSync(bytes);
  packed.set(header.slice(0, 10));
  return packed;
}

function rawHeader(member: RawMember): Buffer {
  const block = Buffer.alloc(512);
  const size = (member.contents ?? []).length.toString(8).padStart(11, '0');
  const fields: readonly (readonly [offset: number, text: string])[] = [
    [0, member.name],
    [100, member.mode ?? '0000644'],
    [108, member.uid ?? '0000000'],
    [116, '0000000'],
    [124, member.size ?? size],
    [136, member.mtime ?? mtime.toString(8).padStart(11, '0')],
    [148, '        '],
    [156, member.kind ?? '0'],
    [157, member.link ?? ''],
    [257, member.magic ?? 'ustar\0' + '00'],
    [265, member.owner ?? ''],
    [329, member.device ?? '0000000'],
    [337, '0000000'],
    [345, member.prefix ?? ''],
  ];
  for (const [offset, text] of fields) block.write(text, offset, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(member.sum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function rawContents({ contents = new Uint8Array(), padding = '\0' }: RawMember): Buffer {
  return Buffer.concat([contents, Buffer.alloc((512 - (contents.length % 512)) % 512, padding)]);
}
