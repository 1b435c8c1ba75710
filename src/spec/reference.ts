// The table of every field of mesh.yaml, for docs/mesh.md.
import { type JsonSchema, meshJsonSchema } from './json-schema.ts';

/** Lines between which docs/mesh.md holds the generated table. */
export const fieldMarkers = { begin: '<!-- fields: generated -->', end: '<!-- /fields -->' } as const;

/** Markdown table of every field: path (`clusters[].name`), type, default or `required`, and what it means. */
export function fieldTable(): string {
  const rows = fieldsOf(meshJsonSchema(), '').map(
    ({ path, type, fallback, description }) => `| \`${path}\` | ${type} | ${fallback} | ${description.replaceAll('|', '\\|')} |`,
  );
  return ['| field | type | default | meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

interface Field {
  readonly path: string;
  readonly type: string;
  readonly fallback: string;
  readonly description: string;
}

function fieldsOf(schema: JsonSchema, parent: string): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const path = parent === '' ? key : `${parent}.${key}`;
    const fallback = schema.required?.includes(key) ? 'required' : defaultText(field);
    const below = field.items === undefined ? fieldsOf(field, path) : fieldsOf(field.items, `${path}[]`);
    return [{ path, type: typeText(field), fallback, description: field.description ?? '' }, ...below];
  });
}

function defaultText({ default: value, properties }: JsonSchema): string {
  return value === undefined || properties !== undefined ? '' : `\`${JSON.stringify(value)}\``;
}

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ');
  if (schema.type === 'array') return `list of ${plural(typeText(schema.items ?? {}))}`;
  if (schema.type === 'object')
    return typeof schema.additionalProperties === 'object' && schema.additionalProperties.type !== undefined
      ? `map of ${plural(typeText(schema.additionalProperties))}`
      : 'map';
  if (schema.type === 'integer') return `${schema.minimum} to ${schema.maximum}`;
  return schema.type === 'boolean' ? 'true or false' : (schema.title ?? 'text');
}

function plural(type: string): string {
  if (type === 'text') return type;
  return type.endsWith('s') ? `${type}es` : `${type}s`;
}
