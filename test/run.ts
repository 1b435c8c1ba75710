// Runs one kind of tests (unit, charts, e2e or lab), prints them with their times, and ends with `N passed, N failed`.
// Usage: node --import tsx test/run.ts unit [part of a file name]
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestResult } from './helpers/suite.ts';

const kinds = ['unit', 'charts', 'e2e', 'lab'] as const;
type Kind = (typeof kinds)[number];

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
// uvu must see its deferral before anything imports it, so both imports wait until here.
const { run } = await import('uvu/run');
await run(files);
const { preparations, results } = await import('./helpers/suite.ts');
const failed = results.filter((result) => !result.passed).length;
const timed = [...results, ...preparations.map((each) => ({ ...each, test: '(before its tests)' }))];
printSlowest(timed, kind === 'e2e' || kind === 'lab' ? timed.length : 5);
console.log(`${results.length - failed} passed, ${failed} failed`);
if (failed > 0 || results.length === 0) process.exitCode = 1;
