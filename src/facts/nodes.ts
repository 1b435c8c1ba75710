// Nodes: their addresses, subnets, readiness, and whether they have a kernel to route on.
import * as z from 'zod';
import { formatCidr, parseAddress } from '../base/cidr.ts';
import { parseNetwork } from './cidrs.ts';
import { compareText, examplesOf } from './lists.ts';
import { Metadata } from './objects.ts';
import type { Reads } from './reads.ts';
import type { Block, NodeFacts, Observed } from './schema.ts';

const Address = z.object({ type: z.string(), address: z.string() });
const Condition = z.object({ type: z.string(), status: z.string() });

/** What is read of a Node object; everything else is dropped as pages arrive. */
const Node = z
  .object({
    metadata: Metadata,
    spec: z
      .object({ podCIDR: z.string().optional(), podCIDRs: z.array(z.string()).nullish(), providerID: z.string().optional() })
      .nullish(),
    status: z.object({
      addresses: z.array(Address).nullish(),
      conditions: z.array(Condition).nullish(),
      nodeInfo: z.object({ kubeletVersion: z.string().optional() }).nullish(),
    }),
  })
  .transform(({ metadata, spec, status }) => ({
    name: metadata.name,
    uid: metadata.uid,
    labels: metadata.labels,
    annotations: metadata.annotations,
    deleting: metadata.deletionTimestamp !== undefined,
    podCIDRs: spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR]),
    providerID: spec?.providerID ?? '',
    addresses: status.addresses ?? [],
    ready: status.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True') ?? false,
    kubeletVersion: status.nodeInfo?.kubeletVersion ?? '',
  }));

/** A Node object, trimmed to what the probes ask of it. */
export type Node = z.infer<typeof Node>;

/** Annotations in which a CNI says at which address the others reach the node; the first that is set per family wins. */
const addressAnnotations: Readonly<Record<string, readonly string[]>> = {
  calico: ['projectcalico.org/IPv4Address', 'projectcalico.org/IPv6Address'],
  flannel: [
    'flannel.alpha.coreos.com/public-ip-overwrite',
    'flannel.alpha.coreos.com/public-ip',
    'flannel.alpha.coreos.com/public-ipv6-overwrite',
    'flannel.alpha.coreos.com/public-ipv6',
  ],
};

/** All nodes in order of name; undefined when they cannot be read. */
export async function readNodes(reads: Reads): Promise<readonly Node[] | undefined> {
  const nodes = await reads.list('/api/v1/nodes', Node);
  return nodes === undefined ? undefined : [...nodes].sort((a, b) => compareText(a.name, b.name));
}

/** Every address that nodes have by their status, of any type: pods on the host network carry these. */
export function hostAddresses(nodes: readonly Node[]): ReadonlySet<string> {
  return new Set(nodes.flatMap((node) => node.addresses.map(({ address }) => address)));
}

/** True for Windows nodes and for nodes without a kernel of their own: pods there need no route of ours. */
export function isForeignKernel(node: Node): boolean {
  return osOf(node) !== 'linux' || isVirtual(node);
}

/**
 * Node facts in order of name.
 * @param blocks pod blocks by node name
 * @param cni name of the CNI, whose annotations say which address it uses; undefined when unknown
 */
export function nodeFacts(
  nodes: readonly Node[],
  known: { readonly blocks: ReadonlyMap<string, readonly Block[]>; readonly cni: string | undefined; readonly report: Reads['report'] },
): NodeFacts[] {
  const bad: string[] = [];
  const facts = nodes.map((node): NodeFacts => {
    const { name, uid } = node;
    const addresses = addressesOf(node, known.cni);
    bad.push(
      ...addresses.filter(({ value }) => !isAddress(value)).map(({ value, source }) => `${name} (${source} ${JSON.stringify(value)})`),
    );
    return {
      name,
      ...(uid === undefined ? {} : { uid }),
      os: osOf(node),
      ready: node.ready,
      deleting: node.deleting,
      virtual: isVirtual(node),
      addresses: addresses.filter(({ value }) => isAddress(value)),
      subnets: subnetsOf(node, known.cni),
      blocks: known.blocks.get(name) ?? [],
      foreignRoutes: [],
    };
  });
  if (bad.length > 0) known.report({ code: 'ISM008', where: 'Node addresses', message: `No IP addresses, left out: ${examplesOf(bad)}` });
  return facts;
}

function osOf(node: Node): string {
  return node.labels['kubernetes.io/os'] ?? node.labels['beta.kubernetes.io/os'] ?? 'linux';
}

function isVirtual(node: Node): boolean {
  const { labels } = node;
  if (labels['type'] === 'virtual-kubelet' || labels['kubernetes.azure.com/virtual-node'] !== undefined) return true;
  return labels['eks.amazonaws.com/compute-type'] === 'fargate' || node.providerID.includes('/fargate-');
}

function addressesOf(node: Node, cni: string | undefined): Observed<string>[] {
  const annotated = annotationsOf(node, cni).map(({ key, text }) => ({ value: withoutMask(text), source: `annotation ${key}` }));
  const internal = node.addresses
    .filter(({ type }) => type === 'InternalIP')
    .map(({ address }) => ({ value: address, source: 'InternalIP' }));
  const seen = new Set<string>();
  return [...annotated, ...internal].filter(({ value }) => !seen.has(value) && seen.add(value));
}

/** Calico writes the mask of the interface with the address, which tells the subnet. */
function subnetsOf(node: Node, cni: string | undefined): string[] {
  return annotationsOf(node, cni)
    .filter(({ text }) => text.includes('/'))
    .map(({ text }) => parseNetwork(text))
    .flatMap((cidr) => (typeof cidr === 'string' || cidr.prefix === (cidr.family === 4 ? 32 : 128) ? [] : [formatCidr(cidr)]));
}

function annotationsOf(node: Node, cni: string | undefined): { key: string; text: string }[] {
  const found = new Map<string, { key: string; text: string }>();
  for (const key of addressAnnotations[cni ?? 'calico'] ?? []) {
    const text = node.annotations[key];
    const family = /ipv6/i.test(key) ? '6' : '4';
    if (text !== undefined && text !== '' && !found.has(family)) found.set(family, { key, text });
  }
  return [...found.values()];
}

function withoutMask(text: string): string {
  const slash = text.indexOf('/');
  return slash < 0 ? text : text.slice(0, slash);
}

function isAddress(text: string): boolean {
  return typeof parseAddress(text) !== 'string';
}
