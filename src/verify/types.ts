// What verifying a mesh starts from and what comes out: layers of checks, from the API servers up to the pods.
import type { ClusterClient, System } from '../system/types.ts';

/** Where a check was made. */
export interface Place {
  readonly cluster: string;
  readonly node?: string;
}

export type CheckOutcome = 'passed' | 'failed' | 'skipped';

/** One thing that was looked at. */
export interface Check {
  /** `keeper`, `ping`, `tcp`, `source address`, ... */
  readonly name: string;
  readonly from: Place;
  /** The other side; absent when the check is about `from` alone, and so about every pair that its cluster is in. */
  readonly to?: Place;
  readonly outcome: CheckOutcome;
  /** What was seen; always there unless it passed. */
  readonly message?: string;
  readonly hint?: string;
}

/** Two clusters in one direction: pods of `from` ask pods of `to`. */
export interface Pair {
  readonly from: string;
  readonly to: string;
  /** Set where they are in different networks, so that neither sees the other's pods. */
  readonly through?: 'gateways';
  /** Set where `to` serves the control plane of `from`. */
  readonly controlPlane?: true;
}

/** The pods that ask each other. */
export interface ProbeSettings {
  /** Needs a POSIX shell with awk, iproute2, ping and nc. */
  readonly image: string;
  readonly pullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  readonly pullSecrets: readonly { readonly name: string }[];
}

/** The object that probe pods belong to, as an entry of `ownerReferences`. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** A cluster that could be reached. */
export interface VerifiedCluster {
  readonly name: string;
  readonly client: ClusterClient;
  /**
   * Waits until this run may write in the cluster; throws when it may not. Returns the Lease that says so: what is left of a run that
   * was killed goes with it when isthmus is uninstalled.
   */
  enter(): Promise<Owner | undefined>;
  readonly istioNamespace: string;
  /** Namespace of route-installer, where probe pods run as well. */
  readonly namespace: string;
  /** Nodes that were planned for. */
  readonly nodes: readonly string[];
  /** The route-installer release of out/; absent where the network carries pod addresses by itself. */
  readonly routes?: { readonly release: string; readonly version?: string };
  readonly probe: ProbeSettings;
}

export interface Problem {
  readonly message: string;
  readonly hint?: string;
}

/** Everything that a layer may look at. */
export interface Scene {
  readonly clusters: ReadonlyMap<string, VerifiedCluster>;
  /** Clusters of the mesh that could not be reached, or are not those that were planned for. */
  readonly unreachable: ReadonlyMap<string, Problem>;
  /** Names this run; part of the names and labels of what it makes. */
  readonly run: string;
  readonly clock: System['clock'];
  /** Aborted by Ctrl-C. Clients go on working, so that a layer can tidy up. */
  readonly signal: AbortSignal;
  /** Longest wait for probe pods, milliseconds. */
  readonly timeoutMs: number;
  readonly onProgress: (cluster: string, text: string) => void;
}

export interface LayerOutcome {
  readonly checks: readonly Check[];
  /** What the reader should know about how it was checked, such as which nodes stand for all. */
  readonly notes?: readonly string[];
  /** What could not be removed again, and how to do it. */
  readonly left?: readonly string[];
}

/** One layer. `run` gets the pairs that no earlier layer found broken; a broken layer is a failed check, never an exception. */
export interface Layer {
  readonly name: string;
  /** Pairs that it is about: those of one network, those of different ones, or each remote with its primary; all when absent. */
  readonly serves?: 'network' | 'gateways' | 'control plane';
  readonly run: (scene: Scene, pairs: readonly Pair[]) => Promise<LayerOutcome>;
}

export interface LayerResult {
  readonly name: string;
  /** `not run` when a layer below it is broken. */
  readonly outcome: CheckOutcome | 'not run';
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface PairResult extends Pair {
  readonly outcome: 'passed' | 'failed';
  /** The first layer with a failed check. */
  readonly broken?: string;
  readonly layers: readonly LayerResult[];
}

export interface VerifyResult {
  readonly pairs: readonly PairResult[];
  /** Every check with its layer, in the order in which they were made. */
  readonly checks: readonly (Check & { readonly layer: string })[];
  readonly notes: readonly string[];
  /** Empty unless something that was made for the checks is still there. */
  readonly left: readonly string[];
}
