// What a way to a mesh is: someone at a shell with two empty clusters in front of him, c1 and c2.

import type { RealCluster } from '../../lab/nodes/cluster.ts';
import type { Operator } from '../../lab-e2e/operator.ts';

export interface Place {
  readonly operator: Operator;
  readonly one: RealCluster;
  readonly two: RealCluster;
  /** Runs a line in the operator's shell and counts it; returns what it prints, without white space around it. */
  type(line: string): Promise<string>;
  /** Runs a line in the shell of a node and counts it. */
  typeOn(node: string, line: string): Promise<string>;
}

export interface Way {
  readonly name: string;
  /** From nothing to a mesh that is ready for applications. */
  readonly install: (place: Place) => Promise<void>;
  /** From there to BookInfo in both clusters. */
  readonly deploy: (place: Place) => Promise<void>;
}
