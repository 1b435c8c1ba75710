// What a CNI probe is given and what it returns.
import type { ApiGroups } from '../api-groups.ts';
import type { Node } from '../nodes.ts';
import type { Reads } from '../reads.ts';
import type { Block, Observed, Pool } from '../schema.ts';
import type { CalicoObjects } from './calico-objects.ts';

/** The cluster as a CNI probe sees it. */
export interface Scene {
  readonly reads: Reads;
  readonly groups: ApiGroups;
  readonly nodes: readonly Node[];
  /** `namespace/name` of every DaemonSet. */
  readonly daemonSets: ReadonlySet<string>;
  readonly platform: string | undefined;
  /** Calico's objects, read beside the nodes as they are the largest lists of all. */
  readonly calico: CalicoObjects | undefined;
}

export interface CniFacts {
  readonly cni: Observed<{ readonly name: string; readonly encapsulation: string; readonly flat: boolean }>;
  /** Pod blocks by node name, each list in address order. */
  readonly blocks: ReadonlyMap<string, readonly Block[]>;
  readonly pools?: readonly Pool[];
  /** Pod CIDRs of the CNI's own configuration; absent where Kubernetes hands out the blocks. */
  readonly podCIDRs?: Observed<readonly string[]>;
  readonly natExemptCIDRs?: Observed<readonly string[]>;
  readonly felixProtocol?: Observed<number>;
}

/** Recognises one CNI, or returns undefined. */
export type CniProbe = (scene: Scene) => Promise<CniFacts | undefined>;
