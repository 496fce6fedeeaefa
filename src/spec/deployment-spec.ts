import type { DeploymentSpec } from '../contracts/control.ts';
import { canonicalJson } from './canonical-json.ts';
import { deploymentSpecJsonSchema } from './deployment-spec-json-schema.ts';
import { deploymentSpecSchema } from './deployment-spec-schema.ts';
import { assertJsonShape } from './json-shape.ts';
import { issuesOf, specInvalid } from './spec-issue.ts';

export { deploymentSpecJsonSchema } from './deployment-spec-json-schema.ts';
export { deploymentSpecSchema } from './deployment-spec-schema.ts';

/** The loop's workflow carries the spec through Temporal's history, so it stays small. Bytes of its canonical JSON. */
const maxNormalisedSpecBytes = 16 * 1024;

/**
 * A complete DeploymentSpec from what somebody wrote: checked, with defaults filled in. Parsing the result again changes
 * nothing.
 * @throws CoxswainError SPEC_INVALID whose message has a line for each broken rule (path, value found, what is allowed,
 * nearest valid name) and whose details are the same as `SpecIssue[]`.
 */
export function parseDeploymentSpec(input: unknown): DeploymentSpec {
  assertJsonShape(input);
  const parsed = deploymentSpecSchema.safeParse(input);
  if (!parsed.success) throw specInvalid(issuesOf(parsed.error, input, deploymentSpecJsonSchema()));
  const bytes = Buffer.byteLength(canonicalJson(parsed.data));
  if (bytes <= maxNormalisedSpecBytes) return parsed.data;
  const allowed = `at most ${maxNormalisedSpecBytes} bytes as JSON; shorten target.workloads, guard.services or placement.nodes`;
  throw specInvalid([{ path: '', found: `${bytes} bytes`, allowed, nearest: null }]);
}
