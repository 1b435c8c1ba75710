// Checks the address ranges of two clusters against each other.
import { type Cidr, type Family, formatAddress, formatCidr } from '../base/cidr.ts';
import { type FindingCode, makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import { nodeAddresses, nodeSubnets, podFamilies, type UnplacedCluster } from './cluster.ts';
import { coverOf, disjoint, meetings } from './overlap.ts';
import { listText } from './text.ts';

export interface PairCheck {
  readonly findings: readonly Finding[];
  /** Why no routes may join the two; undefined when their addresses allow it. */
  readonly conflict: string | undefined;
}

/** Codes that allow routes all the same. */
const harmless: ReadonlySet<string> = new Set(['ISM013', 'ISM019']);

/** Compares two clusters of one network: pods, services, nodes, API servers, IP families. */
export function checkPair(a: UnplacedCluster, b: UnplacedCluster): PairCheck {
  const findings = [
    ...overlap('ISM010', [a, 'pod CIDR', a.podCIDRs], [b, 'pod CIDR', b.podCIDRs]),
    ...checkHosts(a, b),
    ...checkHosts(b, a),
    ...overlap('ISM013', [a, 'service CIDR', a.serviceCIDRs], [b, 'service CIDR', b.serviceCIDRs]),
    ...overlap('ISM021', [a, 'node address', nodeAddresses(a)], [b, 'node address', nodeAddresses(b)]),
    ...checkFamilies(a, b),
  ];
  return { findings, conflict: findings.find((finding) => !harmless.has(finding.code))?.message.replace(/\.$/, '') };
}

/** IP families that the pods of both clusters have. */
export function commonFamilies(a: UnplacedCluster, b: UnplacedCluster): Family[] {
  const others = podFamilies(b);
  return [...podFamilies(a)].filter((family) => others.has(family)).sort();
}

function checkHosts(a: UnplacedCluster, b: UnplacedCluster): Finding[] {
  const pods: Side = [a, 'pod CIDR', a.podCIDRs];
  const subnets = disjoint(nodeSubnets(b));
  const outside = nodeAddresses(b).filter((address) => coverOf(subnets, address) === undefined);
  return [
    ...overlap('ISM011', pods, [b, 'service CIDR', b.serviceCIDRs]),
    ...overlap('ISM011', pods, [b, 'node subnet', subnets]),
    ...overlap('ISM011', pods, [b, 'node address', outside]),
    ...overlap('ISM011', pods, [b, 'API server', b.apiServer === undefined ? [] : [b.apiServer]]),
  ];
}

type Side = readonly [cluster: UnplacedCluster, what: string, cidrs: readonly Cidr[]];

function overlap(code: FindingCode, [a, what, cidrs]: Side, [b, otherWhat, others]: Side): Finding[] {
  const met = meetings(disjoint(cidrs), disjoint(others));
  const [first] = met;
  if (first === undefined) return [];
  const [left, right] = first;
  const subject = `${what.charAt(0).toUpperCase()}${what.slice(1)} ${show(left)}`;
  const message =
    what === otherWhat && left.prefix === right.prefix
      ? `${subject} is in both ${a.name} and ${b.name}`
      : `${subject} of ${a.name} overlaps ${otherWhat} ${show(right)} of ${b.name}; both hold ${show(left.prefix > right.prefix ? left : right)}`;
  const rest = met.slice(1).map(([one, other]) => show(one.prefix > other.prefix ? one : other));
  const more = rest.length === 0 ? '' : `; the same is true of ${listText(rest)}`;
  return [makeFinding({ code, message: `${message}${more}.` })];
}

function show(cidr: Cidr): string {
  const full = cidr.family === 4 ? 32 : 128;
  return cidr.prefix === full ? formatAddress(cidr) : formatCidr(cidr);
}

function checkFamilies(a: UnplacedCluster, b: UnplacedCluster): Finding[] {
  const [left, right] = [podFamilies(a), podFamilies(b)];
  if (left.size === 0 || right.size === 0) return [];
  const common = commonFamilies(a, b);
  if (common.length === 0) {
    return [
      makeFinding({
        code: 'ISM018',
        message: `Pods of ${a.name} have IPv${[...left].join()} only, pods of ${b.name} IPv${[...right].join()} only.`,
      }),
    ];
  }
  if (left.size === right.size) return [];
  const dual = left.size > right.size ? a : b;
  return [
    makeFinding({
      code: 'ISM019',
      message: `${dual.name} is dual stack and ${dual === a ? b.name : a.name} is not; routes are planned for IPv${common.join()} only.`,
    }),
  ];
}
