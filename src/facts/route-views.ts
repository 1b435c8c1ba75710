// What the routing tables of several nodes say together: which block belongs to which node, and what else is routed there.
// Every node of a Calico cluster sees all blocks, its own as a blackhole and the others by their node's address; all views must agree.
import { type Cidr, compareCidrs, contains, formatAddress, formatCidr, parseAddress, parseCidr, truncate } from '../base/cidr.ts';
import type { Problem } from '../findings/types.ts';
import type { IpRouteText, RouteLine } from './ip-route.ts';
import { compareText, examplesOf, sortedUnique } from './lists.ts';
import type { Block, ForeignRoute } from './schema.ts';

/** One node as described by text. */
export interface NodeView {
  readonly name: string;
  readonly address?: string;
  readonly podCIDRs: readonly Block[];
  /** Its routing table, where given, and where that text stands. */
  readonly table?: IpRouteText;
  readonly source: string;
}

export interface NodeTables {
  readonly blocks: readonly Block[];
  readonly subnets: readonly string[];
  readonly foreignRoutes: readonly ForeignRoute[];
}

export interface MergedViews {
  /** By node name; every node is in it. */
  readonly nodes: ReadonlyMap<string, NodeTables>;
  /** How Calico wraps traffic between nodes by its routes; undefined when there is no route of Calico. */
  readonly encapsulation?: string;
  readonly problems: readonly Problem[];
}

/** Protocols of Calico's routes: BIRD by name and number, and Felix. */
const calicoProtocols: ReadonlySet<string> = new Set(['bird', '12', '80']);

/** Bridges on which a CNI with node.spec.podCIDRs puts the block of its own node. */
const blockBridges: ReadonlySet<string> = new Set(['cni0', 'cbr0', 'kube-bridge']);

interface Claim {
  readonly cidr: Cidr;
  /** Who has the block, and where that is said. An owner that is no node is an address in `strangers`. */
  readonly owners: Map<string, string>;
  readonly strangers: Set<string>;
  /** Seen with a next hop that names no node: an address inside a tunnel. */
  readonly sources: Set<string>;
}

/** Merges the views. Disagreement and next hops that are no known node are problems (ISM034), and their blocks are left out. */
export function mergeViews(given: readonly NodeView[]): MergedViews {
  const views = [...given].sort((a, b) => compareText(a.name, b.name));
  const claims = new Map<string, Claim>();
  const byAddress = new Map(views.flatMap((view) => (view.address === undefined ? [] : [[canonical(view.address), view.name] as const])));
  for (const view of views) {
    for (const block of view.podCIDRs) declare(claims, view.name, block);
    for (const line of view.table?.routes ?? []) learn(claims, byAddress, view, line);
  }
  const blocks = settledBlocks(claims);
  const nodes = new Map(views.map((view): [string, NodeTables] => [view.name, tablesOf(view, blocks.get(view.name) ?? [])]));
  const encapsulation = encapsulationOf(views);
  const problems = [...malformedLines(views), ...[...claims].flatMap(([key, claim]) => problemsOf(key, claim))];
  return { nodes, problems, ...(encapsulation === undefined ? {} : { encapsulation }) };
}

function claimOf(claims: Map<string, Claim>, cidr: Cidr): Claim {
  const key = formatCidr(cidr);
  const claim = claims.get(key) ?? { cidr, owners: new Map(), strangers: new Set(), sources: new Set() };
  claims.set(key, claim);
  return claim;
}

function declare(claims: Map<string, Claim>, node: string, block: Block): void {
  const cidr = parseCidr(block.cidr);
  if (typeof cidr !== 'string') claimOf(claims, cidr).owners.set(node, block.source);
}

function learn(claims: Map<string, Claim>, byAddress: ReadonlyMap<string, string>, view: NodeView, line: RouteLine): void {
  const role = roleOf(line, view);
  if (role !== 'own' && role !== 'peer') return;
  const claim = claimOf(claims, line.dst);
  const owners = role === 'own' ? [view.name] : line.vias.map((via) => byAddress.get(via));
  for (const [at, owner] of owners.entries()) {
    const via = line.vias[at] ?? '';
    if (owner !== undefined) claim.owners.set(owner, role === 'own' ? view.source : (claim.owners.get(owner) ?? view.source));
    else if (isInsideTunnel(line, via)) claim.sources.add(view.source);
    else claim.strangers.add(via);
  }
}

/** VXLAN routes of Calico name the peer's tunnel address, IPv6 routes of BIRD may name a link-local one: neither tells the node. */
function isInsideTunnel(line: RouteLine, via: string): boolean {
  const address = parseAddress(via);
  return line.dev?.startsWith('vxlan') === true || typeof address === 'string' || contains(line.dst, address) || via.startsWith('fe80:');
}

type Role = 'own' | 'peer' | 'subnet' | 'pod' | 'foreign';

function roleOf(line: RouteLine, view: NodeView): Role {
  const isCalico = calicoProtocols.has(line.protocol);
  if (line.kind === 'blackhole') return isCalico ? 'own' : 'foreign';
  if (line.vias.length > 0) return isCalico ? 'peer' : 'foreign';
  if (line.protocol === 'kernel' && blockBridges.has(line.dev ?? '')) return 'own';
  if (line.protocol === 'kernel' && holdsAddress(line, view.address)) return 'subnet';
  return isWholeAddress(line.dst) || isCalico ? 'pod' : 'foreign';
}

