// The only place that reads or writes YAML: one dialect in, and out a form that YAML 1.1 and 1.2 readers agree on.
import { Composer, type CST, type Document, isAlias, isMap, isNode, isScalar, isSeq, Lexer, LineCounter, Parser, type YAMLMap } from 'yaml';
import { usageError } from './errors.ts';
import { shortText } from './names.ts';

export { toYaml, toYamlRows, toYamlStream } from './yaml-text.ts';

/** Largest accepted YAML text, in bytes; hand-written files are far below, and a parser must not be fed without end. */
export const maxYamlBytes = 4 * 1024 * 1024;
const maxDepth = 64;
/** Values that aliases may add to a document, all together. */
const maxAliasValues = 10_000;

const options = {
  version: '1.2',
  schema: 'core',
  uniqueKeys: false,
  prettyErrors: false,
  merge: false,
  stringKeys: true,
  logLevel: 'silent',
} as const;

/** The library's messages that speak of grammar, in words for people. */
const plainer: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " on one line; put the value in quotes',
  MULTILINE_IMPLICIT_KEY: 'a key runs over several lines; is a colon or a quote missing?',
  NON_STRING_KEY: 'a key must be plain text, not a list or a map',
  BAD_SCALAR_START: 'a value starts with a character that YAML reserves; put it in quotes',
};

/** A parsed document that can still tell where a value stood. */
export interface YamlSource {
  readonly value: unknown;
  /** `file:line:column` of the value at `path`, or of its nearest parent that exists. */
  locate(path: readonly (string | number)[]): string;
  /** `file:line:column` of the key that `path` ends with, or what `locate` says where there is no such key. */
  locateKey(path: readonly (string | number)[]): string;
  /** The scalar at `path` as it is written, `1e3` and not 1000; undefined for anything else. */
  written(path: readonly (string | number)[]): string | undefined;
}

type Place = (offset: number) => string;

/** What a node became, and how much of it there is; `values` and `depth` count with aliases followed. */
interface Plain {
  readonly value: unknown;
  readonly values: number;
  readonly depth: number;
}

interface Reading {
  readonly at: Place;
  readonly anchors: Map<string, Plain>;
  aliasValues: number;
}

/**
 * Parses one YAML 1.2 core document.
 * Refused with a position (IsthmusError, usage): duplicate keys, the key `__proto__`, merge keys, tags other than those of
 * the core schema, tabs as indentation, several documents, an empty document, control characters, text that is not UTF-8,
 * nesting over 64 levels, aliases that add more than 10,000 values, text over 4 MiB.
 * @param text the file's text; a byte order mark and CRLF line ends are fine
 * @param file the name shown in errors
 */
export function parseYaml(text: string, file: string): YamlSource {
  if (Buffer.byteLength(text) > maxYamlBytes) throw usageError('is larger than 4 MiB', { where: file });
  const { documents, at } = compose(text, file);
  const [document, second] = documents;
  if (document === undefined) throw usageError('the file is empty', { where: file });
  const value = read(document, at);
  if (second !== undefined) throw usageError('holds several documents; one is expected', { where: at(second.range[0]) });
  if (value === null) throw usageError('the file is empty', { where: file });
  return {
    value,
    locate: (path) => locate(document, path, at),
    locateKey: (path) => locateKey(document, path, at),
    written: (path) => written(document, path),
  };
}

/** All documents of a YAML stream (such as rendered manifests) as plain values, under the same rules; empty documents are left out. */
export function parseYamlStream(text: string, file: string): unknown[] {
  const { documents, at } = compose(text, file);
  return documents.map((document) => read(document, at)).filter((value) => value !== null);
}

function compose(text: string, file: string): { readonly documents: Document.Parsed[]; readonly at: Place } {
  const source = text.startsWith('\u{feff}') ? text.slice(1) : text;
  const lines = new LineCounter();
  lines.addNewLine(0);
  const at: Place = (offset) => `${file}:${lines.linePos(offset).line}:${lines.linePos(offset).col}`;
  checkCharacters(source, file);
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  const counter = nestingCounter();
  for (const lexeme of new Lexer().lex(source)) {
    tokens.push(...parser.next(lexeme));
    if (counter(lexeme) > maxDepth) throw tooDeep(at(parser.offset));
  }
  tokens.push(...parser.end());
  checkDepth(tokens, at);
  return { documents: [...new Composer(options).compose(tokens, false, source.length)], at };
}

function checkCharacters(source: string, file: string): void {
  const offset = source.search(/(?![\t\n\r])[\p{Cc}\p{Surrogate}\ufffd]/u);
  if (offset < 0) return;
  const before = source.slice(0, offset).split('\n');
  const where = `${file}:${before.length}:${(before.at(-1) ?? '').length + 1}`;
  const hint = 'Save it as UTF-8 text.';
  if (source[offset] === '\0') throw usageError('holds NUL bytes; is it UTF-16 or a binary file?', { where, hint });
  if (source[offset] === '\u{fffd}') throw usageError('holds bytes that are not UTF-8', { where, hint });
  throw usageError(`holds the control character ${shortText(source[offset] ?? '')}`, { where, hint });
}

