// The JSON schema of mesh.yaml for editors, made from the zod schema that validates it.
import * as z from 'zod';
import { Mesh } from './schema.ts';

/** A draft-07 schema, as far as isthmus looks into one. */
export interface JsonSchema {
  readonly type?: string;
  /** What kind of text it is: `CIDR`, `path`. */
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/**
 * Draft-07 schema of mesh.yaml as it is written: fields with a default are optional. Committed as docs/mesh.schema.json.
 * It knows the shape; what only code can check (overlaps, references between clusters) is left to loadMesh.
 */
export function meshJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(Mesh, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      delete jsonSchema.readOnly;
    },
  });
  return { ...schema, title: 'mesh.yaml of isthmus' } as JsonSchema;
}

/** The keys that a map at `path` may have; empty where any are allowed or the path leads nowhere. */
export function keysAt(schema: JsonSchema, path: readonly (string | number)[]): readonly string[] {
  const place = path.reduce<JsonSchema | undefined>(
    (at, step) => (typeof step === 'number' ? at?.items : Object.hasOwn(at?.properties ?? {}, step) ? at?.properties?.[step] : undefined),
    schema,
  );
  return Object.keys(place?.properties ?? {});
}
