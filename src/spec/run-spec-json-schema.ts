import { z } from 'zod';
import type { JsonSchema } from './json-schema.ts';
import { runSpecSchema } from './run-spec-schema.ts';

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
