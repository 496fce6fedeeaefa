import type { JsonSchema } from './json-schema.ts';
import { withoutNull } from './json-schema.ts';

const heading = '## Fields\n';

/** The guide with its list of fields, made of the schema, in place of the one that it has. */
export function withFields(guide: string, schema: JsonSchema): string {
  const before = guide.split(heading)[0];
  return `${before}${heading}\n${fieldLines(schema, '').join('\n')}\n`;
}

function fieldLines(schema: JsonSchema, path: string): string[] {
  if (schema.oneOf) return schema.oneOf.flatMap((form) => formLines(form, path));
  if (!schema.properties) return [leafLine(schema, path), ...insideLines(schema, path)];
  const inside = Object.entries(schema.properties).flatMap(([name, field]) =>
    fieldLines(field, path === '' ? name : `${path}.${name}`),
  );
  return schema.description && path !== '' ? [`- \`${path}\`: ${String(schema.description)}`, ...inside] : inside;
}

/** The fields of an object that may be null, and of the objects of a list. */
function insideLines(schema: JsonSchema, path: string): string[] {
  const object = withoutNull(schema);
  const [inner, at] = object.items ? [object.items, `${path}[]`] : [object, path];
  return Object.entries(inner.properties ?? {}).flatMap(([name, field]) => fieldLines(field, `${at}.${name}`));
}

function formLines(form: JsonSchema, path: string): string[] {
  const { kind, ...others } = form.properties ?? {};
  const title = `- \`${path}\` with \`kind: ${String(kind?.const)}\`: ${String(form.description)}`;
  return [title, ...Object.entries(others).flatMap(([name, field]) => fieldLines(field, `${path}.${name}`))];
}

function leafLine(schema: JsonSchema, path: string): string {
  const choices = schema.anyOf?.filter((choice) => choice.type !== 'null') ?? [schema];
  const value = choices.length === 1 ? choices[0] : schema;
  const meaning = String(schema.description ?? value.description);
  const fallback = schema.default === undefined ? '' : ` Default: ${codeOf(schema.default)}.`;
  const limits = limitsOf(value);
  return `- \`${path}\`: ${meaning}${limits === '' ? '' : ` ${limits}.`}${fallback}`;
}

/** What a leaf allows, as far as a range or a choice says it. */
function limitsOf(schema: JsonSchema): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((word) => `\`${String(word)}\``).join(' or ');
  if (schema.const !== undefined) return `Always ${codeOf(schema.const)}`;
  const { minimum, exclusiveMinimum, maximum, minItems, maxItems } = schema;
  if (maximum === undefined) return maxItems === undefined ? '' : `${String(minItems)} to ${String(maxItems)} values`;
  return exclusiveMinimum === undefined
    ? `${String(minimum)} to ${String(maximum)}`
    : `Above ${String(exclusiveMinimum)}, at most ${String(maximum)}`;
}

function codeOf(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}
