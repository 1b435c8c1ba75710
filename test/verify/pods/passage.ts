// Two pods and a node between them as network namespaces, to run the probe's script in without privileges, as a kubelet would.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeScript } from '../../../src/verify/pods/script.ts';
import { run } from '../../agent/node.ts';
import { toolPath } from '../../helpers/tools.ts';

/** `openbsd`: the system's programs with OpenBSD's nc, as in Istio's proxyv2. `busybox`: everything but ip from BusyBox. */
export type Programs = 'openbsd' | 'busybox';

export const addresses = { asker: '10.99.1.2', listener: '10.99.2.2' } as const;

export interface Passage {
  /** Runs `ip` in one of the three. */
  ip(where: 'asker' | 'between' | 'listener', command: string): Promise<void>;
  /** Runs another program on the node between them. */
  between(...command: string[]): Promise<void>;
  listen(): void;
  /** What the asking pod says about these addresses, a line each, in order. */
  ask(...targets: readonly string[]): Promise<string[]>;
}

interface Place {
  readonly namespaces: Readonly<Record<'asker' | 'between' | 'listener', string>>;
  readonly folder: string;
  readonly programs: Programs;
}

const busyboxPrograms = 'sh awk cat cp cut date head mkdir mkfifo nc ping rm sleep timeout tr wc'.split(' ');
let count = 0;

/** Makes the two pods, 1450 and 1500 bytes their MTU, runs the body, and takes everything away: processes, namespaces, folder. */
export async function withPassage(programs: Programs, body: (passage: Passage) => Promise<void>): Promise<void> {
  const name = `isthmus-${process.pid}-p${++count}`;
  const namespaces = { asker: `${name}-a`, between: `${name}-b`, listener: `${name}-l` };
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-probe-'));
  const listening: ChildProcess[] = [];
  try {
    const place = { namespaces, folder, programs };
    await makeNamespaces(place);
    makePrograms(place);
    await body(passageOf(place, listening));
  } finally {
    for (const namespace of Object.values(namespaces)) await removeNamespace(namespace);
    rmSync(folder, { recursive: true, force: true });
  }
}

function passageOf(place: Place, listening: ChildProcess[]): Passage {
  const { namespaces } = place;
  return {
    ip: async (where, command) => void (await succeed('ip', ['-netns', namespaces[where], ...command.split(' ')])),
    between: async (...command) => void (await succeed('ip', ['netns', 'exec', namespaces.between, ...command])),
    listen: () => {
      const [program = '', ...args] = probeCommand(place, 'listener');
      listening.push(spawn(program, args, { env: environment(place, 'listener'), stdio: 'ignore' }));
    },
    ask: async (...targets) => {
      makeFolder(place, 'asker');
      const [program = '', ...args] = probeCommand(place, 'asker');
      const lines = targets.map((address, number) => `${number} ${address}`).join('\n');
      const { output } = await run(program, args, { ...environment(place, 'asker'), PROBE_TARGETS: lines, PROBE_PATIENCE: '4' });
      return output
        .split('\n')
        .filter((line) => line !== '')
        .sort();
    },
  };
}

/** Without root, without capabilities, and without a way to get them: what the pod's securityContext asks for. */
function probeCommand({ namespaces, programs }: Place, role: 'asker' | 'listener'): string[] {
  const user = ['setpriv', '--reuid', '65532', '--regid', '65532', '--clear-groups', '--no-new-privs', '--bounding-set=-all'];
  const shell = programs === 'busybox' ? [toolPath('busybox'), 'sh'] : [toolPath('dash')];
  const command = role === 'asker' ? 'ask' : 'listen';
  return [toolPath('ip'), 'netns', 'exec', namespaces[role], ...user, ...shell, '-c', probeScript, 'probe', command];
}

function environment({ folder }: Place, role: 'asker' | 'listener'): Record<string, string> {
  const path = `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
  return { PATH: path, PROBE_RUN: 'run1', PROBE_ADDRESS: addresses[role], PROBE_FOLDER: join(folder, role) };
}

function makePrograms(place: Place): void {
  const { folder, programs } = place;
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  chmodSync(folder, 0o755);
  makeFolder(place, 'listener');
  if (programs === 'openbsd') symlinkSync(toolPath('nc.openbsd'), join(bin, 'nc'));
  else for (const name of busyboxPrograms) symlinkSync(toolPath('busybox'), join(bin, name));
}

/** Empty, and for any user to write. */
function makeFolder({ folder }: Place, role: 'asker' | 'listener'): void {
  rmSync(join(folder, role), { recursive: true, force: true });
  mkdirSync(join(folder, role));
  chmodSync(join(folder, role), 0o777);
}

async function makeNamespaces({ namespaces }: Place): Promise<void> {
  for (const namespace of Object.values(namespaces)) await succeed('ip', ['netns', 'add', namespace]);
  const pods = [
    ['asker', '10.99.1', 1450],
    ['listener', '10.99.2', 1500],
  ] as const;
  for (const [role, subnet, mtu] of pods) {
    const [pod, node] = [namespaces[role], namespaces.between];
    const commands = [
      `-netns ${node} link add ${role} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${pod}`,
      `-netns ${node} addr add ${subnet}.1/24 dev ${role}`,
      `-netns ${node} link set ${role} up`,
      `-netns ${pod} addr add ${subnet}.2/24 dev eth0`,
      `-netns ${pod} link set lo up`,
      `-netns ${pod} link set eth0 up`,
      `-netns ${pod} route add default via ${subnet}.1`,
    ];
    for (const command of commands) await succeed('ip', command.split(' '));
    await write(pod, 'net/ipv4/ping_group_range', '0 2147483647');
  }
  await write(namespaces.between, 'net/ipv4/ip_forward', '1');
}

async function write(namespace: string, setting: string, value: string): Promise<void> {
  await succeed('ip', ['netns', 'exec', namespace, '/bin/sh', '-c', `echo '${value}' >/proc/sys/${setting}`]);
}

/** Kills only what runs in this namespace, which is what this test started. */
async function removeNamespace(namespace: string): Promise<void> {
  const pids = await run(toolPath('ip'), ['netns', 'pids', namespace]);
  for (const pid of pids.code === 0 ? pids.output.split(/\s+/).filter(Boolean) : []) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
  await run(toolPath('ip'), ['netns', 'del', namespace]);
}

async function succeed(program: 'ip', args: readonly string[]): Promise<string> {
  const { code, output } = await run(toolPath(program), args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}\nProbes are tested in network namespaces, which need root.`);
  return output;
}
