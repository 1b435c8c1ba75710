// A link on which packets come late, and some never: a program stands between the machine's port and the bridge of all machines.
import { join } from 'node:path';
import { startProcess } from '../process.ts';
import { waitFor } from '../wait.ts';
import type { Machine } from './machine.ts';

export interface Impairment {
  /** How much later every packet comes, each way. */
  readonly delayMs: number;
  /** One packet of so many is lost, of both directions together. */
  readonly loseEvery: number;
}

export interface LinkPlace {
  /** The machine that has the bridge. */
  readonly fabric: Machine;
  readonly bridge: string;
  /** Port of the bridge, the machine's end of which gets impaired. */
  readonly port: string;
  /** Different for every link that is impaired at the same time. */
  readonly number: number;
}

/**
 * Impairs a link, and returns how to make it whole again. netem would do it with one command, but kernels often come without; a pair
 * of TAP devices and a relay between them work everywhere.
 */
export async function impairLink(
  { fabric, bridge, port, number }: LinkPlace,
  { delayMs, loseEvery }: Impairment,
): Promise<() => Promise<void>> {
  const own = `relay${number}`;
  const first = firstPort + 4 * number;
  const sides = [
    { tap: `${own}-near`, relay: first, end: first + 1, bridge: own },
    { tap: `${own}-far`, relay: first + 2, end: first + 3, bridge },
  ] as const;
  const numbers = [delayMs, loseEvery, ...sides.flatMap(({ relay, end }) => [relay, end])].map(String);
  const program = join(import.meta.dirname, 'relay-program.ts');
  const command = [process.execPath, '--import', 'tsx', program, ...numbers];
  // In the network alone: with the machine's mounts it would lose its working folder, by which tsx is found.
  const processes = [startProcess({ folder: fabric.folder, name: own, keep: fabric.keep, command, inside: fabric.network })];
  await waitFor(`${own} to listen`, async () => (await fabric.run('ss', '-lnuH', `sport = :${first + 2}`)) !== '');
  await fabric.run('ip', 'link', 'add', own, 'type', 'bridge');
  await fabric.run('ip', 'link', 'set', own, 'up');
  for (const { tap, relay, end, bridge: side } of sides) {
    const device = `TUN,tun-name=${tap},tun-type=tap,iff-no-pi,iff-up`;
    processes.push(fabric.start(tap, 'socat', device, `UDP4:127.0.0.1:${relay},sourceport=${end}`));
    await waitFor(`the device ${tap}`, async () => (await fabric.run('ip', 'link', 'set', tap, 'master', side)) === '');
  }
  await fabric.run('ip', 'link', 'set', port, 'master', own);
  return async () => {
    await fabric.run('ip', 'link', 'set', port, 'master', bridge);
    await fabric.run('ip', 'link', 'delete', own);
    for (const each of processes) await each.stop();
  };
}

/** On the loopback device of the machine with the bridge, which nobody else uses. */
const firstPort = 20_000;
