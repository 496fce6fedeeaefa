import type { RunSpec } from '../contracts/run-spec.ts';
import { canonicalJson } from './canonical-json.ts';
import { assertJsonShape } from './json-shape.ts';
import { runSpecJsonSchema } from './run-spec-json-schema.ts';
import { runSpecSchema } from './run-spec-schema.ts';
import { issuesOf, specInvalid } from './spec-issue.ts';
import type { SpecIssue } from './spec-issue.ts';

export { canonicalJson, specSha256 } from './canonical-json.ts';
export { runSpecJsonSchema } from './run-spec-json-schema.ts';
export { runSpecSchema } from './run-spec-schema.ts';
export type { SpecIssue } from './spec-issue.ts';

/**
 * Every step of a run carries its spec through Temporal's history, once for each seed, so it stays small. Bytes of its
 * canonical JSON.
 */
const maxNormalisedSpecBytes = 16 * 1024;

/**
 * A complete RunSpec from what somebody wrote: checked, with defaults filled in. Parsing the result again changes nothing.
 * @throws CoxswainError SPEC_INVALID whose message has a line for each broken rule (path, value found, what is allowed,
 * nearest valid name) and whose details are the same as `SpecIssue[]`.
 */
export function parseRunSpec(input: unknown): RunSpec {
  assertJsonShape(input);
  const parsed = runSpecSchema.safeParse(input);
  if (!parsed.success) throw specInvalid(issuesOf(parsed.error, input, runSpecJsonSchema()));
  const bytes = Buffer.byteLength(canonicalJson(parsed.data));
  if (bytes > maxNormalisedSpecBytes) throw specInvalid([tooLarge(bytes)]);
  return parsed.data;
}

function tooLarge(bytes: number): SpecIssue {
  const allowed = `at most ${maxNormalisedSpecBytes} bytes as JSON; shorten long lists such as collect.source.layout.ids`;
  return { path: '', found: `${bytes} bytes`, allowed, nearest: null };
}
