// Everything mesh.yaml says about a cluster, as facts whose source is its position there.
import { compareCidrs, formatCidr, parseAddress, parseCidr } from '../base/cidr.ts';
import type { Cluster } from '../spec/schema.ts';
import { type IcpFacts, parseIcpConfig } from './icp-config.ts';
import { parseIpRoute } from './ip-route.ts';
import { compareText } from './lists.ts';
import { type MergedViews, mergeViews, type NodeView } from './route-views.ts';
import { type Block, type ClusterFacts, factsVersion, type NodeFacts, type Observed } from './schema.ts';

/** `mesh.yaml:6:11` of a value; the path starts at the cluster. */
type Locate = (path: readonly (string | number)[]) => string;
type DeclaredNode = NonNullable<Cluster['nodes']>[number];

/**
 * The facts that a user wrote: nodes with blocks or pasted `ip route` text, CIDRs, the API server's URL, and what ICP's
 * cluster/config.yaml adds. What mesh.yaml says comes before what that file says.
 * @param locate position of a value, by its path within the cluster: `['nodes', 0, 'routes']`
 * @param icp text of cluster/config.yaml and its name for messages
 * @returns undefined when mesh.yaml says nothing about the cluster itself
 * @throws IsthmusError (usage) when cluster/config.yaml makes no sense; problems of pasted text are in `problems`
 */
export function declaredFacts(
  cluster: Cluster,
  locate: Locate,
  icp?: { readonly text: string; readonly file: string },
): ClusterFacts | undefined {
  const { nodes, podCIDRs, serviceCIDRs, apiServer } = cluster;
  if ([nodes, podCIDRs, serviceCIDRs, apiServer, icp].every((given) => given === undefined)) return undefined;
  const config = icp === undefined ? undefined : parseIcpConfig(icp.text, icp.file);
  const views = (nodes ?? []).map((node, index) => viewOf(node, index, locate));
  const merged = mergeViews(views);
  return {
    apiVersion: factsVersion,
    kind: 'ClusterFacts',
    cluster: cluster.name,
    origin: 'text',
    ...(apiServer === undefined ? {} : { server: { value: apiServer, source: locate(['apiServer']) } }),
    ...(config === undefined ? {} : { platform: config.platform, loadBalancer: config.loadBalancer }),
    ...cniOf(merged, config),
    ...(podCIDRs === undefined ? pick(config, 'podCIDRs') : { podCIDRs: listed(podCIDRs, locate(['podCIDRs'])) }),
    ...(serviceCIDRs === undefined ? pick(config, 'serviceCIDRs') : { serviceCIDRs: listed(serviceCIDRs, locate(['serviceCIDRs'])) }),
    pools: [],
    nodes: nodesOf(nodes ?? [], merged, locate),
    services: [],
    problems: [...merged.problems].sort((a, b) => compareText(a.code, b.code) || compareText(a.where ?? '', b.where ?? '')),
  };
}

function viewOf(node: DeclaredNode, index: number, locate: Locate): NodeView {
  const address = addressOf(node);
  const podCIDRs = node.podCIDRs.flatMap((text, at): Block[] => {
    const cidr = parseCidr(text);
    return typeof cidr === 'string' ? [] : [{ cidr: formatCidr(cidr), source: locate(['nodes', index, 'podCIDRs', at]) }];
  });
  return {
    name: node.name,
    ...(address === undefined ? {} : { address }),
    podCIDRs,
    ...(node.routes === undefined ? {} : { table: parseIpRoute(node.routes) }),
    source: `ip route on ${node.name}, ${locate(['nodes', index, 'routes'])}`,
  };
}

/** IBM Cloud Private names nodes by their address, so the name serves where no address is given. */
function addressOf({ name, address }: DeclaredNode): string | undefined {
  if (address !== undefined) return address;
  return typeof parseAddress(name) === 'string' ? undefined : name;
}

/** Routes that are there say more than the installer's configuration. */
function cniOf({ encapsulation }: MergedViews, config: IcpFacts | undefined): Pick<ClusterFacts, 'cni'> {
  if (encapsulation !== undefined && (encapsulation !== 'unknown' || config?.cni === undefined)) {
    return { cni: { value: { name: 'calico', encapsulation, flat: true }, source: "Calico's routes in the pasted ip route" } };
  }
  return config?.cni === undefined ? {} : { cni: config.cni };
}

function pick<K extends 'podCIDRs' | 'serviceCIDRs'>(config: IcpFacts | undefined, key: K): { [P in K]?: Observed<readonly string[]> } {
  const fact = config?.[key];
  return (fact === undefined ? {} : { [key]: fact }) as { [P in K]?: Observed<readonly string[]> };
}

function listed(texts: readonly string[], source: string): Observed<readonly string[]> {
  const cidrs = texts.map(parseCidr).flatMap((cidr) => (typeof cidr === 'string' ? [] : [cidr]));
  return { value: [...new Set(cidrs.sort(compareCidrs).map(formatCidr))], source };
}

function nodesOf(nodes: readonly DeclaredNode[], merged: MergedViews, locate: Locate): NodeFacts[] {
  const facts = nodes.map((node, index): NodeFacts => {
    const address = addressOf(node);
    const tables = merged.nodes.get(node.name);
    const source = locate(['nodes', index, node.address === undefined ? 'name' : 'address']);
    return {
      name: node.name,
      os: 'linux',
      ready: true,
      deleting: false,
      virtual: false,
      addresses: address === undefined ? [] : [{ value: address, source }],
      subnets: tables?.subnets ?? [],
      blocks: tables?.blocks ?? [],
      foreignRoutes: tables?.foreignRoutes ?? [],
    };
  });
  return facts.sort((a, b) => compareText(a.name, b.name));
}
