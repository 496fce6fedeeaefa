import type { RunSpec } from '../contracts/run-spec.ts';
import type { RunFailure, RunProgress, RunReport, RunStatus } from '../contracts/runs.ts';
import type { RunRecord, StoredStep } from '../contracts/stores.ts';
import { plannedSteps } from '../domain/planned-steps.ts';
import { initialProgress, withStatus, withStep } from '../domain/run-progress.ts';
import type { WorkflowState } from './run-engine.ts';
import { noReportParts } from '../domain/report-parts.ts';

/** A run as the client gives it: the stored record, put right where Temporal knows better. */
export interface Run extends Omit<RunRecord, 'pipeline' | 'spec' | 'specSha256'> {
  /** Null when the spec was refused. */
  readonly pipeline: string | null;
  readonly spec: RunSpec | null;
  readonly specSha256: string | null;
}

/** True when nothing more happens to a run of this status. */
export function isOver(status: RunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** The run of a stored record. */
export function runOfRecord(record: RunRecord): Run {
  // A run whose spec was refused is stored without one.
  const spec = record.spec as RunSpec | null;
  return { ...record, pipeline: record.pipeline || null, spec, specSha256: record.specSha256 || null };
}

/** A run that Temporal has but the store has not yet: nobody has begun its first step. */
export function runNotYetStored(
  runId: string,
  state: WorkflowState,
  known: { readonly spec: RunSpec | null; readonly specSha256: string | null },
): Run {
  const steps = plannedSteps(known.spec).map((name): StoredStep => ({
    name,
    status: 'pending',
    summary: '',
    startedAt: null,
    finishedAt: null,
  }));
  return {
    runId,
    pipeline: known.spec?.name ?? null,
    ...known,
    status: 'running',
    step: steps[0].name,
    steps,
    createdAt: state.startedAt,
    updatedAt: state.startedAt,
    finishedAt: null,
    failure: null,
    report: null,
  };
}

/**
 * The run as it really is. The record is the truth while the workflow is open or has recorded its end; a workflow that
 * was ended from outside (terminated, timed out, or gone from the server) could not record that, so the run has failed.
 */
export function reconciled(run: Run, state: WorkflowState | null, reason: string | null): Run {
  if (isOver(run.status) || state?.status === 'running') return run;
  const finishedAt = state?.closedAt ?? run.updatedAt;
  const status = state?.status === 'cancelled' ? 'cancelled' : 'failed';
  return {
    ...run,
    status,
    steps: run.steps.map((step) => (step.status === 'running' ? { ...step, status, finishedAt } : step)),
    finishedAt,
    updatedAt: finishedAt,
    failure: failureOf(run, state, reason),
  };
}

function failureOf(run: Run, state: WorkflowState | null, reason: string | null): RunFailure {
  const because = reason === null ? '' : ` (${reason})`;
  const message =
    state === null
      ? 'Temporal has no workflow of this run any more, so nobody works on it. Is this the right server and namespace?'
      : `${endings[state.status]}${because}, before the run could record its end.`;
  return { code: 'RUN_TERMINATED', message, step: run.step };
}

const endings: Readonly<Record<WorkflowState['status'], string>> = {
  running: 'The workflow runs',
  completed: 'The workflow completed',
  failed: 'The workflow failed',
  cancelled: 'The workflow was cancelled',
  terminated: 'The workflow was terminated in Temporal',
  'timed-out': 'The workflow ran out of the time that Temporal gave it',
};

/** The report of a run, made up from the record when the run ended without writing one. */
export function reportOf(run: Run): RunReport {
  if (run.report !== null) return run.report;
  return {
    runId: run.runId,
    status: run.status,
    seconds: ((run.finishedAt ?? run.updatedAt).getTime() - run.createdAt.getTime()) / 1000,
    ...noReportParts,
    failure: run.failure,
  };
}

/** The progress as far as the store knows it: steps and status, without figures of the training. */
export function progressOfRun(run: Run): RunProgress {
  const steps = run.steps.reduce(
    (progress, { name, status, summary }) => withStep(progress, name, status, summary),
    initialProgress(),
  );
  return withStatus({ ...steps, step: run.step }, run.status);
}
