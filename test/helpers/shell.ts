// A shell for tests: the built CLI and other programs run with what a user has and nothing else, and what they print is kept.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assert } from './suite.ts';

const cli = join(import.meta.dirname, '..', '..', 'dist', 'cli.js');

export interface Outcome {
  /** Exit code, or the name of the signal that ended it. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running program: the process, and what becomes of it. */
export interface Running {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

export interface Shell {
  /** Home and working folder. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Words before every command, such as those that enter a network. */
  readonly before?: readonly string[];
}

export interface ShellTools {
  /** Name of the folder below the shell's that stands first in PATH. */
  readonly bin: string;
  /** Local programs by the names that they have in the shell. */
  readonly programs: Readonly<Record<string, string>>;
  readonly kubeconfigs: readonly string[];
}

/** Environment of a shell that finds these tools, Node and the system's programs. */
export function shellEnvironment(folder: string, { bin, programs, kubeconfigs }: ShellTools): Record<string, string> {
  const path = join(folder, bin);
  if (!existsSync(path)) {
    mkdirSync(path);
    for (const [name, program] of Object.entries(programs)) symlinkSync(program, join(path, name));
  }
  return {
    PATH: `${path}:${dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: folder,
    KUBECONFIG: kubeconfigs.join(':'),
  };
}

/** Words that run the CLI as it is built; fails when it is not. */
export function isthmusCommand(...args: readonly string[]): string[] {
  if (!existsSync(cli)) throw new Error('dist/cli.js is missing; run npm run build');
  return [process.execPath, cli, ...args];
}

/** Starts a program. It gets a process group of its own, so that a test can end it with or without what it has started. */
export function startIn({ folder, env, before = [] }: Shell, command: readonly string[]): Running {
  const [program = '', ...args] = [...before, ...command];
  const child = spawn(program, args, { cwd: folder, env: { ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for (const stream of ['stdout', 'stderr'] as const) child[stream].on('data', (chunk: Buffer) => chunks[stream].push(chunk));
  const outcome = once(child, 'close').then(([code, signal]: unknown[]): Outcome => {
    const [stdout, stderr] = [chunks.stdout, chunks.stderr].map((all) => Buffer.concat(all).toString()) as [string, string];
    return { code: (code ?? signal) as number | string, stdout, stderr };
  });
  return { child, outcome };
}

/** Waits for a program and expects success; the error shows what it printed. */
export async function succeeded({ outcome }: Running, what: string): Promise<Outcome> {
  const { code, stdout, stderr } = await outcome;
  assert.is(code, 0, `${what}\n${stdout}${stderr}`);
  return { code, stdout, stderr };
}
