/** A JSON Schema, as far as it is read here. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** Of an object with any names: the schema of its values. False: no other names. */
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
}

/**
 * The names of the fields that are allowed at `path` of `input`; where the schema has several forms, those of the form
 * that the input's `kind` chooses. Null where no fixed set of fields is allowed.
 */
export function fieldNamesAt(root: JsonSchema, input: unknown, path: readonly PropertyKey[]): readonly string[] | null {
  let schema: JsonSchema | undefined = root;
  let value = input;
  for (const key of path) {
    const form: JsonSchema | undefined = formOf(schema, value);
    schema = typeof key === 'number' ? form?.items : (form?.properties?.[String(key)] ?? valuesOf(form));
    value = childOf(value, key);
  }
  const properties = formOf(schema, value)?.properties;
  return properties ? Object.keys(properties) : null;
}

/** The property or element `key` of `value`, or undefined. */
export function childOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

/** The one form beside null of a schema that allows null; the schema itself when it has no such choice. */
export function withoutNull(schema: JsonSchema): JsonSchema {
  const forms = schema.anyOf?.filter((form) => form.type !== 'null') ?? [];
  return forms.length === 1 ? forms[0] : schema;
}

function formOf(schema: JsonSchema | undefined, value: unknown): JsonSchema | undefined {
  if (schema === undefined) return undefined;
  const form = withoutNull(schema);
  if (!form.oneOf) return form;
  return form.oneOf.find(({ properties }) => properties?.kind?.const === childOf(value, 'kind'));
}

function valuesOf(schema: JsonSchema | undefined): JsonSchema | undefined {
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}
