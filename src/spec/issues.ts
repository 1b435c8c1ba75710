// Turns what zod found wrong in mesh.yaml into sentences for people.
import type * as z from 'zod';
import { closest } from '../base/closest.ts';
import { shortText } from '../base/names.ts';
import type { YamlSource } from '../base/yaml.ts';
import { type JsonSchema, keysAt, meshJsonSchema } from './json-schema.ts';

export type Path = readonly (string | number)[];

/** One mistake: where it stands, and what is wrong there. */
export interface Mistake {
  readonly path: Path;
  /** The key itself is wrong, not its value. */
  readonly key?: true;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

interface Context {
  readonly source: YamlSource;
  readonly schema: JsonSchema;
}

/** The mistakes behind zod's issues, the first one for each place. */
export function explainIssues(issues: readonly Issue[], source: YamlSource): Mistake[] {
  const context = { source, schema: meshJsonSchema() };
  const seen = new Set<string>();
  return issues
    .flatMap((issue) => explain(issue, [], context))
    .filter(({ path, key }) => {
      const place = JSON.stringify([path, key]);
      return seen.has(place) ? false : seen.add(place);
    });
}

function explain(issue: Issue, parent: Path, context: Context): Mistake[] {
  const { source, schema } = context;
  const path = [...parent, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], key: true, message: unknownKey(key, keysAt(schema, path)) }));
    case 'invalid_key':
      return [{ path, key: true, message: `"${shortText(String(path.at(-1)))}" ${issue.issues[0]?.message ?? 'is not allowed'}` }];
    case 'invalid_union':
      return nearestBranch(issue.errors).flatMap((inner) => explain(inner, path, context));
    case 'invalid_type':
      return [{ path, message: wrongType(issue.expected, path, source) }];
    case 'invalid_value':
      return [{ path, message: wrongValue(issue.values.map(String), path, source) }];
    case 'invalid_format':
      return [{ path, message: `${issue.message}, not ${show(path, source)}` }];
    default:
      return [{ path, message: issue.message }];
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = closest(key, known);
  if (near !== undefined) return `is not a known key; did you mean ${near}?`;
  return `is not a known key; known here are ${known.join(', ')}`;
}

/** The alternative that fits best: one whose type is right, otherwise the first. */
function nearestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const fits = branches.find((issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0));
  return fits ?? branches[0] ?? [];
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a map',
  record: 'a map',
  boolean: 'true or false',
  number: 'a whole number',
  int: 'a whole number',
};

function wrongType(expected: string, path: Path, source: YamlSource): string {
  const value = valueAt(path, source.value);
  const wanted = typeNames[expected] ?? expected;
  if (value === undefined) return `is required: ${wanted}`;
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    const written = shortText(source.written(path) ?? String(value));
    return `must be text, but ${written} is read as a ${typeof value}; write "${written}"`;
  }
  if (expected === 'array' && typeof value === 'string') return `must be a list; write [${shortText(value)}]`;
  return `must be ${wanted}, not ${show(path, source)}`;
}

function wrongValue(values: readonly string[], path: Path, source: YamlSource): string {
  const value = valueAt(path, source.value);
  const wanted = values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
  if (value === undefined) return `is required: ${wanted}`;
  const near = typeof value === 'string' ? closest(value, values) : undefined;
  return `must be ${wanted}, not ${show(path, source)}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function show(path: Path, source: YamlSource): string {
  const value = valueAt(path, source.value);
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return shortText(source.written(path) ?? String(value));
  return `"${shortText(value)}"`;
}

function valueAt(path: Path, root: unknown): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    return (value as Record<string | number, unknown>)[step];
  }, root);
}
