// Measures the budgets against peers in one run and prints ratios: npm run bench [-- part of a name]. Exit code 1 when one is missed.
import { existsSync } from 'node:fs';
import type { Row } from './measure.ts';
import { cli } from './paths.ts';

const benches: Readonly<Record<string, () => Promise<Row[]>>> = {
  start: async () => (await import('./start.ts')).benchStart(),
  generate: async () => (await import('./generate.ts')).benchGenerate(),
  plan: async () => (await import('./plan.ts')).benchPlan(),
  bundle: async () => (await import('./bundle.ts')).benchBundle(),
  agent: async () => (await import('./agent.ts')).benchAgent(),
  inspect: async () => (await import('./inspect.ts')).benchInspect(),
  install: async () => (await import('./install.ts')).benchInstall(),
  'mesh-routes': async () => (await import('./mesh.ts')).benchMesh('routes'),
  'mesh-gateways': async () => (await import('./mesh.ts')).benchMesh('gateways'),
};

if (!existsSync(cli)) throw new Error('dist/cli.js is missing; run npm run build');
const [part = ''] = process.argv.slice(2);
const rows: Row[] = [];
for (const [name, bench] of Object.entries(benches).filter(([name]) => name.includes(part))) {
  process.stderr.write(`${name} ...\n`);
  rows.push(...(await bench()));
}
printTable([
  ['what', 'measured', 'peer', 'budget', ''],
  ...rows.map((row) => [row.what, row.measured, row.peer, row.budget, row.met ? 'met' : 'MISSED']),
]);
const missed = rows.filter(({ met }) => !met).length;
console.log(`${rows.length - missed} met, ${missed} missed`);
if (missed > 0 || rows.length === 0) process.exitCode = 1;

function printTable(lines: readonly (readonly string[])[]): void {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
