import assert from 'node:assert/strict';
import { z } from 'zod';
import type { OpenApiDocument } from '../../../src/api/openapi.ts';
import type { JsonSchema } from '../../../src/spec/json-schema.ts';

/** Fails unless the answer is one that the OpenAPI document announces: status, media type, and body by its schema. */
export async function assertAnnounced(
  document: OpenApiDocument,
  method: 'get' | 'post',
  path: string,
  response: Response,
): Promise<unknown> {
  const announced = document.paths[path]?.[method]?.responses[response.status];
  assert.ok(announced, `${method} ${path} answered ${response.status}, which the document does not announce`);
  const text = await response.text();
  if (announced.content === undefined) {
    assert.equal(text, '');
    return null;
  }
  const type = (response.headers.get('content-type') ?? '').split(';')[0];
  const content = announced.content[type];
  assert.ok(content, `${method} ${path} answered ${type}; announced: ${Object.keys(announced.content).join(', ')}`);
  if (!type.endsWith('json')) return text;
  const body: unknown = JSON.parse(text);
  assertFits(document, content.schema, body);
  return body;
}

/** Fails unless the value fits a schema of the document. */
export function assertFits(document: OpenApiDocument, schema: JsonSchema, value: unknown): void {
  const self = { ...schema, $defs: document.components.schemas };
  const whole = JSON.parse(JSON.stringify(self).replaceAll('#/components/schemas/', '#/$defs/'));
  const parsed = z.fromJSONSchema(whole).safeParse(value);
  assert.ok(parsed.success, parsed.success ? '' : `${z.prettifyError(parsed.error)}\n${JSON.stringify(value)}`);
}
