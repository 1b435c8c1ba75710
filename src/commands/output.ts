// How commands print: the result as text, YAML or JSON on stdout, everything else on stderr.
import { toYaml } from '../base/yaml.ts';
import type { Terminal } from '../system/types.ts';
import type { ParsedArguments } from './types.ts';

export interface Result {
  /** What `-o json` and `-o yaml` print. */
  readonly value: unknown;
  /** What people read, ending in a newline. */
  readonly text: () => string;
}

/** Prints a result in the form that `-o` names. */
export function printResult(terminal: Terminal, args: ParsedArguments, result: Result): void {
  terminal.out(formatResult(args.option('output') ?? 'text', result));
}

function formatResult(format: string, result: Result): string {
  if (format === 'json') return `${JSON.stringify(result.value, null, 2)}\n`;
  return format === 'yaml' ? toYaml(result.value) : result.text();
}

/** Rows as aligned columns, two spaces apart, without trailing spaces. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}
