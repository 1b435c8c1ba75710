// Measures programs against each other: turn by turn in the same minute, so that a busy machine slows all of them alike.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Measurement {
  /** Median wall time, seconds. */
  readonly seconds: number;
  /** Largest resident set seen, MiB. */
  readonly mebibytes: number;
}

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly peer: string;
  readonly budget: string;
  readonly met: boolean;
}

/** Runs every contestant once to warm the caches, then `runs` times in turn. A contestant that fails is an error. */
export async function race<Name extends string>(runs: number, contestants: Record<Name, Command>): Promise<Record<Name, Measurement>> {
  const entries = Object.entries(contestants) as [Name, Command][];
  const laps = new Map<Name, Measurement[]>(entries.map(([name]) => [name, []]));
  for (let lap = 0; lap <= runs; lap++) {
    for (const [name, command] of entries) {
      const result = await timeOnce(command);
      if (lap > 0) laps.get(name)?.push(result);
    }
  }
  return Object.fromEntries(entries.map(([name]) => [name, summary(laps.get(name) ?? [])])) as Record<Name, Measurement>;
}

/** The middle value; of an even number the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** `12 ms` or `1.23 s`. */
export function formatSeconds(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`;
}

function summary(laps: readonly Measurement[]): Measurement {
  return { seconds: median(laps.map(({ seconds }) => seconds)), mebibytes: Math.max(...laps.map(({ mebibytes }) => mebibytes)) };
}

async function timeOnce({ program, args, cwd, env }: Command): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  const report = join(folder, 'rss');
  try {
    const start = performance.now();
    const options = { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'] };
    const child = spawn('/usr/bin/time', ['-f', '%M', '-o', report, program, ...args], options);
    const errors: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    const seconds = (performance.now() - start) / 1000;
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${Buffer.concat(errors).toString().slice(-2000)}`);
    return { seconds, mebibytes: Number(readFileSync(report, 'utf8').trim().split('\n').at(-1)) / 1024 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
