// What the BookInfo demo saw.
import type { Shares } from './objects.ts';

/** Who answered how many requests. */
export interface Answered {
  /** `reviews-v3`, from the name of the pod. */
  readonly workload: string;
  /** Cluster that the answer names. */
  readonly cluster: string;
  readonly requests: number;
}

/** One way of dividing the requests, and what came of it. */
export interface StageResult {
  readonly title: string;
  readonly shares: Shares;
  readonly requests: number;
  /** In order of workload and cluster. */
  readonly answered: readonly Answered[];
  /** Requests without a usable answer. */
  readonly failed: number;
  /** What the first failed request said. */
  readonly firstFailure?: string;
  /** Whether the right workloads in the right clusters answered, and all of them. */
  readonly ok: boolean;
}
