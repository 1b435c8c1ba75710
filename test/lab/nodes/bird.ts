// BIRD as Calico runs it: every node announces its own blocks to the nodes of its cluster.
import type { LabNode } from '../calico.ts';

/**
 * Configuration of one node.
 * @param peers all nodes of its cluster, itself included
 */
export function birdConfig(node: LabNode, peers: readonly LabNode[]): string {
  const sessions = peers.filter(({ name }) => name !== node.name).map(session);
  return `router id ${node.address};
protocol device {}
# Next hops of the other nodes are found on the link.
protocol direct { ipv4; interface "eth0"; }
# Whatever of a block has no pod goes nowhere, instead of to the default gateway.
protocol static { ipv4; ${node.blocks.map((block) => `route ${block} blackhole;`).join(' ')} }
protocol kernel { ipv4 { import none; export where source != RTS_DEVICE; }; }
${sessions.join('')}`;
}

function session({ name, address }: LabNode): string {
  const channel = 'ipv4 { import all; export where source = RTS_STATIC; next hop self; };';
  return `protocol bgp ${name.replaceAll(/\W/g, '_')} { local as 64512; neighbor ${address} as 64512; connect delay time 1; ${channel} }\n`;
}
