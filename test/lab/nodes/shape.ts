// What the lab looks like: clusters with their CIDRs, nodes with their addresses and pod blocks.
import type { LabNode } from '../calico.ts';
import { originalClusters, type Shape } from '../load.ts';

/** A node, and the machine that plays it. */
export interface PlacedNode extends LabNode {
  /** Name of its machine, which no other has; nodes of two clusters may have the same name. */
  readonly machine: string;
}

export interface ClusterShape extends Shape {
  /** Name of the cluster and of its kubeconfig context. */
  readonly name: string;
  readonly nodes: readonly PlacedNode[];
}

export interface MeshShape {
  readonly clusters: number;
  /** Nodes of each cluster. */
  readonly nodes: number;
}

/** All nodes of all clusters are in this subnet, as in the original procedure. */
export const subnet = { prefix: 24, gateway: '9.111.255.1' } as const;

/** Clusters c1, c2, ... with nodes c1-n1, c1-n2, ...; the first two have CIDRs, addresses and blocks of the original procedure. */
export function meshShape({ clusters, nodes }: MeshShape): ClusterShape[] {
  return Array.from({ length: clusters }, (_, index) => clusterShape(index, nodes));
}

/** The next node of a cluster: an address and a block that nobody has. */
export function nextNode(cluster: ClusterShape, index: number): PlacedNode {
  const host = 160 + index * 20 + cluster.nodes.length;
  const name = `${cluster.name}-n${cluster.nodes.length + 1}`;
  return {
    name,
    machine: name,
    address: `9.111.255.${host}`,
    blocks: [`${cluster.podCIDR.split('.').slice(0, 2).join('.')}.${200 + cluster.nodes.length}.64/26`],
  };
}

function clusterShape(index: number, count: number): ClusterShape {
  const name = `c${index + 1}`;
  const { nodes: original, ...cidrs } = [originalClusters.cluster1, originalClusters.cluster2][index] ?? furtherCluster(index);
  const names = original.slice(0, count).map((node, position) => ({ node, own: `${name}-n${position + 1}` }));
  const nodes = names.map(({ node, own }) => ({ ...node, name: own, machine: own }));
  let shape: ClusterShape = { name, ...cidrs, nodes };
  while (shape.nodes.length < count) shape = { ...shape, nodes: [...shape.nodes, nextNode(shape, index)] };
  return shape;
}

function furtherCluster(index: number): Shape {
  return { podCIDR: `10.${index + 10}.0.0/16`, serviceCIDR: `10.${110 + index}.0.0/16`, nodes: [] };
}
