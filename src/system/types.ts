// The outside world as interfaces: files, processes, clusters, the terminal and the clock. Stages get only what they need.
import type { KubeObject } from '../base/objects.ts';

export interface Files {
  /** Text of a regular file; IsthmusError when missing, not a regular file, unreadable or over `maxBytes`. */
  read(path: string, maxBytes?: number): Promise<string>;
  /** Bytes of a regular file; errors as those of `read`. */
  readBytes(path: string, maxBytes?: number): Promise<Uint8Array>;
  exists(path: string): Promise<boolean>;
  /** Regular files below a folder, paths relative to it with `/`, sorted bytewise; links are refused. */
  list(folder: string): Promise<readonly string[]>;
  /** Writes through a temporary sibling and rename, making parent folders. Mode 0644, or 0755 when executable. */
  write(path: string, contents: string | Uint8Array, options?: { readonly executable?: boolean }): Promise<void>;
  remove(path: string): Promise<void>;
}

/** Files of any size: no more than a piece of one is ever in memory. */
export interface FileStreams {
  /** Bytes of a regular file; IsthmusError when missing or not a regular file. */
  size(path: string): Promise<number>;
  /** A regular file from its beginning; IsthmusError while reading when it cannot be read. */
  readStream(path: string): AsyncIterable<Uint8Array>;
  /** `Files.write` piece by piece: when the stream fails, nothing is written. */
  writeStream(path: string, bytes: AsyncIterable<Uint8Array>, options?: { readonly executable?: boolean }): Promise<void>;
}

/** Files of secrets. */
export interface PrivateFiles {
  /**
   * Makes a folder with these files, contents by path below it, for its owner alone (folders 0700, files 0600). It appears whole
   * or not at all; IsthmusError when there is something already, but for an empty folder.
   */
  create(folder: string, contents: Readonly<Record<string, string>>): Promise<void>;
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly input?: string;
  /** Full environment of the child; nothing else is inherited but PATH, HOME and what kubeconfig plugins need. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Runs a program with an argv array, never through a shell. A non-zero exit is a result; a missing program is an IsthmusError. */
export type Exec = (program: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

export interface ListOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects as PartialObjectMetadata: metadata alone. */
  readonly metadataOnly?: boolean;
}

export interface LogOptions {
  /** Only so many lines from the end. */
  readonly tailLines: number;
  /** Only what was written since, by the clock of the node. */
  readonly since?: Date;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/**
 * Reads of one cluster. Raw JSON over one keep-alive connection; errors are IsthmusErrors that name cluster and path.
 * Where the API server answered with an HTTP error, `statusOf(error)` tells it; a malformed answer has none.
 */
export interface ClusterReader {
  readonly cluster: string;
  /** API server URL. */
  readonly server: string;
  /** GET of any API path; undefined for 404. */
  get(path: string): Promise<unknown>;
  /** All objects of a collection path, paged by 500, restarted when a continue token expires; undefined when the kind is not served. */
  list(path: string, options?: ListOptions): Promise<readonly KubeObject[] | undefined>;
  /**
   * `list` for collections of thousands: `take` is called once for each object as its page arrives, and no object is kept.
   * When a continue token expires, what was taken so far is dropped and the list starts over. Results are in the server's order.
   */
  collect<T>(path: string, take: (object: KubeObject) => T, options?: ListOptions): Promise<readonly T[] | undefined>;
  /**
   * The named columns of a collection in the server's Table form, paged like `list`; undefined when the kind is not served.
   * One array of cells per row, in the order of `columns`; a column that the server does not have gives undefined.
   * Sent with `Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io` and
   * `includeObject=None`; column names (`Name`, `IP`, `Node`) are those of `columnDefinitions`, of any priority.
   */
  table(path: string, columns: readonly string[], options?: ListOptions): Promise<readonly (readonly unknown[])[] | undefined>;
  /** The log of a pod's container. */
  podLog(namespace: string, pod: string, options: LogOptions): Promise<string>;
}

/** Reads and writes of one cluster. */
export interface ClusterClient extends ClusterReader {
  /** Server-side apply of one object at its collection path, such as `/api/v1/namespaces`; returns what the server stored. */
  apply(collection: string, object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  /** POST; 409 is returned as undefined. */
  create(collection: string, object: KubeObject, options?: { readonly dryRun?: boolean }): Promise<KubeObject | undefined>;
  /** PUT with the object's resourceVersion; 409 is returned as undefined. */
  replace(path: string, object: KubeObject): Promise<KubeObject | undefined>;
  /** DELETE; false when there was nothing. A uid guards against deleting a successor. */
  delete(path: string, options?: { readonly uid?: string; readonly propagation?: 'Foreground' | 'Background' }): Promise<boolean>;
  /** Certificate authority of the API server, PEM, for the remote secret. */
  readonly certificateAuthority: string | undefined;
  close(): void;
}

/** How to reach a cluster: the context of one kubeconfig. */
export interface ClusterAccess {
  readonly cluster: string;
  readonly context: string;
  /** Absolute path; KUBECONFIG or ~/.kube/config when absent. */
  readonly kubeconfig?: string;
}

export interface Terminal {
  /** Result, to stdout. */
  out(text: string): void;
  /** Progress, warnings and errors, to stderr. */
  err(text: string): void;
  /** Whether stderr is a terminal that may be redrawn. */
  readonly interactive: boolean;
  /** Whether text may be coloured: stdout is a terminal, unless NO_COLOR or FORCE_COLOR says otherwise. */
  readonly colour: boolean;
  readonly columns: number;
}

export interface Clock {
  now(): Date;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export interface System {
  readonly files: Files & FileStreams;
  readonly privateFiles: PrivateFiles;
  readonly exec: Exec;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Folder of the package, which holds charts/ and templates/. */
  readonly packageFolder: string;
  /** A UUID for lease holders. */
  uuid(): string;
  /** `signal` ends requests in the place of the one below: for work that must be tidied up after Ctrl-C. */
  connect(access: ClusterAccess, signal?: AbortSignal): Promise<ClusterClient>;
  /** Reads standard input to its end, up to `maxBytes`. */
  readInput(maxBytes: number): Promise<string>;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}
