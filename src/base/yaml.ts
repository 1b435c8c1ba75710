// The only place that reads or writes YAML: one dialect in, and out a form that YAML 1.1 and 1.2 readers agree on.
import { Document, isCollection, isNode, isSeq, LineCounter, parseAllDocuments, stringify } from 'yaml';
import { usageError } from './errors.ts';

/** Largest accepted YAML text, in bytes; hand-written files are far below, and a parser must not be fed without end. */
export const maxYamlBytes = 4 * 1024 * 1024;
const maxDepth = 64;

/** A parsed document that can still tell where a value stood. */
export interface YamlSource {
  readonly value: unknown;
  /** `file:line:column` of the value at `path`, or of its nearest parent that exists. */
  locate(path: readonly (string | number)[]): string;
}

/**
 * Parses one YAML 1.2 core document.
 * Refused with a position (IsthmusError, usage): duplicate keys, tabs as indentation, custom tags, several documents, an
 * empty document, NUL bytes, UTF-16, nesting over 64 levels, more than 100 alias expansions, text over 4 MiB.
 * @param text the file's text; a byte order mark and CRLF line ends are fine
 * @param file the name shown in errors
 */
export function parseYaml(text: string, file: string): YamlSource {
  const source = cleanText(text, file);
  const lines = new LineCounter();
  const documents = parseAllDocuments(source, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    lineCounter: lines,
    prettyErrors: false,
    merge: false,
    stringKeys: true,
  });
  if (!Array.isArray(documents) || documents.length === 0) throw usageError('the file is empty', { where: file });
  const document = documents[0] as Document;
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}:${lines.linePos(offset).col}`;
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw usageError(problem.message, { where: at(problem.pos[0]) });
  if (documents.length > 1) throw usageError('holds several documents; one is expected', { where: at(documents[1]?.range[0] ?? 0) });
  if (document.contents === null) throw usageError('the file is empty', { where: file });
  return { value: expand(document, file), locate: (path) => locate(document, path, at, file) };
}

/** Writes one value as YAML that YAML 1.1 and 1.2 readers take the same way; keys keep their order, lines are never folded. */
export function toYaml(value: unknown): string {
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}

/** A list as YAML with every item in flow form on a line of its own: `- {dst: 10.1.0.0/26, via: 10.0.0.5}`. */
export function toYamlRows(items: readonly unknown[]): string {
  const document = new Document(items, { version: '1.1', aliasDuplicateObjects: false });
  for (const item of isSeq(document.contents) ? document.contents.items : []) if (isCollection(item)) item.flow = true;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Several documents as one stream, separated by `---`. */
export function toYamlStream(values: readonly unknown[]): string {
  return values.map(toYaml).join('---\n');
}

/** All documents of a YAML stream (such as rendered manifests) as plain values; empty documents are left out. */
export function parseYamlStream(text: string, file: string): unknown[] {
  const documents = parseAllDocuments(text, { version: '1.2', schema: 'core', uniqueKeys: true });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const problem = document.errors[0];
    if (problem !== undefined) throw usageError(problem.message, { where: file });
    return document.contents === null ? [] : [document.toJS({ maxAliasCount: 100 })];
  });
}

function cleanText(text: string, file: string): string {
  if (Buffer.byteLength(text) > maxYamlBytes) throw usageError('is larger than 4 MiB', { where: file });
  if (text.includes('\0'))
    throw usageError('holds NUL bytes; is it UTF-16 or a binary file?', { where: file, hint: 'Save it as UTF-8 text.' });
  return text.startsWith('\u{feff}') ? text.slice(1) : text;
}

function expand(document: Document, file: string): unknown {
  try {
    const value = document.toJS({ maxAliasCount: 100 }) as unknown;
    checkDepth(value, file, 0);
    return value;
  } catch (error) {
    if (error instanceof RangeError || error instanceof ReferenceError) throw usageError(error.message, { where: file });
    throw error;
  }
}

function checkDepth(value: unknown, file: string, depth: number): void {
  if (depth > maxDepth) throw usageError(`is nested more than ${maxDepth} levels deep`, { where: file });
  if (typeof value !== 'object' || value === null) return;
  for (const child of Object.values(value)) checkDepth(child, file, depth + 1);
}

function locate(document: Document, path: readonly (string | number)[], at: (offset: number) => string, file: string): string {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return at(node.range[0]);
  }
  return file;
}
