// The facts file: YAML that people can read and compare line by line, and that isthmus reads fast and trusts only unedited.
import { createHash } from 'node:crypto';
import { usageError } from '../base/errors.ts';
import { sortedRecord } from './lists.ts';
import { ClusterFacts, factsVersion } from './schema.ts';

const comment = '# Facts of one cluster, written by isthmus. What you know better belongs into mesh.yaml, not in here.';
const checksumLine = /^# sha256: ([0-9a-f]{64})$/;
const checksumPrefix = '# sha256: ';
const writeAgain = 'Write the file again with `isthmus inspect --out`.';

/**
 * Facts as a file. Each top-level field and each node is one line of JSON inside YAML, so that a difference between two files
 * shows what changed, and files of thousands of nodes parse at the speed of JSON. The checksum covers all lines below it.
 * Equal facts give equal bytes, whatever the order of their keys.
 */
export function formatFacts(facts: ClusterFacts): string {
  const fields = Object.entries(canonical(facts)).filter(([, value]) => value !== undefined);
  const text = fields.map(([key, value]) => formatField(key, value)).join('');
  return `${comment}\n${checksumPrefix}${digest(text)}\n${text}`;
}

/**
 * Reads a facts file that `formatFacts` wrote.
 * @param file name for messages
 * @throws IsthmusError (usage) when it is no facts file, of another version, or was edited
 */
export function parseFacts(text: string, file: string): ClusterFacts {
  const clean = (text.startsWith('\u{feff}') ? text.slice(1) : text).replaceAll('\r\n', '\n');
  const version = /^apiVersion: "?([^"\n]*)"?$/m.exec(clean)?.[1];
  const kind = /^kind: "?([^"\n]*)"?$/m.exec(clean)?.[1];
  if (kind !== 'ClusterFacts') throw usageError('is not a facts file', { where: file, hint: writeAgain });
  if (version !== factsVersion) {
    const message = `has version ${JSON.stringify(version ?? '')}; this isthmus reads ${factsVersion}`;
    throw usageError(message, { where: file, hint: writeAgain });
  }
  const facts = ClusterFacts.safeParse(Object.fromEntries(parseFields(checkedBody(clean, file), file)));
  if (facts.success) return facts.data;
  const [issue] = facts.error.issues;
  throw usageError(`does not hold facts: ${issue?.path.map(String).join('.') ?? ''} ${issue?.message ?? ''}`.trim(), {
    where: file,
    hint: writeAgain,
  });
}

/** The schema puts the keys it knows in their order; records have keys of their own. */
function canonical(facts: ClusterFacts): ClusterFacts {
  const parsed = ClusterFacts.parse(facts);
  if (parsed.istio === undefined) return parsed;
  const revisions = parsed.istio.revisions.map((revision) => ({
    ...revision,
    selector: sortedRecord(revision.selector),
    env: sortedRecord(revision.env),
  }));
  return { ...parsed, istio: { ...parsed.istio, revisions } };
}

/** The lines below the checksum, if it is theirs. */
function checkedBody(text: string, file: string): string {
  const at = text.indexOf(checksumPrefix);
  const end = text.indexOf('\n', at);
  const expected = at < 0 || end < 0 ? undefined : checksumLine.exec(text.slice(at, end))?.[1];
  if (expected === undefined) throw usageError('has no line with its checksum', { where: file, hint: writeAgain });
  const body = text.slice(end + 1);
  if (digest(body) === expected) return body;
  throw usageError('was edited after isthmus wrote it', {
    where: file,
    hint: 'Facts are what was found in the cluster. Write into mesh.yaml what differs, or inspect the cluster again.',
  });
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function formatField(key: string, value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return `${key}: ${inline(value)}\n`;
  return `${key}:\n${value.map((item) => `- ${inline(item)}\n`).join('')}`;
}

/** JSON on one line, in ASCII, with spaces where YAML people expect them. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return ascii(JSON.stringify(value));
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([key, field]) => `${ascii(JSON.stringify(key))}: ${inline(field)}`).join(', ')}}`;
}

function ascii(json: string): string {
  return json.replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function parseFields(body: string, file: string): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  let items: unknown[] = [];
  for (const line of body.split('\n')) {
    if (line === '') continue;
    if (line.startsWith('- ')) {
      items.push(parseJson(line.slice(2), file));
      continue;
    }
    const [key, rest] = splitField(line, file);
    items = [];
    fields.set(key, rest === '' ? items : parseJson(rest, file));
  }
  return fields;
}

function splitField(line: string, file: string): [key: string, rest: string] {
  const match = /^([A-Za-z]+):(?: (.*))?$/.exec(line);
  if (match?.[1] === undefined) throw usageError('is not a facts file', { where: file, hint: writeAgain });
  return [match[1], match[2] ?? ''];
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw usageError('is not a facts file', { where: file, hint: writeAgain, cause });
  }
}
