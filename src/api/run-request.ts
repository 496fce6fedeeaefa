import { CoxswainError } from '../contracts/errors.ts';
import type { RunRequest } from '../client/start-run.ts';
import { readRunSpecText } from '../spec/run-spec-text.ts';
import type { BodyDescription } from './operation.ts';
import { checked } from './operation.ts';
import { formatOf, textOf } from './request-body.ts';
import { runId } from './schema-parts.ts';

const example = { id: 'nightly-2026-03-01', spec: { version: 1, name: 'online-boutique' } };

/** For the OpenAPI document. */
export const runRequestBody: BodyDescription = {
  description: 'A RunSpec, or an object with `spec` and an optional `id`; as JSON or as YAML.',
  content: {
    'application/json': { schema: 'RunRequest', example },
    'application/yaml': { schema: 'RunRequest', example: 'version: 1\nname: online-boutique\n' },
  },
};

/**
 * What a body asks to run. An object with the field `spec` is an envelope, since no RunSpec has such a field; any other
 * body is the RunSpec itself. The spec is not checked here.
 * @param queryId Id from the query; the envelope may repeat it, not contradict it.
 * @throws CoxswainError REQUEST_INVALID, SPEC_INVALID for text that is no JSON or YAML, UNSUPPORTED_MEDIA_TYPE
 */
export function readRunRequest(contentType: string | undefined, body: Buffer, queryId?: string): RunRequest {
  const input = readRunSpecText(textOf(body), formatOf(contentType));
  if (!isEnvelope(input)) return { spec: input, runId: queryId };
  const { spec, id, ...rest } = input;
  const unknown = Object.keys(rest).map((key) => JSON.stringify(key));
  if (unknown.length > 0) {
    throw new CoxswainError('REQUEST_INVALID', `body: unknown ${unknown.join(', ')}; allowed: id, spec`);
  }
  const bodyId = checked(runId.optional(), id, 'id');
  if (queryId !== undefined && bodyId !== undefined && queryId !== bodyId) {
    throw new CoxswainError('REQUEST_INVALID', `id: the query says ${queryId}, the body ${bodyId}; say it once`);
  }
  return { spec, runId: bodyId ?? queryId };
}

function isEnvelope(input: unknown): input is { spec: unknown; id?: unknown } {
  return typeof input === 'object' && input !== null && !Array.isArray(input) && Object.hasOwn(input, 'spec');
}
