// What ranges of addresses are for: private, internal, public, or reserved, after IANA's special-purpose registries.
import { type Cidr, contains, formatCidr, overlaps, parseCidr } from './cidr.ts';

interface Range {
  readonly cidr: Cidr;
  readonly use: string;
}

/** Shortest prefix length that a pod, service or node range may sensibly have, per family. */
export const widestPrefix = { 4: 8, 6: 16 } as const;

const privateRanges = ranges({
  '10.0.0.0/8': 'private',
  '172.16.0.0/12': 'private',
  '192.168.0.0/16': 'private',
  'fc00::/7': 'unique local',
});

const sharedRanges = ranges({ '100.64.0.0/10': 'shared address space of carriers' });

const documentationRanges = ranges({
  '192.0.2.0/24': 'documentation',
  '198.51.100.0/24': 'documentation',
  '203.0.113.0/24': 'documentation',
  '2001:db8::/32': 'documentation',
  '3fff::/20': 'documentation',
});

const benchmarkRanges = ranges({ '198.18.0.0/15': 'benchmarking', '2001:2::/48': 'benchmarking' });

const reservedRanges = ranges({
  '0.0.0.0/8': 'this network',
  '127.0.0.0/8': 'loopback',
  '169.254.0.0/16': 'link-local',
  '192.0.0.0/24': 'IETF protocol assignments',
  '224.0.0.0/4': 'multicast',
  '240.0.0.0/4': 'reserved',
  '::/128': 'unspecified',
  '::1/128': 'loopback',
  '64:ff9b::/96': 'IPv4 translation',
  '::/8': 'reserved',
  '100::/64': 'discard-only',
  '2002::/16': '6to4',
  'fe80::/10': 'link-local',
  'fec0::/10': 'deprecated site-local',
  'ff00::/8': 'multicast',
});

/** True when every address is private (RFC 1918) or unique local (RFC 4193). */
export function isPrivate(cidr: Cidr): boolean {
  return within(privateRanges, cidr);
}

/** True when any address is in 100.64.0.0/10 (RFC 6598), which carriers and some clouds use themselves. */
export function isShared(cidr: Cidr): boolean {
  return sharedRanges.some((range) => overlaps(range.cidr, cidr));
}

/**
 * True when no address can be reached from the Internet: private, shared, benchmarking and documentation ranges
 * ("Globally Reachable: False" in IANA's registries), or inside one of `declared`.
 */
export function isInternal(cidr: Cidr, declared: readonly Cidr[] = []): boolean {
  if (declared.some((range) => contains(range, cidr))) return true;
  return [privateRanges, sharedRanges, benchmarkRanges, documentationRanges].some((list) => within(list, cidr));
}

/** True when some address may belong to someone on the Internet: neither internal nor reserved. */
export function isPublic(cidr: Cidr): boolean {
  return !isInternal(cidr) && !within(reservedRanges, cidr);
}

/**
 * The reserved range that `cidr` touches, such as `127.0.0.0/8 (loopback)`: loopback, link-local, multicast,
 * unspecified and the like, which no pod, service, node or load balancer can use. Undefined when it touches none.
 */
export function reservedRangeOf(cidr: Cidr): string | undefined {
  return describeFirst(reservedRanges, cidr);
}

/** The documentation range that `cidr` touches, such as `192.0.2.0/24 (documentation)`: an example that was left in place. */
export function documentationRangeOf(cidr: Cidr): string | undefined {
  return describeFirst(documentationRanges, cidr);
}

/** True when the block is wider than any sensible pod, service or node range: /8 for IPv4, /16 for IPv6. */
export function isTooWide(cidr: Cidr): boolean {
  return cidr.prefix < widestPrefix[cidr.family];
}

function within(list: readonly Range[], cidr: Cidr): boolean {
  return list.some((range) => contains(range.cidr, cidr));
}

function describeFirst(list: readonly Range[], cidr: Cidr): string | undefined {
  const range = list.find((candidate) => overlaps(candidate.cidr, cidr));
  return range === undefined ? undefined : `${formatCidr(range.cidr)} (${range.use})`;
}

function ranges(uses: Readonly<Record<string, string>>): readonly Range[] {
  return Object.entries(uses).map(([text, use]) => {
    const cidr = parseCidr(text);
    if (typeof cidr === 'string') throw new Error(`${text} ${cidr}`);
    return { cidr, use };
  });
}
