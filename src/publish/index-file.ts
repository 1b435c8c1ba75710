// index.yaml of a static chart repository: ours are added, and what others wrote stays as it is, byte for byte.
import compare from 'semver/functions/compare.js';
import parse from 'semver/functions/parse.js';
import * as z from 'zod';
import { IsthmusError, usageError } from '../base/errors.ts';
import { shortText } from '../base/names.ts';
import { parseYaml, toYaml } from '../base/yaml.ts';
import { type IndexBlock, joinIndex, splitIndex, usualIndent } from './index-text.ts';

/** One version of a chart as the index lists it: the fields of Chart.yaml, and where the package is. */
export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the package, hex. */
  readonly digest: string;
  readonly created: string;
  readonly urls: readonly string[];
  readonly [field: string]: unknown;
}

const ListedVersion = z.looseObject({ version: z.string(), digest: z.string().optional() });
const Index = z.looseObject({ apiVersion: z.literal('v1'), entries: z.record(z.string(), z.array(ListedVersion)).nullish() });

type ListedVersion = z.infer<typeof ListedVersion>;

/** Versions by chart, and everything else by key: names from outside are keys of a Map alone. */
interface ParsedIndex {
  readonly charts: ReadonlyMap<string, readonly ListedVersion[]>;
  readonly rest: string;
}

interface MergeInput {
  readonly before: ParsedIndex;
  readonly ours: ReadonlyMap<string, readonly IndexEntry[]>;
  readonly where: string;
}

/** helm writes the time of writing here and reads it nowhere; a fixed one keeps the file as it is when nothing changed. */
const emptyIndex = 'apiVersion: v1\nentries: {}\ngenerated: "1980-01-01T00:00:00Z"\n';

/**
 * Merges entries into the text of an index. Names are sorted, and so are the versions of charts that get one, new before old; an entry of
 * ours that is there with the same digest is written anew, everything else keeps its text. Merging the same entries again changes nothing.
 * @param text index.yaml as it is; undefined when there is none
 * @param entries ours, each name and version once
 * @param where the file, for messages
 * @throws IsthmusError (findings) when a version is listed with another digest; (usage) when the text is no index, or is written in a way
 * (JSON, anchors) in which the entries of others could not be kept as they are
 */
export function mergeIndex(text: string | undefined, entries: readonly IndexEntry[], where: string): string {
  const before = readIndex(text ?? emptyIndex, where);
  const input = { before, ours: groupByName(entries), where };
  refuseConflicts(input);
  const { head, blocks, tail } = splitIndex(text ?? emptyIndex, where);
  refuseMisread(blocks, before, where);
  const byName = new Map(blocks.map((block) => [block.name, block]));
  const names = [...new Set([...byName.keys(), ...input.ours.keys()])].sort();
  const merged = joinIndex({ head, blocks: names.map((name) => mergeBlock(byName.get(name) ?? newBlock(name, blocks), input)), tail });
  checkMerged(readIndex(merged, where), input);
  return merged;
}

function readIndex(text: string, where: string): ParsedIndex {
  const source = parseYaml(text, where);
  const parsed = Index.safeParse(source.value);
  if (parsed.success) {
    const { entries, ...rest } = parsed.data;
    return { charts: new Map(Object.entries(entries ?? {})), rest: JSON.stringify(rest) };
  }
  const issue = parsed.error.issues[0];
  const path = (issue?.path ?? []).filter((part) => typeof part !== 'symbol');
  throw usageError(`is no index of a chart repository: ${shortText(path.join('.'))}: ${issue?.message}`, { where: source.locate(path) });
}

function groupByName(entries: readonly IndexEntry[]): ReadonlyMap<string, readonly IndexEntry[]> {
  const byName = new Map<string, IndexEntry[]>();
  for (const entry of entries) byName.set(entry.name, [...(byName.get(entry.name) ?? []), entry]);
  return byName;
}

function refuseConflicts({ before, ours, where }: MergeInput): void {
  for (const entry of [...ours.values()].flat()) {
    const listed = before.charts.get(entry.name)?.find(({ version }) => version === entry.version);
    if (listed === undefined || listed.digest === entry.digest) continue;
    throw new IsthmusError('findings', `lists ${entry.name} ${entry.version} with other contents, and a version is never replaced`, {
      where,
      hint: 'Publish into another folder, or publish the charts of another version.',
    });
  }
}

/** Lines are cut by their indentation; what that finds must be what a parser finds. */
function refuseMisread(blocks: readonly IndexBlock[], { charts }: ParsedIndex, where: string): void {
  const same = blocks.length === charts.size && blocks.every(({ name, items }) => charts.get(name)?.length === items.length);
  if (!same) throw notKept(where);
}

function newBlock(name: string, blocks: readonly IndexBlock[]): IndexBlock {
  const indent = /^ +/.exec(blocks[0]?.header[0] ?? '')?.[0] ?? usualIndent;
  return { name, header: [`${indent}${name}:`], indent, items: [] };
}

function mergeBlock(block: IndexBlock, { before, ours }: MergeInput): IndexBlock {
  const added = ours.get(block.name);
  if (added === undefined) return block;
  const listed = before.charts.get(block.name) ?? [];
  const [line = '', ...comments] = block.header;
  const indent = block.items.length === 0 ? (/^ +/.exec(line)?.[0] ?? usualIndent) : block.indent;
  const kept = block.items
    .map((lines, index) => ({ version: listed[index]?.version ?? '', lines }))
    .filter(({ version }) => !added.some((entry) => entry.version === version));
  const items = [...kept, ...added.map((entry) => ({ version: entry.version, lines: entryLines(entry, indent) }))];
  return {
    ...block,
    header: [line.replace(/\[\s*\]/, '').trimEnd(), ...comments],
    indent,
    items: items.sort((a, b) => newestFirst(a.version, b.version)).map(({ lines }) => lines),
  };
}

function entryLines(entry: IndexEntry, indent: string): readonly string[] {
  return toYaml([entry])
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? line : `${indent}${line}`));
}

/** semver's order reversed; versions that differ in build metadata alone by their text, what is no version last. */
function newestFirst(a: string, b: string): number {
  const [first, second] = [parse(a), parse(b)];
  if (first === null || second === null) return Number(first === null) - Number(second === null) || byText(a, b);
  return compare(second, first) || byText(a, b);
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Reads back what would be written: ours are there, and nothing of others is gone or says something else. */
function checkMerged(after: ParsedIndex, { before, ours, where }: MergeInput): void {
  const names = new Set([...before.charts.keys(), ...ours.keys()]);
  const isKept = [...names].every((name) => {
    const added = ours.get(name) ?? [];
    const kept = (before.charts.get(name) ?? []).filter(({ version }) => !added.some((entry) => entry.version === version));
    return sameSet([...kept, ...added.map((entry) => ListedVersion.parse(entry))], after.charts.get(name) ?? []);
  });
  if (!isKept || after.charts.size !== names.size || after.rest !== before.rest) throw notKept(where);
}

function sameSet(a: readonly object[], b: readonly object[]): boolean {
  const [first, second] = [a, b].map((each) => each.map((value) => JSON.stringify(value)).sort());
  return JSON.stringify(first) === JSON.stringify(second);
}

function notKept(where: string): IsthmusError {
  return usageError('is written in a way in which entries of others could not be kept as they are', {
    where,
    hint: 'Write it again with `helm repo index`, or publish into a folder of its own.',
  });
}
