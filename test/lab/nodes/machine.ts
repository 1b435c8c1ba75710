// A machine of the lab: namespaces for network, mounts and processes, held by one process. When that ends, everything inside ends
// with it, and the kernel takes its mounts, links, routes and containers away.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Identity, type LabProcess, startProcess } from '../process.ts';
import { waitFor } from '../wait.ts';
import { makeCgroups } from './cgroups.ts';

const execute = promisify(execFile);

export interface Machine {
  readonly name: string;
  /** Folder of what it stores, and of the logs of its programs. */
  readonly folder: string;
  /** Lives on after this program ends, until `down`. */
  readonly keep: boolean;
  /** Words before a command that make it run inside. */
  readonly inside: readonly string[];
  /** Words before a command that runs on the host, but in the machine's network. */
  readonly network: readonly string[];
  /** Process by which the kernel knows its network. */
  readonly pid: number;
  /** Runs a command inside and returns what it prints. */
  run(...command: string[]): Promise<string>;
  /** Lays a link to another machine; each end has its name. */
  connect(end: string, other: Machine, otherEnd: string): Promise<void>;
  /** Starts a program inside that keeps running. */
  start(name: string, ...command: string[]): LabProcess;
  /** Ends everything inside at once, as a loss of power would. */
  stop(): Promise<void>;
}

export interface MachineOptions {
  readonly name: string;
  /** Folder of the lab: a folder of the machine's name is made in it, and the pid file that `down` finds it by. */
  readonly lab: string;
  readonly keep: boolean;
}

/** Starts a machine, or starts it again: what it stored is still there, nothing runs, and no link is there but its own. */
export async function startMachine({ name, lab, keep }: MachineOptions): Promise<Machine> {
  const folder = join(lab, name);
  const marker = join(folder, 'started');
  mkdirSync(folder, { recursive: true });
  rmSync(marker, { force: true });
  const cgroups = makeCgroups(folder);
  const boot = [...newNamespaces, 'sh', '-c', bootScript(cgroups.mount), 'boot', marker];
  const holder = startProcess({ folder: lab, name, keep, command: ['sh', '-ec', `${cgroups.enter}exec "$@"`, 'machine', ...boot] });
  await waitFor(`machine ${name}`, async () => existsSync(marker) || !holder.isAlive());
  if (!holder.isAlive()) throw new Error(`machine ${name} cannot start; the lab needs root:\n${holder.lastLines(5)}`);
  return machineOf(lab, { name, keep, holder });
}

/** Words before a command that runs in the network of a machine that another program has started. */
export function networkOf(lab: string, name: string): string[] {
  return enter(pidOf(lab, name), ['net']);
}

/** Words before a command that runs inside a machine that another program has started. */
export function insideOf(lab: string, name: string): string[] {
  return enter(pidOf(lab, name), everything);
}

/** Its own mounts go to containers, and none go back to the host. /run is empty after a start, as on any machine. */
const newNamespaces = [
  'unshare',
  '--fork',
  '--kill-child=KILL',
  '--pid',
  '--net',
  '--cgroup',
  '--mount',
  '--mount-proc',
  '--propagation=private',
];

/**
 * Process 1 ignores the deaths of its adopted children, so that the kernel clears them away.
 * Kubelets take a socket in /var/lib/kubelet whatever --root-dir says, and one that another machine's kubelet has taken ends them.
 */
function bootScript(mountCgroups: string): string {
  return `set -e
mount --make-rshared /
${mountCgroups}mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /var/lib/kubelet
mount -t tmpfs -o mode=755 tmpfs /var/lib/kubelet
ip link set lo up
touch "$1"
exec env --ignore-signal=CHLD sleep infinity`;
}

function machineOf(lab: string, { name, keep, holder }: { name: string; keep: boolean; holder: LabProcess }): Machine {
  const pid = pidOf(lab, name);
  const folder = join(lab, name);
  const inside = enter(pid, everything);
  return {
    name,
    folder,
    keep,
    pid,
    inside,
    network: enter(pid, ['net']),
    run: (...command) => output([...inside, ...command]),
    // Not inside: there the processes of other machines cannot be seen.
    connect: async (end, other, otherEnd) => {
      const peer = ['peer', 'name', otherEnd, 'netns', String(other.pid)];
      await output([...enter(pid, ['net']), 'ip', 'link', 'add', end, 'type', 'veth', ...peer]);
    },
    start: (processName, ...command) => startProcess({ folder, name: processName, keep, command, inside }),
    stop: () => holder.stop(),
  };
}

async function output([program = '', ...args]: readonly string[]): Promise<string> {
  return (await execute(program, args, { maxBuffer: 2 ** 26 })).stdout;
}

function pidOf(lab: string, name: string): number {
  return (JSON.parse(readFileSync(join(lab, `${name}.pid`), 'utf8')) as Identity).pid;
}

const everything = ['net', 'cgroup', 'mount', 'pid'] as const;

/** The holder itself stays in the host's process namespace; only its children are in the new one. */
const namespaceFiles = { net: 'net', cgroup: 'cgroup', mount: 'mnt', pid: 'pid_for_children' } as const;

function enter(pid: number, namespaces: readonly (keyof typeof namespaceFiles)[]): string[] {
  return ['nsenter', ...namespaces.map((kind) => `--${kind}=/proc/${pid}/ns/${namespaceFiles[kind]}`)];
}
