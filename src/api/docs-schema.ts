import type { JsonSchema } from '../spec/json-schema.ts';
import { html, prose } from './html.ts';
import type { Html } from './html.ts';

/** The type of a schema in one line, with links to the schemas that it names. */
export function typeOf(schema: JsonSchema): Html {
  if (typeof schema.$ref === 'string') return linkTo(schema.$ref);
  const forms = schema.oneOf ?? schema.anyOf;
  if (forms) return html`${separated(forms.map(typeOf), ' or ')}`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (Array.isArray(schema.enum)) {
    return html`${separated(
      schema.enum.map((value) => html`<code>${JSON.stringify(value)}</code>`),
      ' or ',
    )}`;
  }
  if (schema.items) return html`list of ${typeOf(schema.items)}`;
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object' && !schema.properties) {
    return html`map of ${typeOf(schema.additionalProperties as JsonSchema)}`;
  }
  const name = Array.isArray(schema.type) ? schema.type.join(' or ') : schema.type;
  return html`${typeof name === 'string' ? name : 'anything'}${limitsOf(schema)}`;
}

/** The fields of an object schema as a table, nested objects indented below their field; null when it has none. */
export function fieldsTable(schema: JsonSchema): Html | null {
  const rows = fieldRows(schema, 0);
  if (rows.length === 0) return null;
  return html`<table>
    <thead>
      <tr>
        <th>Field</th>
        <th>Type</th>
        <th>Meaning</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

function fieldRows(schema: JsonSchema, depth: number): Html[] {
  const required = (schema.required as readonly string[] | undefined) ?? [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const optional = !required.includes(name) && html` <span class="faint">optional</span>`;
    return [
      html`<tr>
        <td class="name depth-${Math.min(depth, 4)}"><code>${name}</code>${optional}</td>
        <td>${typeOf(field)}${defaultOf(field)}</td>
        <td>${prose(meaningOf(field))}</td>
      </tr>`,
      ...nestedRows(field, depth + 1),
    ];
  });
}

/** Where a field has several forms, each comes under a line of its own. */
function nestedRows(field: JsonSchema, depth: number): Html[] {
  const forms = nestedObjects(field);
  return forms.flatMap((form) => {
    const title = forms.length > 1 && typeof form.description === 'string' && form.description;
    const heading = html`<tr>
      <td class="depth-${Math.min(depth, 4)} faint" colspan="3">${title && prose(title)}</td>
    </tr>`;
    return [...(title ? [heading] : []), ...fieldRows(form, depth)];
  });
}

/** The objects without a name of their own inside a field. */
function nestedObjects(field: JsonSchema): JsonSchema[] {
  if (field.properties) return [field];
  if (field.items) return nestedObjects(field.items);
  return (field.oneOf ?? field.anyOf ?? []).flatMap(nestedObjects);
}

function meaningOf(field: JsonSchema): string {
  if (typeof field.description === 'string') return field.description;
  const forms = (field.oneOf ?? field.anyOf ?? []).filter((form) => form.type !== 'null');
  return forms.length === 1 ? meaningOf(forms[0]) : '';
}

function defaultOf({ default: value }: JsonSchema): Html | null {
  if (value === undefined || (typeof value === 'object' && value !== null)) return null;
  return html`<br /><span class="faint">default <code>${JSON.stringify(value)}</code></span>`;
}

function limitsOf({ minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  const safe = (value: unknown): value is number =>
    typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const low = safe(minimum) ? `from ${minimum}` : safe(exclusiveMinimum) ? `above ${exclusiveMinimum}` : '';
  const high = safe(maximum) ? `to ${maximum}` : '';
  const limits = [low, high].filter((text) => text !== '').join(' ');
  return limits === '' ? '' : `, ${limits}`;
}

function linkTo(reference: string): Html {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return html`<a href="#schema-${name}">${name}</a>`;
}

function separated(parts: readonly Html[], separator: string): Html[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [html`<span class="faint">${separator}</span>`, part]));
}
