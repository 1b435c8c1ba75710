// Runs test files in processes of their own, some at a time, and collects what they report.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestResult } from './helpers/suite.ts';

/** What one process has seen. */
export interface Report {
  readonly results: readonly TestResult[];
  /** How long each suite took before its first test. */
  readonly preparations: readonly Pick<TestResult, 'suite' | 'seconds'>[];
}

/**
 * Runs every file, so many at a time; what each prints is shown when it has ended.
 * @param files first argument of the runner in the new process is `kind`, the second one of these
 */
export async function runApart(kind: string, files: readonly string[], atOnce: number): Promise<Report> {
  const reports: Report[] = [];
  const queue = files.values();
  const worker = async () => {
    for (const file of queue) reports.push(await runFile(kind, file));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { results: reports.flatMap((report) => report.results), preparations: reports.flatMap((report) => report.preparations) };
}

/** Sends what this process has seen to the one that started it; false when none did, and the report is to be shown here. */
export async function reportToParent(report: Report): Promise<boolean> {
  if (process.send === undefined) return false;
  await new Promise((resolve) => process.send?.(report, resolve));
  process.removeAllListeners('disconnect');
  process.disconnect();
  return true;
}

/** Ends this process with the one that started it, so that no lab outlives a runner that is killed. */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit(1));
}

async function runFile(kind: string, file: string): Promise<Report> {
  const start = performance.now();
  const child = fork(join(import.meta.dirname, 'run.ts'), [kind, file], { execArgv: process.execArgv, silent: true });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => printed.push(chunk));
  let report: Report | undefined;
  child.on('message', (message) => {
    report = message as Report;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const seconds = (performance.now() - start) / 1000;
  console.log(`\n== ${file}, ${Math.round(seconds)} s\n${Buffer.concat(printed).toString().trim()}`);
  const died = { suite: file, test: `ended with exit code ${code} before it could report`, passed: false, seconds };
  return report ?? { results: [died], preparations: [] };
}
