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
  const format = args.option('output') ?? 'text';
  terminal.out(format === 'text' ? paint(terminal, result.text()) : formatValue(format, result.value));
}

const codes: Readonly<Record<string, string>> = { error: '\u001b[31m', warning: '\u001b[33m', plain: '\u001b[0m' };

/** Colours the severities that findings begin with; everything else stays plain. */
export function paint(terminal: Terminal, text: string): string {
  if (!terminal.colour) return text;
  return text.replaceAll(
    /^ {2}(error|warning)(?= +ISM[0-9]{3} )/gm,
    (start, severity: string) => `${codes[severity] ?? ''}${start}${codes['plain']}`,
  );
}

function formatValue(format: string, value: unknown): string {
  return format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : toYaml(value);
}

/** Rows as aligned columns, two spaces apart, without trailing spaces. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}
