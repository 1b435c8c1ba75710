// Addresses of the control plane: whether they are internal, stable and of one kind.
import { type Cidr, contains, formatAddress, formatCidr, parseAddress, parseCidr, truncate } from '../../base/cidr.ts';
import { isInternal } from '../../base/ranges.ts';
import { makeFinding } from '../../findings/index.ts';
import type { Finding } from '../../findings/types.ts';
import type { Era } from '../../spec/schema.ts';
import { nodeAddresses, nodeSubnets, podFamilies, type ResolvedCluster } from '../cluster.ts';
import { disjoint } from '../overlap.ts';
import { listText } from '../text.ts';

/** Prefix lengths of the network around a node address where its real subnet is unknown; used for nothing but this check. */
const neighbourhood = { 4: 24, 6: 64 } as const;

/** Addresses that something of the control plane has or asks for, and where that was read. */
export interface AddressClaim {
  /** `istiod-ilb`, `remotePilotAddress of cluster2`. */
  readonly what: string;
  /** Cluster the finding is about. */
  readonly cluster: string;
  readonly addresses: readonly string[];
  readonly source?: string;
}

export interface AddressScene {
  readonly era: Era;
  /** Every cluster of the mesh. */
  readonly clusters: readonly ResolvedCluster[];
  readonly internalCIDRs: readonly string[];
}

/** Findings about addresses at which a control plane shall answer: internal, not of a pod, well written. */
export function checkAddresses(claim: AddressClaim, scene: AddressScene): Finding[] {
  const parsed = claim.addresses.map((text) => ({ text, address: parseAddress(text) }));
  const malformed = parsed.flatMap(({ text, address }) => (typeof address === 'string' ? [`${JSON.stringify(text)} ${address}`] : []));
  const addresses = parsed.flatMap(({ address }) => (typeof address === 'string' ? [] : [address]));
  return [
    ...(malformed.length === 0
      ? []
      : [makeFinding({ code: 'ISM015', ...place(claim), message: `${claim.what}: ${listText(malformed)}.` })]),
    ...addresses.flatMap((address) => podAddress(claim, address, scene) ?? publicAddress(claim, address, scene)),
  ];
}

/** The well-written addresses of a list, each once and in its order. */
export function usableAddresses(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((text) => typeof parseAddress(text) !== 'string'))];
}

/** Says when the addresses are of two families, or of one that the pods of the remote do not have. */
export function checkFamily(remote: ResolvedCluster, addresses: readonly string[]): Finding[] {
  const families = new Set(addresses.map((text) => (text.includes(':') ? 6 : 4)));
  const own = podFamilies(remote);
  const [family] = families;
  if (family === undefined) return [];
  const shown = listText(addresses);
  if (families.size > 1)
    return [makeFinding({ code: 'ISM067', cluster: remote.name, message: `The control-plane addresses ${shown} are of two IP families.` })];
  if (own.size === 0 || own.has(family)) return [];
  return [
    makeFinding({
      code: 'ISM067',
      cluster: remote.name,
      message: `The control plane answers at ${shown}, and pods have IPv${[...own].join()} only.`,
    }),
  ];
}

function place({ cluster, source }: AddressClaim): { cluster: string; where?: string } {
  return source === undefined ? { cluster } : { cluster, where: source };
}

function podAddress(claim: AddressClaim, address: Cidr, { era, clusters }: AddressScene): Finding[] | undefined {
  const owner = clusters.find((cluster) => cluster.podCIDRs.some((cidr) => contains(cidr, address)));
  if (owner === undefined) return undefined;
  const message = `${claim.what}: ${formatAddress(address)} is a pod address of ${owner.name}; the pod gets another one when it restarts.`;
  return [makeFinding({ code: 'ISM062', severity: era === 'classic' ? 'warning' : 'error', ...place(claim), message })];
}

function publicAddress(claim: AddressClaim, address: Cidr, { clusters, internalCIDRs }: AddressScene): Finding[] {
  const declared = internalCIDRs.map(parseCidr).filter((cidr) => typeof cidr !== 'string');
  const known = disjoint(clusters.flatMap(nodeSubnets));
  const guessed = guessedSubnets(clusters, address.family);
  if (isInternal(address, [...declared, ...known, ...guessed])) return [];
  const subnets = [
    ...known.filter((cidr) => cidr.family === address.family).map(formatCidr),
    ...guessed.map((cidr) => `${formatCidr(cidr)} (around a node address; real subnet unknown)`),
  ];
  const compared = subnets.length === 0 ? '' : `, not in a subnet of the nodes: ${listText(subnets)}`;
  return [
    makeFinding({
      code: 'ISM060',
      ...place(claim),
      message: `${claim.what}: ${formatAddress(address)} is not internal. It is in no private range, not in internalCIDRs${compared}.`,
      hint: 'When it is internal to your network, list its range in `internalCIDRs`. Otherwise make the load balancer internal first.',
    }),
  ];
}

/** Where no subnet of a cluster is known: the networks around its node addresses. */
function guessedSubnets(clusters: readonly ResolvedCluster[], family: 4 | 6): Cidr[] {
  const blind = clusters.filter((cluster) => !nodeSubnets(cluster).some((subnet) => subnet.family === family));
  const addresses = blind.flatMap(nodeAddresses).filter((address) => address.family === family);
  return disjoint(addresses.map((address) => truncate(address, neighbourhood[family])));
}