function holdsAddress(line: RouteLine, text: string | undefined): boolean {
  const address = parseAddress(text ?? line.src ?? '');
  return typeof address !== 'string' && !isWholeAddress(line.dst) && contains(line.dst, address);
}

function isWholeAddress(cidr: Cidr): boolean {
  return cidr.prefix === (cidr.family === 4 ? 32 : 128);
}

/** Blocks with exactly one owner, by node. A single address inside the block of another node is borrowed; inside its own it says nothing new. */
function settledBlocks(claims: ReadonlyMap<string, Claim>): Map<string, Block[]> {
  const prefixes = [...new Set([...claims.values()].map(({ cidr }) => cidr.prefix))];
  const blocks = new Map<string, Block[]>();
  for (const claim of [...claims.values()].sort((a, b) => compareCidrs(a.cidr, b.cidr))) {
    const owner = ownerOf(claim);
    const around = isWholeAddress(claim.cidr) ? ownerAround(claims, claim.cidr, prefixes) : undefined;
    if (owner === undefined || around === owner) continue;
    const block = {
      cidr: formatCidr(claim.cidr),
      source: claim.owners.get(owner) ?? '',
      ...(around === undefined ? {} : { borrowed: true }),
    };
    const list = blocks.get(owner);
    if (list === undefined) blocks.set(owner, [block]);
    else list.push(block);
  }
  return blocks;
}

function ownerOf(claim: Claim | undefined): string | undefined {
  return claim?.owners.size === 1 && claim.strangers.size === 0 ? [...claim.owners.keys()][0] : undefined;
}

function ownerAround(claims: ReadonlyMap<string, Claim>, address: Cidr, prefixes: readonly number[]): string | undefined {
  const wider = prefixes.filter((prefix) => prefix < address.prefix && prefix <= (address.family === 4 ? 32 : 128));
  return wider.map((prefix) => ownerOf(claims.get(formatCidr(truncate(address, prefix))))).find((owner) => owner !== undefined);
}

function tablesOf(view: NodeView, blocks: readonly Block[]): NodeTables {
  const lines = view.table?.routes ?? [];
  const subnets = lines.filter((line) => roleOf(line, view) === 'subnet').map((line) => formatCidr(line.dst));
  const foreign = lines.filter((line) => roleOf(line, view) === 'foreign').sort((a, b) => compareCidrs(a.dst, b.dst));
  return { blocks, subnets: sortedUnique(subnets), foreignRoutes: foreign.flatMap(foreignRoutes) };
}

function foreignRoutes(line: RouteLine): ForeignRoute[] {
  const { protocol, dev } = line;
  const route = { dst: formatCidr(line.dst), protocol, ...(dev === undefined ? {} : { dev }) };
  return line.vias.length === 0 ? [route] : line.vias.map((via) => ({ ...route, via }));
}

function encapsulationOf(views: readonly NodeView[]): string | undefined {
  const lines = views.flatMap((view) => view.table?.routes ?? []).filter((line) => calicoProtocols.has(line.protocol));
  if (lines.length === 0) return undefined;
  const devices = lines.filter((line) => line.vias.length > 0).map((line) => line.dev ?? '');
  const kinds = sortedUnique(devices.map(kindOfDevice)).filter((kind) => kind !== 'none');
  if (devices.length === 0) return 'unknown';
  return kinds.length === 0 ? 'none' : kinds.join(', ');
}

function kindOfDevice(dev: string): string {
  if (dev === 'tunl0') return 'ipip';
  if (dev.startsWith('vxlan')) return 'vxlan';
  return dev.startsWith('wireguard') || dev.startsWith('wg-') ? 'wireguard' : 'none';
}

function malformedLines(views: readonly NodeView[]): Problem[] {
  return views.flatMap(({ table, source }) => {
    if (table === undefined || table.malformed.length === 0) return [];
    return [
      { code: 'ISM015', where: source, message: `Not understood: ${examplesOf(table.malformed.map((line) => JSON.stringify(line)))}` },
    ];
  });
}

function problemsOf(key: string, { owners, strangers, sources }: Claim): Problem[] {
  const where = key;
  const [stranger] = [...strangers].sort();
  if (stranger !== undefined) {
    const message = `Pod block ${key} is routed via ${examplesOf([...strangers])}, which is the address of no node; it is left out`;
    return [{ code: 'ISM034', where, message, hint: `Add the node with address ${stranger} to nodes in mesh.yaml.` }];
  }
  if (owners.size > 1) {
    const said = [...owners].map(([node, source]) => `${node} (${source})`);
    const message = `The texts disagree on pod block ${key}: it belongs to ${said.sort().join(' and to ')}; it is left out`;
    return [{ code: 'ISM034', where, message, hint: 'Run `ip route` on these nodes again and paste it anew.' }];
  }
  if (owners.size === 1 || sources.size === 0) return [];
  const message = `The node of pod block ${key} is unknown: its route leads into a tunnel (${examplesOf([...sources])})`;
  return [
    { code: 'ISM007', where, message, hint: 'Paste `ip route` of every node: the blackhole line names the block of the node itself.' },
  ];
}

function canonical(address: string): string {
  const parsed = parseAddress(address);
  return typeof parsed === 'string' ? address : formatAddress(parsed);
}
