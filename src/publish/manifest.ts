// The manifest that helm writes for a chart into a registry, computed: its digest is known before anything is pushed.
import { createHash } from 'node:crypto';
import type { ChartMetadata, ChartPackage } from './types.ts';

const mediaTypes = {
  config: 'application/vnd.cncf.helm.config.v1+json',
  chart: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
  provenance: 'application/vnd.cncf.helm.chart.provenance.v1.prov',
} as const;

const oci = 'org.opencontainers.image';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/**
 * `sha256:...` of the manifest that `helm push` of Helm 3.22 and 4.3 makes of a package: the config is Chart.yaml as JSON, the layers are the
 * package and its provenance in order of digest, the annotations are those of the chart and what helm derives from its fields.
 * @param provenance contents of the .prov file beside the package; absent when it is not signed
 * @returns undefined when Chart.yaml does not fix the time of creation, because helm then takes the one of the file
 */
export function manifestDigest({ metadata, bytes }: Pick<ChartPackage, 'metadata' | 'bytes'>, provenance?: string): string | undefined {
  if (metadata.annotations?.[`${oci}.created`] === undefined) return undefined;
  const layers = [
    descriptor(mediaTypes.chart, bytes),
    ...(provenance === undefined ? [] : [descriptor(mediaTypes.provenance, Buffer.from(provenance))]),
  ];
  const manifest = {
    schemaVersion: 2,
    config: descriptor(mediaTypes.config, Buffer.from(goJson({ ...metadata, annotations: sorted(metadata.annotations) }))),
    layers: layers.sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    annotations: annotationsOf(metadata),
  };
  return sha256(Buffer.from(goJson(manifest)));
}

function annotationsOf(metadata: ChartMetadata): Readonly<Record<string, string>> {
  const derived = {
    description: metadata.description,
    title: metadata.name,
    version: metadata.version,
    url: metadata.home,
    source: metadata.sources?.[0],
    authors: metadata.maintainers?.map(({ name = '', email }) => `${name}${email === undefined ? '' : ` (${email})`}`).join(', '),
  };
  const own = Object.entries(derived).flatMap(([key, value]) =>
    value === undefined || value.trim() === '' ? [] : [[`${oci}.${key}`, value] as const],
  );
  return sorted({
    ...Object.fromEntries(own),
    ...metadata.annotations,
    [`${oci}.title`]: metadata.name,
    [`${oci}.version`]: metadata.version,
  });
}

function sorted(map: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function descriptor(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** JSON as Go's encoding/json writes it: with the characters escaped that HTML gives a meaning to. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
