// A node for the agent: a network namespace of its own with one link, the agent's programs of one kind, and a folder of desired routes.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolPath } from '../helpers/tools.ts';
import { type Desired, writeDesired } from './desired.ts';

export const agentFolder = join(import.meta.dirname, '..', '..', 'charts', 'route-installer', 'files');

/** `dash`: the system's own awk and tools. `busybox`: shell, awk and tools of BusyBox. Both with the real iproute2. */
export type Shell = 'dash' | 'busybox';
export const shells = ['dash', 'busybox'] as const satisfies readonly Shell[];

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** A keeper in the background. */
export interface Keeper {
  readonly process: ChildProcess;
  /** What it has said so far. */
  said(): string;
  /** Ends it with the signal and waits for its exit code; null when the signal killed it. Its children may outlive a SIGKILL. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface Node {
  readonly namespace: string;
  readonly folder: string;
  /** Runs `ip` on the node; fails when it does. */
  ip(command: string): Promise<string>;
  /** Rows of table main as `ip` prints them, without what varies, in order of text. */
  rows(filter?: string): Promise<string[]>;
  desire(desired: Desired): void;
  /** Runs the agent until it ends, with a state folder of its own unless `env` names one; `inside` are words before the command. */
  agent(command: string, env?: Readonly<Record<string, string>>, inside?: readonly string[]): Promise<Outcome>;
  /** What a failed Job shows. */
  termination(): string;
  keep(env?: Readonly<Record<string, string>>): Keeper;
}

const busyboxPrograms =
  'sh awk sed cat cut date dirname env grep head kill mkdir mkfifo mv od rm sha256sum sleep sort tail tr true wc'.split(' ');
let count = 0;

/** Runs the body on a fresh node, `10.0.7.1/24` on eth0, and takes everything away afterwards: processes, namespace, folder. */
export async function onNode(shell: Shell, body: (node: Node) => Promise<void>): Promise<void> {
  const namespace = `isthmus-${process.pid}-${++count}`;
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-agent-'));
  try {
    await makeNamespace(namespace);
    await body(makeNode(shell, namespace, folder));
  } finally {
    await removeNamespace(namespace);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until the condition holds, asking every 100 ms; fails with `what` and what was seen after `seconds`. */
export async function eventually(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, output: `${stdout}${stderr}` });
    });
  });
}

function makeNode(shell: Shell, namespace: string, folder: string): Node {
  const paths = shell === 'busybox' ? { PATH: busyboxFolder(folder) } : {};
  const interpreter = shell === 'busybox' ? [toolPath('busybox'), 'sh'] : [toolPath('dash')];
  mkdirSync(join(folder, 'desired'));
  mkdirSync(join(folder, 'state'));
  const log = join(folder, 'termination-log');
  const environment = (extra: Readonly<Record<string, string>>) => ({
    ISTHMUS_DESIRED: join(folder, 'desired'),
    ISTHMUS_STATE: join(folder, 'state'),
    ISTHMUS_TERMINATION_LOG: log,
    ISTHMUS_PATIENCE: '0',
    ISTHMUS_INTERVAL: '300',
    ...paths,
    ...extra,
  });
  const command = (name: string, inside: readonly string[] = []) => {
    return ['netns', 'exec', namespace, ...inside, ...interpreter, join(agentFolder, 'agent.sh'), name];
  };
  const ip = (text: string) => succeed(toolPath('ip'), ['-netns', namespace, ...text.split(' ')]);
  return {
    namespace,
    folder,
    ip,
    rows: async (filter = '') =>
      rowsOf(`${await ip(`-N route show table main ${filter}`.trim())}${await ip(`-N -6 route show table main ${filter}`.trim())}`),
    desire: (desired) => writeDesired(join(folder, 'desired'), desired),
    agent: async (name, env = {}, inside = []) => {
      await succeed('/bin/sh', ['-c', `: >${log}`]);
      return run(toolPath('ip'), command(name, inside), environment(env));
    },
    termination: () => readFileSync(log, 'utf8'),
    keep: (env = {}) => keeperOf(spawn(toolPath('ip'), command('keep'), { env: { ...process.env, ...environment(env) } })),
  };
}

function keeperOf(child: ChildProcess): Keeper {
  let said = '';
  child.stdout?.on('data', (data) => (said += data));
  child.stderr?.on('data', (data) => (said += data));
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return {
    process: child,
    said: () => said,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

/** The kernel's own rows and link-local ones are the node's, not the test's. */
function rowsOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/ (pref medium|linkdown|dead)/g, '').trim())
    .filter((line) => line !== '' && !/proto 2( |$)|proto kernel|^fe80|^multicast/.test(line))
    .sort();
}

function busyboxFolder(folder: string): string {
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  for (const name of busyboxPrograms) symlinkSync(toolPath('busybox'), join(programs, name));
  symlinkSync(toolPath('ip'), join(programs, 'ip'));
  return programs;
}

async function makeNamespace(namespace: string): Promise<void> {
  const made = await run(toolPath('ip'), ['netns', 'add', namespace]);
  if (made.code !== 0)
    throw new Error(
      `the agent is tested in network namespaces, which need root: sudo --preserve-env node --import tsx test/run.ts unit agent\n${made.output}`,
    );
  const commands = [
    'link set lo up',
    'link add eth0 type veth peer name far',
    'link set eth0 up',
    'link set far up',
    'addr add 10.0.7.1/24 dev eth0',
    '-6 addr add fd00:7::1/64 dev eth0 nodad',
  ];
  for (const command of commands) await succeed(toolPath('ip'), ['-netns', namespace, ...command.split(' ')]);
  await succeed(toolPath('ip'), ['netns', 'exec', namespace, '/bin/sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
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

async function succeed(program: string, args: readonly string[]): Promise<string> {
  const { code, output } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}`);
  return output;
}
