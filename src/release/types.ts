// Releases read back from out/, and what became of them.
import type { IndexedRelease, ReleaseIndex } from '../render/types.ts';

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
