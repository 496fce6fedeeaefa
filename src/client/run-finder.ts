import { CoxswainError } from '../contracts/errors.ts';
import { workflowTypes } from '../contracts/pipeline.ts';
import type { RunSpec } from '../contracts/run-spec.ts';
import type { Store } from '../contracts/stores.ts';
import { parseRunSpec, specSha256 } from '../spec/run-spec.ts';
import type { RunEngine, WorkflowState } from './run-engine.ts';
import { isOver, reconciled, runNotYetStored, runOfRecord } from './run.ts';
import type { Run } from './run.ts';

/** A run together with what Temporal says of it; `state` is null when nobody had to ask or nothing is there. */
export interface FoundRun {
  readonly run: Run;
  readonly state: WorkflowState | null;
}

/** Looks runs up in the store and in Temporal. */
export interface RunFinder {
  /** The run as it really is. RUN_NOT_FOUND. */
  find(runId: string): Promise<FoundRun>;
  /** Puts a stored run right where Temporal knows better. */
  settle(run: Run): Promise<Run>;
  /** The workflow of a run; null when there is none, or the id belongs to another kind of workflow. */
  workflow(runId: string): Promise<WorkflowState | null>;
  /** The spec that a workflow was started with, normalised; nulls when it breaks a rule. */
  specOfWorkflow(runId: string): Promise<{ readonly spec: RunSpec | null; readonly specSha256: string | null }>;
}

/** A {@link RunFinder} over the two. */
export function createRunFinder(engine: RunEngine, store: Store): RunFinder {
  async function workflow(runId: string): Promise<WorkflowState | null> {
    const state = await engine.describe(runId);
    return state?.type === workflowTypes.pipeline ? state : null;
  }

  async function stored(runId: string): Promise<Run | null> {
    const record = await store.runs.getRun(runId);
    return record === null ? null : runOfRecord(record);
  }

  async function specOfWorkflow(runId: string) {
    const input = await engine.readInput(runId);
    try {
      const spec = parseRunSpec(input);
      return { spec, specSha256: specSha256(spec) };
    } catch (error) {
      if (error instanceof CoxswainError && error.code === 'SPEC_INVALID') return { spec: null, specSha256: null };
      throw error;
    }
  }

  async function settleWith(run: Run, state: WorkflowState | null): Promise<Run> {
    if (isOver(run.status) || state?.status === 'running') return run;
    // The run may have recorded its end between the two questions.
    const again = (await stored(run.runId)) ?? run;
    if (isOver(again.status)) return again;
    return reconciled(again, state, state === null ? null : await engine.endReason(run.runId));
  }

  return {
    workflow,
    specOfWorkflow,
    settle: async (run) => (isOver(run.status) ? run : settleWith(run, await workflow(run.runId))),
    async find(runId) {
      const run = await stored(runId);
      if (run !== null && isOver(run.status)) return { run, state: null };
      const state = await workflow(runId);
      if (run !== null) return { run: await settleWith(run, state), state };
      if (state === null) throw new CoxswainError('RUN_NOT_FOUND', `No run has the id ${JSON.stringify(runId)}.`);
      return { run: await settleWith(runNotYetStored(runId, state, await specOfWorkflow(runId)), state), state };
    },
  };
}