/** Counts brackets that are open, and block indicators on one line: what can nest without end in a short text. */
function nestingCounter(): (lexeme: string) => number {
  let open = 0;
  let onLine = 0;
  return (lexeme) => {
    if (lexeme === '[' || lexeme === '{') open++;
    else if (lexeme === ']' || lexeme === '}') open = Math.max(open - 1, 0);
    else if (lexeme === '\n' || lexeme === '\r\n') onLine = 0;
    else if (open === 0 && (lexeme === '-' || lexeme === '?' || lexeme === ':')) onLine++;
    return open + onLine;
  };
}

/** Walks without recursion, before anything that recurses may overflow the stack. */
function checkDepth(tokens: readonly CST.Token[], at: Place): void {
  const rest: { readonly token: CST.Token | null | undefined; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { token, depth } = next;
    if (token === null || token === undefined) continue;
    if (depth > maxDepth) throw tooDeep(at(token.offset));
    if (token.type === 'document') rest.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const item of token.items) rest.push({ token: item.key, depth: depth + 1 }, { token: item.value, depth: depth + 1 });
  }
}

function tooDeep(where: string): Error {
  return usageError(`is nested more than ${maxDepth} levels deep`, { where });
}

function read(document: Document.Parsed, at: Place): unknown {
  const problem = document.errors[0] ?? document.warnings.find((warning) => warning.code !== 'TAG_RESOLVE_FAILED');
  if (problem !== undefined) throw usageError(plainer[problem.code] ?? problem.message, { where: at(problem.pos[0]) });
  return plain(document.contents, { at, anchors: new Map(), aliasValues: 0 }, 0).value;
}

function plain(node: unknown, reading: Reading, depth: number): Plain {
  if (!isNode(node)) return { value: null, values: 1, depth: 0 };
  const where = reading.at(node.range?.[0] ?? 0);
  if (isAlias(node)) return follow(node.source, reading, depth, where);
  checkTag(node.tag, where);
  const result = isMap(node) ? plainMap(node, reading, depth) : isSeq(node) ? plainList(node.items, reading, depth) : leaf(node);
  if (node.anchor !== undefined) reading.anchors.set(node.anchor, result);
  return result;
}

function leaf(node: unknown): Plain {
  return { value: isScalar(node) ? node.value : null, values: 1, depth: 0 };
}

function follow(name: string, reading: Reading, depth: number, where: string): Plain {
  const target = reading.anchors.get(name);
  if (target === undefined) throw usageError(`no anchor &${shortText(name)} ends before this alias`, { where });
  reading.aliasValues += target.values;
  if (reading.aliasValues > maxAliasValues) throw usageError(`aliases add more than ${maxAliasValues} values`, { where });
  if (depth + target.depth > maxDepth) throw tooDeep(where);
  return target;
}

function checkTag(tag: string | undefined, where: string): void {
  if (tag === undefined || /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/.test(tag)) return;
  throw usageError(`the tag ${shortText(tag.replace(/^tag:yaml\.org,2002:/, '!!'))} is not allowed`, { where });
}

function plainList(items: readonly unknown[], reading: Reading, depth: number): Plain {
  return gather(
    items.map((item) => plain(item, reading, depth + 1)),
    (values) => values,
  );
}

function plainMap(map: YAMLMap, reading: Reading, depth: number): Plain {
  const seen = new Map<string, number>();
  const keys = map.items.map((pair) => checkKey(pair.key, seen, reading.at));
  const children = map.items.map((pair) => plain(pair.value, reading, depth + 1));
  return gather(children, (values) => Object.fromEntries(values.map((value, index) => [keys[index], value])));
}

function gather(children: readonly Plain[], build: (values: readonly unknown[]) => unknown): Plain {
  return {
    value: build(children.map((child) => child.value)),
    values: children.reduce((sum, child) => sum + child.values, 1),
    depth: 1 + children.reduce((deepest, child) => Math.max(deepest, child.depth), 0),
  };
}

function checkKey(key: unknown, seen: Map<string, number>, at: Place): string {
  if (!isScalar(key) || typeof key.value !== 'string') {
    throw usageError('a key must be plain text', { where: at(isNode(key) ? (key.range?.[0] ?? 0) : 0) });
  }
  const offset = key.range?.[0] ?? 0;
  const where = at(offset);
  checkTag(key.tag, where);
  if (key.value === '__proto__') throw usageError('the key __proto__ is not allowed', { where });
  if (key.value === '<<' && key.type === 'PLAIN') throw usageError('merge keys (<<) are not supported; write the values out', { where });
  const first = seen.get(key.value);
  if (first !== undefined) throw usageError(`the key ${shortText(key.value)} is there twice, first at ${at(first)}`, { where });
  seen.set(key.value, offset);
  return key.value;
}

function locate(document: Document.Parsed, path: readonly (string | number)[], at: Place): string {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return at(node.range[0]);
  }
  return at(document.contents?.range?.[0] ?? 0);
}

function locateKey(document: Document.Parsed, path: readonly (string | number)[], at: Place): string {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) : undefined;
  return isNode(pair?.key) && pair.key.range ? at(pair.key.range[0]) : locate(document, path, at);
}

function written(document: Document.Parsed, path: readonly (string | number)[]): string | undefined {
  const node = document.getIn(path, true);
  return isScalar(node) && typeof node.source === 'string' ? node.source : undefined;
}
