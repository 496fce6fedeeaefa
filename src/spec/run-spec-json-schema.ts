import { z } from 'zod';
import { runSpecSchema } from './run-spec-schema.ts';

/** A JSON Schema, as far as it is read here. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
}

let cached: JsonSchema | undefined;

/**
 * JSON Schema (2020-12) of a RunSpec as somebody writes it, for editors and for the OpenAPI document. Rules between
 * fields (shares that sum to 1, bin widths that fit) are not in it.
 */
export function runSpecJsonSchema(): JsonSchema {
  cached ??= {
    ...z.toJSONSchema(runSpecSchema, { io: 'input', target: 'draft-2020-12' }),
    title: 'Coxswain RunSpec',
  } as JsonSchema;
  return cached;
}

/**
 * The names of the fields that are allowed at `path` of `input`; where the schema has several forms, those of the form
 * that the input's `kind` chooses. Null where no fixed set of fields is allowed.
 */
export function fieldNamesAt(input: unknown, path: readonly PropertyKey[]): readonly string[] | null {
  let schema: JsonSchema | undefined = runSpecJsonSchema();
  let value = input;
  for (const key of path) {
    schema = typeof key === 'number' ? schema?.items : formOf(schema, value)?.properties?.[String(key)];
    value = childOf(value, key);
  }
  const properties = formOf(schema, value)?.properties;
  return properties ? Object.keys(properties) : null;
}

/** The property or element `key` of `value`, or undefined. */
export function childOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

function formOf(schema: JsonSchema | undefined, value: unknown): JsonSchema | undefined {
  if (!schema?.oneOf) return schema;
  return schema.oneOf.find((form) => form.properties?.kind?.const === childOf(value, 'kind'));
}
