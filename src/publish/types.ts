// What is published, and what became of it.
import * as z from 'zod';
import type { System } from '../system/types.ts';

const texts = z.array(z.string()).readonly();

/** The fields of Chart.yaml that helm reads, in the order in which it writes them into a registry; others it drops. */
export const ChartMetadata = z
  .object({
    name: z.string().regex(/^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/, 'is no name that a registry takes'),
    home: z.string().optional(),
    sources: texts.optional(),
    version: z.string().regex(/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/, 'is no version'),
    description: z.string().optional(),
    keywords: texts.optional(),
    maintainers: z
      .array(z.object({ name: z.string().optional(), email: z.string().optional(), url: z.string().optional() }).readonly())
      .readonly()
      .optional(),
    icon: z.string().optional(),
    apiVersion: z.literal('v2'),
    appVersion: z.string().optional(),
    deprecated: z.boolean().optional(),
    annotations: z.record(z.string(), z.string()).readonly().optional(),
    kubeVersion: z.string().optional(),
    type: z.enum(['application', 'library']).optional(),
  })
  .readonly();

export type ChartMetadata = z.infer<typeof ChartMetadata>;

/** A chart as one file, the same bytes wherever and whenever it is packed. */
export interface ChartPackage {
  readonly metadata: ChartMetadata;
  /** `<name>-<version>.tgz` */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
  /** The release that it is for; a hand-written chart is for none. */
  readonly release?: { readonly name: string; readonly namespace: string; readonly cluster: string };
  /** Whether files were edited after they were generated, so that it has another version than releases.yaml says. */
  readonly edited: boolean;
}

export interface PublishedChart {
  readonly name: string;
  readonly version: string;
  readonly outcome: 'published' | 'unchanged';
  /** What helm takes in the place of a chart: `oci://registry.corp/mesh/istio-remote-cluster2`, or the package's URL or path. */
  readonly reference: string;
  /** `sha256:...`: of the manifest in a registry, of the package in a static repository. */
  readonly digest: string;
  readonly release?: ChartPackage['release'];
  /** What is worth a look although it is published. */
  readonly warning?: string;
}

/** What signs: gpg makes helm's provenance files, cosign signs what is in a registry. */
export type Signer = 'gpg' | 'cosign';

export interface SignOptions {
  readonly with: Signer;
  /** User ID or fingerprint for gpg, what `cosign sign --key` takes for cosign; their own default when absent. */
  readonly key?: string;
}

/** What publishing needs of the outside world. */
export type PublishDeps = Pick<System, 'files' | 'exec' | 'env' | 'uuid'>;
