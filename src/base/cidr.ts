// CIDR algebra on integers: strict parsing, containment, overlap and exact aggregation, for IPv4 and IPv6.
import { isIPv4, isIPv6 } from 'node:net';

export type Family = 4 | 6;

/** A block of addresses: its first address as an integer and the prefix length. */
export interface Cidr {
  readonly family: Family;
  readonly start: bigint;
  readonly prefix: number;
}

const widths = { 4: 32, 6: 128 } as const;
const prefixText = /^(?:0|[1-9][0-9]{0,2})$/;

/**
 * Parses one address strictly: dotted quad without leading zeros, or RFC 4291 text without a zone.
 * @returns a Cidr of full length, or the reason why the text is not an address
 */
export function parseAddress(text: string): Cidr | string {
  if (isIPv4(text)) return { family: 4, start: ipv4Value(text), prefix: 32 };
  if (text.includes('%')) return 'addresses with a zone are not allowed';
  if (!isIPv6(text)) return 'is not an IP address';
  const start = ipv6Value(text);
  if (start >> 32n === 0xffffn) return 'IPv4-mapped IPv6 is not allowed; write the IPv4 form';
  return { family: 6, start, prefix: 128 };
}

/**
 * Parses `address/prefix` strictly; host bits must be zero.
 * @returns the block, or the reason why the text is not one (with the corrected form where only host bits are set)
 */
export function parseCidr(text: string): Cidr | string {
  const slash = text.indexOf('/');
  if (slash < 0) return 'has no prefix length; write for example 10.1.0.0/16';
  const address = parseAddress(text.slice(0, slash));
  if (typeof address === 'string') return address;
  const digits = text.slice(slash + 1);
  if (!prefixText.test(digits)) return 'has no plain number as prefix length';
  const prefix = Number(digits);
  if (prefix > widths[address.family]) return `has a prefix longer than ${widths[address.family]}`;
  const cidr = truncate(address, prefix);
  if (cidr.start !== address.start) return `has host bits set; did you mean ${formatCidr(cidr)}?`;
  return cidr;
}

/** The block of `prefix` length that holds the first address of `cidr`. */
export function truncate(cidr: Cidr, prefix: number): Cidr {
  const shift = BigInt(widths[cidr.family] - prefix);
  return { family: cidr.family, start: (cidr.start >> shift) << shift, prefix };
}

/** `10.1.0.0/16`; IPv6 in the form of RFC 5952. */
export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr)}/${cidr.prefix}`;
}

/** The first address of the block as text. */
export function formatAddress(cidr: Cidr): string {
  return cidr.family === 4 ? formatIpv4(cidr.start) : formatIpv6(cidr.start);
}

/** Number of addresses in the block. */
export function sizeOf(cidr: Cidr): bigint {
  return 1n << BigInt(widths[cidr.family] - cidr.prefix);
}

/** True when every address of `inner` is in `outer`. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  return outer.family === inner.family && outer.prefix <= inner.prefix && truncate(inner, outer.prefix).start === outer.start;
}

/** True when the two blocks share an address; blocks either nest or are disjoint. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return contains(a, b) || contains(b, a);
}

/** Order for output: IPv4 first, then by address, then the wider block first. */
export function compareCidrs(a: Cidr, b: Cidr): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.prefix - b.prefix;
}

/**
 * The fewest blocks that cover exactly the same addresses: nested blocks are dropped, halves are joined.
 * O(n log n) in the number of blocks.
 */
export function aggregate(cidrs: readonly Cidr[]): Cidr[] {
  const result: Cidr[] = [];
  for (const cidr of [...cidrs].sort(compareCidrs)) {
    const last = result.at(-1);
    if (last !== undefined && contains(last, cidr)) continue;
    result.push(cidr);
    joinHalves(result);
  }
  return result;
}

function joinHalves(result: Cidr[]): void {
  for (;;) {
    const upper = result.at(-1);
    const lower = result.at(-2);
    if (upper === undefined || lower === undefined) return;
    if (upper.family !== lower.family || upper.prefix !== lower.prefix || upper.prefix === 0) return;
    const parent = truncate(lower, lower.prefix - 1);
    if (lower.start !== parent.start || !contains(parent, upper)) return;
    result.splice(-2, 2, parent);
  }
}

function ipv4Value(text: string): bigint {
  return BigInt(text.split('.').reduce((value, octet) => value * 256 + Number(octet), 0));
}

function ipv6Value(text: string): bigint {
  const [head = '', tail] = expandDottedQuad(text).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function expandDottedQuad(text: string): string {
  const start = text.lastIndexOf(':') + 1;
  const quad = text.slice(start);
  if (!quad.includes('.')) return text;
  const value = ipv4Value(quad);
  return `${text.slice(0, start)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

function formatIpv4(value: bigint): string {
  const number = Number(value);
  return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
}

function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const { at, length } = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, at).join(':')}::${groups.slice(at + length).join(':')}`;
}

function longestZeros(groups: readonly string[]): { at: number; length: number } {
  let best = { at: 0, length: 0 };
  for (let at = 0; at < groups.length; at++) {
    let end = at;
    while (groups[end] === '0') end++;
    if (end - at > best.length) best = { at, length: end - at };
  }
  return best;
}
