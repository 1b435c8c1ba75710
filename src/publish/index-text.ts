// The text of an index.yaml cut into the lines of each chart and of each of its versions, so that they can be put together anew unread.
import { usageError } from '../base/errors.ts';

/** The lines of one chart. */
export interface IndexBlock {
  readonly name: string;
  /** The line of its name, and comments below it. */
  readonly header: readonly string[];
  /** What stands before the dash of each version. */
  readonly indent: string;
  /** The lines of each version. */
  readonly items: readonly (readonly string[])[];
}

export interface IndexText {
  /** Everything up to `entries:`. */
  readonly head: readonly string[];
  readonly blocks: readonly IndexBlock[];
  /** Everything from the next key on. */
  readonly tail: readonly string[];
}

interface OpenBlock {
  readonly name: string;
  readonly header: string[];
  indent: string;
  readonly items: string[][];
}

/** What stands before names and dashes in a new file, as helm writes it. */
export const usualIndent = '  ';

const nameLine = /^( +)(?:"([\w.-]+)"|'([\w.-]+)'|([\w.-]+)):\s*(?:\[\s*\]\s*)?(?:#.*)?$/;

/**
 * Cuts the text of an index that is in block style, as `helm repo index` writes it. Only indentation is looked at, so the caller has to
 * compare the charts and their versions with what a parser finds.
 * @throws IsthmusError (usage) where lines cannot be told apart: JSON, flow style, unusual names
 */
export function splitIndex(text: string, where: string): IndexText {
  const lines = text.replace(/\n$/, '').split('\n');
  const start = lines.findIndex((line) => line.startsWith('entries:'));
  const first = lines[start] ?? '';
  if (!/^entries:\s*(?:\{\s*\}|null|~)?\s*(?:#.*)?$/.test(first)) throw unreadable(`${where}:${start + 1}`);
  const rest = lines.slice(start + 1);
  const length = rest.findIndex((line) => /^[^\s#]/.test(line));
  const end = length < 0 ? rest.length : length;
  const { lead, blocks } = splitEntries(rest.slice(0, end), { where, line: start + 2 });
  return { head: [...lines.slice(0, start), 'entries:', ...lead], blocks, tail: rest.slice(end) };
}

/** The text again; a file without charts says so in the way that helm does. */
export function joinIndex({ head, blocks, tail }: IndexText): string {
  const entries = blocks.flatMap(({ header, items }) => [...header, ...items.flat()]);
  return `${[...head.map((line) => (line === 'entries:' && blocks.length === 0 ? 'entries: {}' : line)), ...entries, ...tail].join('\n')}\n`;
}

function splitEntries(lines: readonly string[], at: { readonly where: string; readonly line: number }) {
  const lead: string[] = [];
  const blocks: OpenBlock[] = [];
  for (const [index, line] of lines.entries()) {
    const block = blocks.at(-1);
    const indent = line.search(/\S/);
    if (indent < 0 || line[indent] === '#') (block?.items.at(-1) ?? block?.header ?? lead).push(line);
    else if (indent === indentOf(blocks[0]) || block === undefined) startBlockOrItem(line, blocks, `${at.where}:${at.line + index}`);
    else if (startsItem(line, indent, block)) startItem(line, indent, block);
    else if (block.items.length === 0) throw unreadable(`${at.where}:${at.line + index}`);
    else block.items.at(-1)?.push(line);
  }
  return { lead, blocks };
}

/** Dashes may stand below their name or right under it. */
function startBlockOrItem(line: string, blocks: OpenBlock[], where: string): void {
  const block = blocks.at(-1);
  const indent = line.search(/\S/);
  if (block !== undefined && startsItem(line, indent, block)) {
    startItem(line, indent, block);
    return;
  }
  const match = nameLine.exec(line);
  if (match === null) throw unreadable(where);
  blocks.push({ name: match[2] ?? match[3] ?? match[4] ?? '', header: [line], indent: '', items: [] });
}

function startsItem(line: string, indent: number, block: OpenBlock): boolean {
  return /^-(?: |$)/.test(line.slice(indent)) && (block.items.length === 0 || indent === block.indent.length);
}

function startItem(line: string, indent: number, block: OpenBlock): void {
  block.indent = line.slice(0, indent);
  block.items.push([line]);
}

function indentOf(block: OpenBlock | undefined): number | undefined {
  return block?.header[0]?.search(/\S/);
}

function unreadable(where: string) {
  return usageError('is not written as helm writes it, so entries of others could not be kept as they are', {
    where,
    hint: 'Write it again with `helm repo index` without --json, or publish into a folder of its own.',
  });
}
