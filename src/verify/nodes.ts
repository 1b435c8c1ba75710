// Which nodes are looked at.
import type { NodeState } from '../release/nodes.ts';

/** Nodes of a cluster that probe pods run on at most; more would make every pair of nodes too many. */
export const mostNodes = 50;

/** Whether routes and probe pods are possible on it: Linux, and not a virtual node of a cloud. */
export function hasKernel({ labels }: Pick<NodeState, 'labels'>): boolean {
  if ((labels['kubernetes.io/os'] ?? 'linux') !== 'linux') return false;
  return labels['type'] !== 'virtual-kubelet' && labels['eks.amazonaws.com/compute-type'] !== 'fargate';
}

/** At most `most` of the names, spread evenly over their order, the same each time. */
export function sampleNodes(names: readonly string[], most: number = mostNodes): readonly string[] {
  const sorted = [...names].sort();
  if (sorted.length <= most) return sorted;
  return Array.from({ length: most }, (_, index) => sorted[Math.floor((index * sorted.length) / most)]).filter(
    (name) => name !== undefined,
  );
}
