// The network between the nodes: one bridge on a machine of its own, which is also the gateway and the operator's workstation.
import { type Impairment, impairLink } from './impair.ts';
import { type Machine, startMachine } from './machine.ts';
import { subnet } from './shape.ts';

const bridge = 'br0';

export interface Fabric {
  readonly machine: Machine;
  /** Gives a machine its eth0 with an address of the subnet and a default route. */
  connect(machine: Machine, address: string): Promise<void>;
  /** Makes packets from and to a machine late, and loses some; returns what ends that. */
  impair(machine: string, impairment: Impairment): Promise<() => Promise<void>>;
}

export async function startFabric(lab: string, keep: boolean): Promise<Fabric> {
  const machine = await startMachine({ name: 'fabric', lab, keep });
  await machine.run('ip', 'link', 'add', bridge, 'type', 'bridge');
  await machine.run('ip', 'address', 'add', `${subnet.gateway}/${subnet.prefix}`, 'dev', bridge);
  await machine.run('ip', 'link', 'set', bridge, 'up');
  let links = 0;
  return {
    machine,
    connect: async (other, address) => {
      const port = portOf(other.name);
      await machine.connect(port, other, 'eth0');
      await machine.run('ip', 'link', 'set', port, 'master', bridge, 'up');
      await other.run('ip', 'address', 'add', `${address}/${subnet.prefix}`, 'dev', 'eth0');
      await linkUp(other);
    },
    impair: (other, impairment) => impairLink({ fabric: machine, bridge, port: portOf(other), number: links++ }, impairment),
  };
}

/** Takes eth0 down and up again: the kernel drops every route over it, and only the default route is somebody's to put back. */
export async function flapLink(machine: Machine): Promise<void> {
  await machine.run('ip', 'link', 'set', 'eth0', 'down');
  await linkUp(machine);
}

async function linkUp(machine: Machine): Promise<void> {
  await machine.run('ip', 'link', 'set', 'eth0', 'up');
  await machine.run('ip', 'route', 'add', 'default', 'via', subnet.gateway);
}

/** Names of links have at most 15 characters. */
function portOf(name: string): string {
  return `v-${name}`.slice(0, 15);
}
