// What verify found, as text: the layers of every pair of clusters, then what failed, or the table of all pairs of nodes.
import { escapeText } from '../base/names.ts';
import type { Check, PairResult, Place, VerifyResult } from '../verify/types.ts';
import { table } from './output.ts';

/** Pairs of nodes, and failed checks, that are shown one by one for a pair of clusters. */
const mostRows = 36;

type LayeredCheck = VerifyResult['checks'][number];

/** The whole result, without colour; ends in a newline. */
export function describeVerification(mesh: string, result: VerifyResult): string {
  const sections = [
    `${headline(mesh, result)}\n`,
    overview(result.pairs),
    nodeTable(result),
    ...failures(result),
    section('Notes', result.notes.map((note) => `  ${escapeText(note)}\n`).join('')),
    section('Still there', result.left.map((text) => `  ${escapeText(text)}\n`).join('')),
  ];
  return sections.filter((text) => text !== '').join('\n');
}

function headline(mesh: string, { pairs }: VerifyResult): string {
  const failed = pairs.filter(({ outcome }) => outcome === 'failed').length;
  if (pairs.length === 0) return `Mesh ${mesh}: no two clusters that are joined, nothing to verify`;
  if (failed === 0) return `Mesh ${mesh}: all ${pairs.length} ordered pairs of clusters work`;
  return `Mesh ${mesh}: ${failed} of ${pairs.length} ordered pairs of clusters do not work`;
}

function overview(pairs: readonly PairResult[]): string {
  const [first] = pairs;
  if (first === undefined) return '';
  const header = ['from', 'to', ...first.layers.map(({ name }) => name)];
  return indent(table([header, ...pairs.map(({ from, to, layers }) => [from, to, ...layers.map(layerCell)])]));
}

function layerCell({ outcome, passed, failed, skipped }: PairResult['layers'][number]): string {
  if (passed + failed + skipped === 0 && outcome !== 'not run') return '-';
  if (outcome === 'not run' || outcome === 'skipped') return outcome;
  const rest = skipped === 0 ? '' : `, ${skipped} skipped`;
  return failed === 0 ? `${passed} passed${rest}` : `${failed} of ${failed + passed} failed${rest}`;
}

/** One row for two nodes, one column for each thing that was tried between them. */
function nodeTable({ checks }: VerifyResult): string {
  const between = checks.filter(({ to }) => to?.node !== undefined);
  const rows = new Map<string, LayeredCheck[]>();
  for (const check of between) rows.set(rowKey(check), [...(rows.get(rowKey(check)) ?? []), check]);
  if (rows.size === 0 || rows.size > mostRows) return '';
  const names = [...new Set(between.map(({ name }) => name))];
  const cells = [...rows.values()].map((row) => [
    ...(row[0] === undefined ? [] : [place(row[0].from), place(row[0].to)]),
    ...names.map((name) => row.find((check) => check.name === name)?.outcome ?? ''),
  ]);
  return indent(table([['from node', 'to node', ...names], ...cells]));
}

function rowKey({ from, to }: Check): string {
  return `${place(from)} ${place(to)}`;
}

function failures({ checks }: VerifyResult): string[] {
  const failed = checks.filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return [];
  const rows = failed.slice(0, mostRows).map(({ layer, name, from, to, message = '' }) => {
    const where = to === undefined ? place(from) : `${place(from)} to ${place(to)}`;
    return [layer, where, name, escapeText(message)];
  });
  const more = failed.length - rows.length;
  const hints = [...new Set(failed.flatMap(({ hint }) => (hint === undefined ? [] : hint.split('\n'))))];
  return [
    section('Failed', `${indent(table(rows))}${more > 0 ? `  and ${more} more; -o json shows them all\n` : ''}`),
    section('What to do', hints.map((hint) => `  ${escapeText(hint)}\n`).join('')),
  ];
}

function place({ cluster, node }: Place = { cluster: '' }): string {
  return escapeText(node === undefined ? cluster : `${cluster}/${node}`);
}

function section(heading: string, body: string): string {
  return body === '' ? '' : `${heading}\n${body}`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
