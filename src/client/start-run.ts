import { CoxswainError } from '../contracts/errors.ts';
import type { Store } from '../contracts/stores.ts';
import { parseRunSpec, specSha256 } from '../spec/run-spec.ts';
import type { RunEngine } from './run-engine.ts';
import type { RunFinder } from './run-finder.ts';
import { assertRunId, createRunId } from './run-id.ts';

/** What to run. */
export interface RunRequest {
  /** A RunSpec as somebody wrote it; defaults are filled in. */
  readonly spec: unknown;
  /** Default `<name>-<UTC date>-<time>-<4 hex digits>`. */
  readonly runId?: string;
}

/** What the start of a run did. */
export interface StartedRun {
  readonly runId: string;
  readonly specSha256: string;
  /** False when a run of this id and spec was there already. */
  readonly created: boolean;
}

/**
 * Starts a run. The same id and spec again, at the same moment or after its end, is the same run.
 *
 * 1. Temporal decides who starts: of several callers with one id exactly one does.
 * 2. The store is asked first, because it remembers runs whose workflows Temporal has forgotten.
 *
 * @throws CoxswainError SPEC_INVALID, REQUEST_INVALID for a bad id, RUN_CONFLICT when the id is taken by another spec.
 */
export async function startRun(
  { engine, store, finder }: { engine: RunEngine; store: Store; finder: RunFinder },
  request: RunRequest,
): Promise<StartedRun> {
  const spec = parseRunSpec(request.spec);
  const hash = specSha256(spec);
  const runId = request.runId ?? createRunId(spec.name);
  assertRunId(runId);
  const same = (existing: string | null): StartedRun => {
    if (existing === hash) return { runId, specSha256: hash, created: false };
    throw new CoxswainError('RUN_CONFLICT', `Run ${runId} exists with another spec. Choose another id.`);
  };

  const stored = await store.runs.getRun(runId);
  if (stored !== null) return same(stored.specSha256);
  const outcome = await engine.start({ runId, spec, specSha256: hash });
  return outcome === 'started' ? { runId, specSha256: hash, created: true } : same(await hashOfWorkflow(runId, finder));
}

/** The hash of the spec that a workflow was started with; null when it is no run or its spec breaks a rule. */
async function hashOfWorkflow(runId: string, finder: RunFinder): Promise<string | null> {
  const state = await finder.workflow(runId);
  if (state === null) return null;
  return state.specSha256 ?? (await finder.specOfWorkflow(runId)).specSha256;
}
