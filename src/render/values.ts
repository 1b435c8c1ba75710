// What a chart's zod schema says about its values, in the three forms that people and helm read: values.yaml, JSON schema, table.
import * as z from 'zod';
import { toYaml, toYamlRows } from '../base/yaml.ts';

/** The part of draft-07 that zod writes for our schemas. */
interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

type Values = Readonly<Record<string, unknown>>;

/** Helm hands `global` to every subchart; the schemas accept it, but it is nobody's to set. */
const helmKey = 'global';
const rowKeys = 4;

const formatNames: Readonly<Record<string, string>> = { ipv4: 'IPv4', ipv6: 'IPv6', cidrv4: 'IPv4 CIDR', cidrv6: 'IPv6 CIDR' };

/**
 * The text of values.yaml: every key with its description above it (`# --`, as helm-docs reads it), in the order of the schema.
 * A key that has neither a value nor a default is written as a comment, so that the file stays valid and the key is known.
 * @param schema zod object of a chart's values
 * @param values what differs from the defaults; nested objects may be partial
 */
export function valuesYaml(schema: z.ZodType, values: Values): string {
  return `${childLines(jsonSchemaOf(schema), values).join('\n')}\n`;
}

/**
 * The text of values.schema.json (JSON Schema draft-07). Unknown keys are refused, defaults make a key optional.
 * Patterns must compile in Go's RE2, which has no lookaround: a RangeError names the one that has.
 */
export function valuesJsonSchema(schema: z.ZodType): string {
  const text = JSON.stringify(jsonSchemaOf(schema), undefined, 2);
  const lookaround = /\(\?<?[=!]/.exec(text);
  if (lookaround !== null)
    throw new RangeError(`helm cannot compile the pattern near ${text.slice(lookaround.index - 40, lookaround.index + 40)}`);
  return `${text}\n`;
}

/** The values as a Markdown table: dotted key, type, default, description; one row per leaf. */
export function valuesTable(schema: z.ZodType): string {
  const rows = leaves(jsonSchemaOf(schema), '', {});
  return ['| Key | Type | Default | Description |', '|---|---|---|---|', ...rows].join('\n');
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      delete jsonSchema.readOnly;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as JsonSchema;
}

function childLines(schema: JsonSchema, values: Values): string[] {
  return ownKeys(schema, values).flatMap(([key, child]) => {
    const note = isRequired(schema, key) && values[key] === undefined ? 'Required. ' : '';
    const description = child.description === undefined ? [] : [`# -- ${note}${child.description.replaceAll('\n', '\n# ')}`];
    return [...description, ...keyLines(key, child, values[key])];
  });
}

function keyLines(key: string, schema: JsonSchema, given: unknown): string[] {
  if (!hasKeys(schema)) return leafLines(key, given ?? schema.default);
  const lines = childLines(schema, withDefaults(schema, given));
  const silent = lines.every((line) => line.startsWith('#'));
  const block = [`${keyText(key)}:`, ...lines.map((line) => (line === '' ? line : `  ${line}`))];
  return silent ? block.map((line) => `# ${line}`) : block;
}

function leafLines(key: string, value: unknown): string[] {
  if (value === undefined) return [`# ${keyText(key)}:`];
  if (isRows(value)) return [`${keyText(key)}:`, ...textLines(toYamlRows(value)).map((line) => `  ${line}`)];
  return textLines(toYaml({ [key]: value }));
}

/** Routes and the like: objects of a few scalars, of which a list reads best with one on each line. */
function isRows(value: unknown): value is readonly Values[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRow);
}

function isRow(item: unknown): boolean {
  if (!isObject(item)) return false;
  const fields = Object.values(item);
  return fields.length <= rowKeys && fields.every((field) => typeof field !== 'object' || field === null);
}

function leaves(schema: JsonSchema, prefix: string, defaults: Values): string[] {
  return ownKeys(schema, defaults).flatMap(([key, child]) => {
    const path = `${prefix}${key}`;
    const value = defaults[key] ?? child.default;
    if (hasKeys(child)) return leaves(child, `${path}.`, withDefaults(child, defaults[key]));
    const shown = value === undefined ? (isRequired(schema, key) ? 'required' : '') : code(JSON.stringify(value));
    return [`| ${code(path)} | ${cell(typeText(child))} | ${shown} | ${cell(child.description ?? '')} |`];
  });
}

/** `"Fail" or "Ignore"`, `list of IPv4 or IPv6`, `integer`. */
function typeText(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => code(JSON.stringify(value))).join(' or ');
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ');
  if (schema.items === undefined) return formatNames[schema.format ?? ''] ?? schema.type ?? 'any';
  const { properties } = schema.items;
  return `list of ${properties === undefined ? typeText(schema.items) : code(`{${Object.keys(properties).join(', ')}}`)}`;
}

function ownKeys(schema: JsonSchema, values: Values): [string, JsonSchema][] {
  return Object.entries(schema.properties ?? {}).filter(([key]) => key !== helmKey || values[key] !== undefined);
}

/** Free-form maps have no keys of their own: they are leaves. */
function hasKeys(schema: JsonSchema): boolean {
  return Object.keys(schema.properties ?? {}).length > 0;
}

function withDefaults(schema: JsonSchema, given: unknown): Values {
  return { ...(isObject(schema.default) ? schema.default : {}), ...(isObject(given) ? given : {}) };
}

function isRequired(schema: JsonSchema, key: string): boolean {
  return schema.required?.includes(key) ?? false;
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keyText(key: string): string {
  return toYaml({ [key]: null }).replace(/: null\n$/, '');
}

function textLines(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
