// Which node each Calico block belongs to, and which addresses are used outside the block of their node.
// After Calico's IPAM design: only confirmed affinities are routed, object names are never parsed, and an address that a
// node borrowed from another node's block is routed on its own, as Felix does it.
import { aggregate, type Cidr, compareCidrs, formatCidr, parseCidr } from '../../base/cidr.ts';
import { compareText, examplesOf, sortedUnique } from '../lists.ts';
import type { Reads } from '../reads.ts';
import type { Block } from '../schema.ts';
import type { BlockAffinity, IPAMBlock } from './calico-objects.ts';

interface Claim {
  readonly cidr: Cidr;
  readonly owners: Map<string, string>;
}

export interface BlockInputs {
  readonly affinities: readonly BlockAffinity[];
  readonly blocks: readonly IPAMBlock[];
  /** Names of the nodes of the cluster. */
  readonly nodes: ReadonlySet<string>;
  readonly report: Reads['report'];
}

/**
 * Blocks by node name, each list in address order. Linear in affinities and allocated addresses.
 * Reported: two owners of one CIDR (ISM034, the block is left out), claims of nodes that are gone (ISM035), malformed CIDRs (ISM015).
 */
export function calicoBlocks({ affinities, blocks, nodes, report }: BlockInputs): Map<string, readonly Block[]> {
  const claims = claimsOf(affinities, report);
  const disputed = disputes(claims, blocks);
  for (const [cidr, owners] of disputed) report(twoOwners(cidr, owners));
  const found: Located[] = [...ownedBlocks(claims, disputed), ...borrowedBlocks(claims, disputed, blocks)];
  const gone = found.filter(({ node }) => !nodes.has(node));
  if (gone.length > 0) report(nodeGone(gone));
  return byNode(found.filter(({ node }) => nodes.has(node)));
}

interface Located {
  readonly node: string;
  readonly cidr: Cidr;
  readonly block: Block;
}

function claimsOf(affinities: readonly BlockAffinity[], report: Reads['report']): Map<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const { metadata, spec } of affinities) {
    if (!isConfirmed(spec)) continue;
    const cidr = parseCidr(spec.cidr);
    if (typeof cidr === 'string') {
      report({ code: 'ISM015', where: `BlockAffinity ${metadata.name}`, message: `${JSON.stringify(spec.cidr)} ${cidr}` });
      continue;
    }
    const key = formatCidr(cidr);
    const claim = claims.get(key) ?? { cidr, owners: new Map() };
    claims.set(key, claim);
    const other = claim.owners.get(spec.node);
    if (other === undefined || metadata.name < other) claim.owners.set(spec.node, metadata.name);
  }
  return claims;
}

function isConfirmed({ state, type, deleted }: BlockAffinity['spec']): boolean {
  const isHost = type === undefined || type === '' || type === 'host';
  return isHost && state === 'confirmed' && deleted !== true && deleted !== 'true';
}

/** Blocks with more than one owner, by affinities alone or by an affinity and the block itself. */
function disputes(claims: ReadonlyMap<string, Claim>, blocks: readonly IPAMBlock[]): Map<string, readonly string[]> {
  const owners = new Map([...claims].map(([key, claim]) => [key, new Set(claim.owners.keys())]));
  for (const { cidr, affinity, deleted } of blocks) {
    const host = deleted ? undefined : hostOf(affinity);
    if (host !== undefined) owners.get(keyOf(cidr, claims))?.add(host);
  }
  return new Map([...owners].filter(([, names]) => names.size > 1).map(([key, names]) => [key, sortedUnique(names)]));
}

function hostOf(affinity: string | undefined): string | undefined {
  return affinity?.startsWith('host:') ? affinity.slice('host:'.length) : undefined;
}

/** The text in the form of the claims' keys; Calico writes that form itself, so parsing again is the exception. */
function keyOf(text: string, claims: ReadonlyMap<string, Claim>): string {
  if (claims.has(text)) return text;
  const cidr = parseCidr(text);
  return typeof cidr === 'string' ? text : formatCidr(cidr);
}

function* ownedBlocks(claims: ReadonlyMap<string, Claim>, disputed: ReadonlyMap<string, unknown>): Iterable<Located> {
  for (const [key, claim] of claims) {
    if (disputed.has(key)) continue;
    for (const [node, name] of claim.owners) yield { node, cidr: claim.cidr, block: { cidr: key, source: `BlockAffinity ${name}` } };
  }
}

function* borrowedBlocks(
  claims: ReadonlyMap<string, Claim>,
  disputed: ReadonlyMap<string, unknown>,
  blocks: readonly IPAMBlock[],
): Iterable<Located> {
  for (const { name, cidr: text, affinity = 'host:', deleted, users } of blocks) {
    const key = keyOf(text, claims);
    if (deleted || !affinity.startsWith('host:') || disputed.has(key)) continue;
    const [owner] = claims.get(key)?.owners.keys() ?? [];
    for (const [node, ordinals] of users) {
      if (node === owner) continue;
      for (const cidr of addressesOf(key, ordinals))
        yield { node, cidr, block: { cidr: formatCidr(cidr), source: `IPAMBlock ${name}`, borrowed: true } };
    }
  }
}

/** The addresses at these ordinals of a block, neighbours together; none when the block makes no sense. */
function addressesOf(block: string, ordinals: readonly number[]): Cidr[] {
  const base = parseCidr(block);
  if (typeof base === 'string') return [];
  const { family, start } = base;
  return aggregate(ordinals.map((ordinal) => ({ family, start: start + BigInt(ordinal), prefix: family === 4 ? 32 : 128 })));
}

function byNode(found: readonly Located[]): Map<string, readonly Block[]> {
  const lists = new Map<string, Located[]>();
  for (const located of found) {
    const list = lists.get(located.node);
    if (list === undefined) lists.set(located.node, [located]);
    else list.push(located);
  }
  return new Map(
    [...lists].map(([node, list]) => [
      node,
      list.sort((a, b) => compareCidrs(a.cidr, b.cidr) || compareText(a.block.source, b.block.source)).map(({ block }) => block),
    ]),
  );
}

function twoOwners(cidr: string, owners: readonly string[]): Parameters<Reads['report']>[0] {
  return {
    code: 'ISM034',
    where: cidr,
    message: `Pod block ${cidr} belongs to ${owners.join(' and to ')}; it is left out`,
    hint: `Look at it with: calicoctl ipam check; kubectl get blockaffinities | grep ${cidr.replaceAll(/[./:]/g, '-')}`,
  };
}

function nodeGone(gone: readonly Located[]): Parameters<Reads['report']>[0] {
  const names = sortedUnique(gone.map(({ node }) => node));
  return {
    code: 'ISM035',
    where: 'BlockAffinity',
    message: `${gone.length} pod blocks belong to nodes that are gone (${examplesOf(names)}): ${examplesOf(gone.map(({ block }) => block.cidr))}`,
    hint: 'Calico frees them by itself after a while; calicoctl ipam release does it now.',
  };
}
