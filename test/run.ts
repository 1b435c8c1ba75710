// Runs one kind of tests (unit, charts, e2e or lab), prints them with their times, and ends with `N passed, N failed`.
// Usage: node --import tsx test/run.ts unit [part of a file name]
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithParent, type Report, reportToParent, runApart } from './apart.ts';
import type { TestResult } from './helpers/suite.ts';

const kinds = ['unit', 'charts', 'e2e', 'lab'] as const;
type Kind = (typeof kinds)[number];
/** Suites on real nodes mostly wait for clusters, so a machine has room for two of them. */
const labsAtOnce = 2;

function kindOf(file: string): Kind {
  if (file.startsWith('charts/')) return 'charts';
  if (file.startsWith('lab-e2e/')) return 'lab';
  return file.startsWith('e2e/') ? 'e2e' : 'unit';
}

function testFiles(kind: Kind, part: string): { name: string; file: string }[] {
  return readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && kindOf(name) === kind && name.includes(part))
    .sort()
    .map((name) => ({ name, file: join(import.meta.dirname, name) }));
}

type Timed = Pick<TestResult, 'suite' | 'test' | 'seconds'>;

function printSlowest(timed: readonly Timed[], count: number): void {
  const slow = timed.filter(({ seconds }) => seconds >= 1).sort((a, b) => b.seconds - a.seconds);
  for (const { suite, test, seconds } of slow.slice(0, count)) console.log(`  ${seconds.toFixed(1).padStart(7)} s  ${suite}: ${test}`);
}

const [wanted = 'unit', part = ''] = process.argv.slice(2);
const kind = kinds.find((each) => each === wanted);
if (kind === undefined) throw new Error(`no such kind of tests: ${wanted}`);
const files = testFiles(kind, part);
if (files.length === 0) throw new Error(`no ${kind} tests${part === '' ? '' : ` with "${part}" in their name`}`);
if (process.send !== undefined) endWithParent();
if (process.env['KUBECACHEDIR'] === undefined) useOwnKubeCache();
const apart = kind === 'lab' && files.length > 1;
const names = files.map(({ name }) => name);
const report = apart ? await runApart(kind, names, labsAtOnce) : await runHere();
if (!(await reportToParent(report))) print(report);
if (report.results.length === 0 || report.results.some(({ passed }) => !passed)) process.exitCode = 1;
// What a failed test has left running must not keep the others waiting.
setTimeout(() => process.exit(), 10_000).unref();

/** What kubectl and helm note of clusters that are gone in an hour would otherwise stay in the home folder of whoever runs the tests. */
function useOwnKubeCache(): void {
  const cache = mkdtempSync(join(tmpdir(), 'isthmus-kube-cache-'));
  process.env['KUBECACHEDIR'] = cache;
  process.once('exit', () => rmSync(cache, { recursive: true, force: true }));
}

async function runHere(): Promise<Report> {
  // uvu must see its deferral before anything imports it, so both imports wait until here.
  const { run } = await import('uvu/run');
  await run(files);
  const { results, preparations } = await import('./helpers/suite.ts');
  return { results, preparations };
}

function print({ results, preparations }: Report): void {
  const failed = results.filter((result) => !result.passed).length;
  const timed = [...results, ...preparations.map((each) => ({ ...each, test: '(before its tests)' }))];
  printSlowest(timed, kind === 'e2e' || kind === 'lab' ? timed.length : 5);
  console.log(`${results.length - failed} passed, ${failed} failed`);
}
