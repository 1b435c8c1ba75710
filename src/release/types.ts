// Releases read back from out/, and what became of them.
import type { IndexedRelease, ReleaseIndex } from '../render/types.ts';
import type { System } from '../system/types.ts';

/** A release whose chart folder exists, ready for helm. */
export interface Release extends IndexedRelease {
  /** Absolute path of the chart folder; undefined while it waits. */
  readonly chartPath: string | undefined;
}

/** out/ read back and checked. */
export interface GeneratedMesh {
  /** Absolute path of out/. */
  readonly folder: string;
  readonly index: ReleaseIndex;
  readonly releases: readonly Release[];
}

export type ReleaseOutcome = 'installed' | 'upgraded' | 'unchanged' | 'removed' | 'absent' | 'waiting' | 'failed' | 'skipped';

/** What happened to one release, or to one step that is not a release (namespace, remote secret). */
export interface ReleaseResult {
  readonly cluster: string;
  /** `route-installer`, `namespace istio-system`, `remote secret istio-remote-secret-cluster2`. */
  readonly step: string;
  readonly outcome: ReleaseOutcome;
  /** Seconds. */
  readonly seconds: number;
  /** Why it failed, waits or was skipped, and what to do. */
  readonly message?: string;
  readonly hint?: string;
}

/** Told as it happens; the command prints it. */
export type ProgressListener = (event: ProgressEvent) => void;

export type ProgressEvent =
  | { readonly type: 'start'; readonly cluster: string; readonly step: string }
  | { readonly type: 'progress'; readonly cluster: string; readonly step: string; readonly text: string }
  | { readonly type: 'end'; readonly result: ReleaseResult };

/** What the release stage needs of the outside world. */
export type ReleaseDeps = Pick<System, 'files' | 'exec' | 'clock' | 'env' | 'cwd' | 'uuid' | 'connect' | 'signal'>;

export interface InstallOptions {
  /** Longest wait for one release to become ready, or for one address; milliseconds, five minutes when absent. */
  readonly timeoutMs?: number;
  readonly onProgress?: ProgressListener;
  /** Recover a release that another helm left pending, although it may still be running. */
  readonly unlock?: boolean;
  /** Take over fields that others manage (helm's --force-conflicts, server-side apply with force). */
  readonly forceConflicts?: boolean;
  /** `expect` where the files of Secrets `cacerts` are not at hand: each must be there already, of the planned root. `make` when absent. */
  readonly signers?: 'make' | 'expect';
}

export type UninstallOptions = Pick<InstallOptions, 'timeoutMs' | 'onProgress' | 'unlock'>;

/** What `install` would do in one cluster, without having done any of it. */
export interface PreviewStep {
  readonly cluster: string;
  readonly step: string;
  /** The command to type, quoted for a shell; absent where isthmus asks the API server itself. */
  readonly command?: string;
  /** Unified diff of what is deployed and what would be; empty when nothing changes. */
  readonly diff: string;
}
