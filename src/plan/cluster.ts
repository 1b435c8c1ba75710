// A cluster as the plan sees it: facts chosen, addresses parsed, everything in a fixed order.
import type { Cidr, Family } from '../base/cidr.ts';
import type { ClusterFacts, NodeFacts, Observed } from '../facts/schema.ts';
import type { Cluster } from '../spec/schema.ts';

/** A pod block of a node, parsed. */
export interface PodBlock {
  readonly cidr: Cidr;
  /** An address used outside its own block: routed by itself, more specific than the block it lies in. */
  readonly borrowed: boolean;
}

export interface NodeAddress {
  readonly cidr: Cidr;
  readonly source: string;
}

export interface ResolvedNode {
  readonly name: string;
  readonly facts: NodeFacts;
  readonly addresses: readonly NodeAddress[];
  readonly subnets: readonly Cidr[];
  readonly blocks: readonly PodBlock[];
}

/** A cluster before it is decided which network it is in. */
export interface UnplacedCluster {
  readonly name: string;
  readonly spec: Cluster;
  readonly facts: ClusterFacts;
  /** True when the facts come from an API server, so that what is missing is really not there. */
  readonly readable: boolean;
  /** Sorted, each once. Taken from the blocks when the cluster does not tell. */
  readonly podCIDRs: readonly Cidr[];
  readonly podCIDRsKnown: boolean;
  readonly podSource: string;
  readonly serviceCIDRs: readonly Cidr[];
  /** In order of name. */
  readonly nodes: readonly ResolvedNode[];
  /** The root that the user gives this primary. */
  readonly givenRoot?: Observed<string>;
  /** The API server, where its URL holds an address. */
  readonly apiServer?: Cidr;
}

export interface ResolvedCluster extends UnplacedCluster {
  readonly network: string;
  /** Why it is in that network, for people. */
  readonly networkReason: string;
}

/** A node that can be a next hop and can be given routes. */
export interface RoutableNode {
  readonly name: string;
  readonly ready: boolean;
  /** The next hop per IP family. */
  readonly hops: ReadonlyMap<Family, Cidr>;
  readonly subnets: readonly Cidr[];
  readonly blocks: readonly PodBlock[];
}

/** IP families of the pods of a cluster. */
export function podFamilies(cluster: UnplacedCluster): ReadonlySet<Family> {
  return new Set(cluster.podCIDRs.map((cidr) => cidr.family));
}

/** Every node address of a cluster. */
export function nodeAddresses(cluster: UnplacedCluster): Cidr[] {
  return cluster.nodes.flatMap((node) => node.addresses.map((address) => address.cidr));
}

/** Every known node subnet of a cluster. */
export function nodeSubnets(cluster: UnplacedCluster): Cidr[] {
  return cluster.nodes.flatMap((node) => node.subnets);
}
