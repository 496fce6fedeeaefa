import { z } from 'zod';
import { deploymentSpecSchema } from './deployment-spec-schema.ts';
import type { JsonSchema } from './json-schema.ts';

let cached: JsonSchema | undefined;

/**
 * JSON Schema (2020-12) of a DeploymentSpec as somebody writes it, for editors and for the OpenAPI document. That a
 * minimum is not above its maximum is not in it.
 */
export function deploymentSpecJsonSchema(): JsonSchema {
  cached ??= {
    ...z.toJSONSchema(deploymentSpecSchema, { io: 'input', target: 'draft-2020-12' }),
    title: 'Coxswain DeploymentSpec',
  } as JsonSchema;
  return cached;
}
