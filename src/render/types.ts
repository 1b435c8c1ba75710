// Generated files and the release index: the contract between render and release.
import * as z from 'zod';

/** One generated file. Pure data: writing it is someone else's work. */
export interface Artifact {
  /** Path below out/, with `/`, such as `clusters/cluster1/route-installer/values.yaml`. */
  readonly path: string;
  readonly contents: string;
  readonly executable?: boolean;
}

/** A file of a hand-written chart as it is in charts/, path relative to the chart. */
export interface ChartFile {
  readonly path: string;
  readonly contents: string;
}

/** The hand-written charts by name, handed to render so that render itself reads no files. */
export type ChartSources = Readonly<Record<string, readonly ChartFile[]>>;

/** Templates by path below templates/, such as `README.md.hbs`. */
export type TemplateSources = Readonly<Record<string, string>>;

const ObjectReference = z
  .strictObject({ apiVersion: z.string(), kind: z.string(), namespace: z.string().optional(), name: z.string() })
  .readonly();

const Namespace = z
  .strictObject({
    name: z.string(),
    labels: z.record(z.string(), z.string()).readonly(),
    annotations: z.record(z.string(), z.string()).readonly(),
  })
  .readonly();

/** Where remote secrets stand in the order of releases: what istiod must inject into a remote comes after them. */
export const remoteSecretOrder = 35;

/** One helm release as written in releases.yaml. */
export const IndexedRelease = z
  .strictObject({
    name: z.string(),
    namespace: z.string(),
    cluster: z.string(),
    /** Name of the hand-written or generated chart it is made from. */
    chart: z.enum([
      'istio-base',
      'istiod',
      'istio-ilb',
      'eastwest-gateway',
      'ambient-gateway',
      'route-installer',
      'istio-reader',
      'istio-remote',
      'istio-remote-classic',
    ]),
    /** Chart folder below out/; absent while the release waits. */
    folder: z.string().optional(),
    /** SHA-256 of the chart folder's files, so that an unchanged release needs no helm call. */
    digest: z.string().optional(),
    /** Version in Chart.yaml, `0.1.0+<first 12 of the digest>`: `helm list` shows by it whether the release is up to date. */
    version: z.string().optional(),
    /** Whether helm may take over objects that are there already and belong to no release of ours. */
    adopt: z.boolean().optional(),
    /** Objects that helm keeps when the release is uninstalled; uninstall deletes them afterwards. */
    kept: z.array(ObjectReference).readonly().optional(),
    /** Install order within the mesh: all of a lower order come first; remote secrets come between those below `remoteSecretOrder` and the others. */
    order: z.int(),
    waitsFor: z.array(z.string()).readonly(),
  })
  .readonly();

const RemoteSecret = z
  .strictObject({
    name: z.string(),
    namespace: z.string(),
    remote: z.string(),
    primary: z.string(),
    server: z.string().optional(),
    serviceAccount: z.string(),
    tokenSecret: z.string(),
  })
  .readonly();

/** releases.yaml: everything that install, uninstall and bundle need to know about out/. */
export const ReleaseIndex = z
  .strictObject({
    apiVersion: z.literal('isthmus/v1'),
    kind: z.literal('ReleaseIndex'),
    mesh: z.string(),
    isthmus: z.string().describe('Version of isthmus that wrote it'),
    istio: z.strictObject({ version: z.string(), namespace: z.string(), revision: z.string() }).readonly(),
    routesNamespace: z.string(),
    ignore: z.array(z.string()).readonly().optional().describe('Findings that the user accepts'),
    clusters: z
      .array(
        z
          .strictObject({
            name: z.string(),
            role: z.enum(['primary', 'remote']),
            network: z.string(),
            controlPlane: z.string().optional().describe('The primary that serves it; absent for primaries'),
            context: z.string().optional(),
            kubeconfig: z.string().optional().describe('A relative path starts from out/'),
            uid: z.string().optional(),
            signer: z
              .strictObject({
                folder: z.string().describe('Folder of the files of Secret cacerts; a relative path starts from out/'),
                root: z.string().describe('SHA-256 fingerprints of its root'),
              })
              .readonly()
              .optional(),
            namespaces: z.array(Namespace).readonly(),
            nodes: z.array(z.string()).readonly().describe('Nodes that must have the routes before the mesh is joined'),
          })
          .readonly(),
      )
      .readonly(),
    releases: z.array(IndexedRelease).readonly(),
    remoteSecrets: z.array(RemoteSecret).readonly(),
  })
  .readonly();

export type IndexedRelease = z.infer<typeof IndexedRelease>;
export type ReleaseIndex = z.infer<typeof ReleaseIndex>;
