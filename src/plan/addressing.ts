// Checks the address ranges of one cluster: routable, not nested, not holding what they must not.
import { type Cidr, contains, formatAddress, formatCidr } from '../base/cidr.ts';
import { isPublic, isShared, isTooWide, reservedRangeOf } from '../base/ranges.ts';
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import { nodeAddresses, type ResolvedCluster } from './cluster.ts';
import { coverOf, disjoint } from './overlap.ts';
import { listText } from './text.ts';

/** Longest prefix of a pod CIDR with room for more than two pods. */
const tinyPrefix = { 4: 31, 6: 127 } as const;

/** Why no route may lead to a pod CIDR of this cluster; undefined when routes are safe. */
export function unroutableReason(cluster: ResolvedCluster): string | undefined {
  const cidr = cluster.podCIDRs.find((candidate) => unusable(candidate) !== undefined);
  return cidr === undefined ? undefined : `pod CIDR ${formatCidr(cidr)} of ${cluster.name} ${unusable(cidr)}`;
}

/** Findings about the ranges of one cluster; `routed` when routes lead to its pods. */
export function checkRanges(cluster: ResolvedCluster, routed: boolean): Finding[] {
  return [
    ...cluster.podCIDRs.flatMap((cidr) => checkPodCidr(cluster.name, cidr)),
    ...cluster.serviceCIDRs.flatMap((cidr) => checkUsable(cluster.name, 'Service CIDR', cidr)),
    ...checkNested(cluster),
    ...(routed ? checkOwnHosts(cluster) : []),
  ];
}

function checkPodCidr(cluster: string, cidr: Cidr): Finding[] {
  const text = formatCidr(cidr);
  const wrong = checkUsable(cluster, 'Pod CIDR', cidr);
  if (wrong.length > 0) return wrong;
  const findings: Finding[] = [];
  if (isShared(cidr)) findings.push(makeFinding({ code: 'ISM016', cluster, message: `Pod CIDR ${text} is in 100.64.0.0/10.` }));
  if (isPublic(cidr)) findings.push(publicFinding(cluster, text));
  if (cidr.prefix >= tinyPrefix[cidr.family])
    findings.push(makeFinding({ code: 'ISM017', cluster, message: `Pod CIDR ${text} has room for one or two pods.` }));
  return findings;
}

function publicFinding(cluster: string, text: string): Finding {
  return makeFinding({
    code: 'ISM031',
    cluster,
    message: `Pod CIDR ${text} is public address space.`,
    hint: 'Its real owner cannot be reached from these clusters. Nothing to do in a closed network; `ignore: [ISM031]` silences this.',
  });
}

function checkUsable(cluster: string, what: string, cidr: Cidr): Finding[] {
  const reason = unusable(cidr);
  return reason === undefined ? [] : [makeFinding({ code: 'ISM014', cluster, message: `${what} ${formatCidr(cidr)} ${reason}.` })];
}

function unusable(cidr: Cidr): string | undefined {
  if (isTooWide(cidr)) return 'is wider than any cluster';
  const range = reservedRangeOf(cidr);
  return range === undefined ? undefined : `is in ${range}`;
}

function checkNested(cluster: ResolvedCluster): Finding[] {
  const outer = disjoint(cluster.podCIDRs);
  return cluster.podCIDRs.flatMap((cidr) => {
    const cover = coverOf(outer, cidr);
    if (cover === undefined || cover === cidr) return [];
    return [
      makeFinding({
        code: 'ISM020',
        cluster: cluster.name,
        message: `Pod CIDR ${formatCidr(cidr)} lies inside pod CIDR ${formatCidr(cover)}.`,
      }),
    ];
  });
}

function checkOwnHosts(cluster: ResolvedCluster): Finding[] {
  const pods = disjoint(cluster.podCIDRs);
  const nodes = disjoint(nodeAddresses(cluster)).filter((address) => coverOf(pods, address) !== undefined);
  const server = cluster.apiServer;
  const held = [
    ...(nodes.length > 0 ? [`node addresses ${listText(nodes.map(formatAddress))}`] : []),
    ...(server !== undefined && pods.some((cidr) => contains(cidr, server)) ? [`API server ${formatAddress(server)}`] : []),
  ];
  if (held.length === 0) return [];
  return [
    makeFinding({
      code: 'ISM012',
      cluster: cluster.name,
      message: `Its pod CIDRs ${listText(pods.map(formatCidr))} hold its own ${held.join(' and ')}.`,
    }),
  ];
}
