// Processes of the lab: each has a log and a pid file, dies with its owner unless it is to be kept, and is found again by `down`.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessOptions {
  /** Folder of its log (`<name>.log`) and pid file (`<name>.pid`). */
  readonly folder: string;
  readonly name: string;
  readonly command: readonly string[];
  /** Lives on after this program ends, until `down`. */
  readonly keep: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the command that make it run in other namespaces, such as `nsenter --net=...`. */
  readonly inside?: readonly string[];
}

export interface LabProcess {
  readonly name: string;
  /** Ends it at once and returns when it is gone. */
  stop(): Promise<void>;
  /** Starts it once more with the same command; what it stored is still there. */
  restart(): void;
  /** Freezes it: connections stay open and nothing is answered. */
  pause(): void;
  resume(): void;
  isAlive(): boolean;
  /** The end of its log. */
  lastLines(count: number): string;
}

/** Starts a program in the background. */
export function startProcess(options: ProcessOptions): LabProcess {
  let identity = launch(options);
  const { folder, name } = options;
  return {
    name,
    stop: () => end(identity),
    restart: () => {
      if (isAlive(identity)) throw new Error(`${name} is still running`);
      identity = launch(options);
    },
    pause: () => signal(identity, 'SIGSTOP'),
    resume: () => signal(identity, 'SIGCONT'),
    isAlive: () => isAlive(identity),
    lastLines: (count) =>
      readFileSync(join(folder, `${name}.log`), 'utf8')
        .trimEnd()
        .split('\n')
        .slice(-count)
        .join('\n'),
  };
}

/** The kernel ends a process with its parent, even after kill -9 of the parent. */
const withParent = ['setpriv', '--pdeathsig', 'KILL'];

function launch({ folder, name, command, keep, env, inside }: ProcessOptions): Identity {
  const log = openSync(join(folder, `${name}.log`), 'a');
  const entered = inside === undefined ? command : [...inside, ...withParent, ...command];
  const [program = '', ...args] = keep ? entered : [...withParent, ...entered];
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], env: { ...process.env, ...env } });
  closeSync(log);
  if (child.pid === undefined) throw new Error(`cannot start ${program}`);
  child.unref();
  const identity = { pid: child.pid, started: startTime(child.pid) };
  writeFileSync(join(folder, `${name}.pid`), JSON.stringify(identity));
  return identity;
}

/** Ends every process that has a pid file in the folder. */
export async function endProcesses(folder: string): Promise<void> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.pid'));
  await Promise.all(files.map((name) => end(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Identity)));
}

/** A pid alone may belong to someone else by now; with its start time it is one process for ever. */
export interface Identity {
  readonly pid: number;
  readonly started: string;
}

/** This program itself, to be written where a later run looks for it. */
export function ownIdentity(): Identity {
  return { pid: process.pid, started: startTime(process.pid) };
}

export function isAlive({ pid, started }: Identity): boolean {
  return started !== '' && startTime(pid) === started;
}

async function end(identity: Identity): Promise<void> {
  signal(identity, 'SIGKILL');
  for (let waited = 0; isAlive(identity); waited += 10) {
    if (waited > 10_000) throw new Error(`process ${identity.pid} does not end`);
    await sleep(10);
  }
}

function signal(identity: Identity, name: NodeJS.Signals): void {
  if (isAlive(identity)) process.kill(workerOf(identity.pid), name);
}

/** Programs that enter namespaces wait for a child that does the work, and end with it. */
function workerOf(pid: number): number {
  const program = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  if (program !== 'nsenter' && program !== 'unshare') return pid;
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return child === undefined || child === '' ? pid : workerOf(Number(child));
}

/** Field 22 of /proc/PID/stat, in clock ticks after boot; empty when there is no such process or only its remains. */
function startTime(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
