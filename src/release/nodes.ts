// The nodes of a cluster, as far as waiting for them goes.
import { failure } from '../base/errors.ts';
import type { ClusterReader } from '../system/types.ts';
import { isTrue, Node } from './workload-types.ts';

export interface NodeState {
  readonly name: string;
  readonly ready: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** Nodes by name: those that are named, or all when none is. A named node that is gone is left out: nothing runs on it any more. */
export async function readNodes(client: ClusterReader, named: readonly string[]): Promise<ReadonlyMap<string, NodeState>> {
  const read = await client.collect('/api/v1/nodes', (object): NodeState => {
    const { metadata, status } = Node.parse(object);
    return { name: metadata.name, ready: isTrue(status.conditions, 'Ready'), labels: metadata.labels };
  });
  if (read === undefined) throw failure('the API server serves no nodes', { where: client.cluster });
  const wanted = new Set(named);
  return new Map(read.filter(({ name }) => wanted.size === 0 || wanted.has(name)).map((node) => [node.name, node]));
}
