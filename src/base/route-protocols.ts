// Route protocol numbers that already belong to someone; the kernel keeps no order among them.

/**
 * Numbers of routing software that puts its own routes into the main table, after linux/rtnetlink.h, iproute2's rt_protos
 * and the sources of the projects named.
 */
const owners: ReadonlyMap<number, string> = new Map([
  [0, 'the kernel (unspecified)'],
  [1, 'the kernel (redirect)'],
  [2, 'the kernel and Cilium'],
  [3, 'plain `ip route add` (boot)'],
  [4, 'static routes, Submariner, Kilo and NetworkManager'],
  [8, 'gated'],
  [9, 'router advertisements'],
  [10, 'mrt'],
  [11, 'zebra'],
  [12, 'BIRD, which Calico runs'],
  [13, 'dnrouted'],
  [14, 'xorp'],
  [15, 'ntk'],
  [16, 'DHCP'],
  [17, 'mrouted and kube-router'],
  [18, 'keepalived'],
  [42, 'babel'],
  [66, 'the Google guest agent'],
  [80, 'Calico Felix, which deletes every route of this number that it does not want'],
  [84, 'OVN'],
  [99, 'Open/R'],
  [186, 'BGP daemons'],
  [187, 'IS-IS daemons'],
  [188, 'OSPF daemons'],
  [189, 'RIP daemons'],
  [191, 'FRR (nhrp)'],
  [192, 'EIGRP daemons'],
  [193, 'FRR (ldp)'],
  [194, 'FRR (sharp)'],
  [195, 'FRR (pbr)'],
  [196, 'FRR (zstatic)'],
  [197, 'FRR (openfabric)'],
  [198, 'FRR (srte)'],
]);

/** Who uses this route protocol number, in words; undefined when it is free. */
export function protocolOwner(protocol: number): string | undefined {
  return owners.get(protocol);
}

/** The numbers that belong to someone, in order. */
export function ownedProtocols(): readonly number[] {
  return [...owners.keys()];
}
