import { CoxswainError } from '../contracts/errors.ts';
import type { RunStatus, StepName, StepStatus } from '../contracts/runs.ts';
import type { StoredStep } from '../contracts/stores.ts';

/** Statuses of a run or step that is over. */
export const endStatuses = ['completed', 'failed', 'cancelled'] as const;

/** The status of a run or step that is over. */
export type EndStatus = (typeof endStatuses)[number];

/** True for a status that nothing follows. */
export function isEndStatus(status: RunStatus | StepStatus): status is EndStatus {
  return (endStatuses as readonly string[]).includes(status);
}

/**
 * The statuses that a step must not have for `next` to be applied: a step that is over does not start again, so that a
 * late attempt of an earlier note does not undo a later one. Noting the same end again is allowed.
 */
export function statusesThatRefuse(next: StepStatus): readonly StepStatus[] {
  const refused: StepStatus[] = endStatuses.filter((status) => status !== next);
  return next === 'pending' ? [...refused, 'running'] : refused;
}

/** The steps of a run that ended at `end.step`: that step, and any that still runs, ended the way the run did. */
export function closeSteps(
  steps: readonly StoredStep[],
  end: { readonly status: EndStatus; readonly step: StepName; readonly at: Date },
): readonly StoredStep[] {
  return steps.map((step) => {
    const open = step.status === 'running' || (step.status === 'pending' && step.name === end.step);
    return open ? { ...step, status: end.status, startedAt: step.startedAt ?? end.at, finishedAt: end.at } : step;
  });
}

/** Throws INTERNAL unless the run goes on: only `finishRun` ends a run, with its report. */
export function assertGoesOn(runId: string, status: RunStatus): void {
  if (!isEndStatus(status)) return;
  throw new CoxswainError('INTERNAL', `Run ${runId}: recordStep was given status ${status}. End a run with finishRun.`);
}

/** Throws INTERNAL unless `status` ends a run. */
export function assertEnds(runId: string, status: RunStatus): asserts status is EndStatus {
  if (isEndStatus(status)) return;
  throw new CoxswainError('INTERNAL', `Run ${runId}: finishRun was given status ${status}, with which a run goes on.`);
}

/** RUN_CONFLICT: `runId` is taken by a run of another spec. */
export function runConflict(runId: string): CoxswainError {
  return new CoxswainError('RUN_CONFLICT', `Run ${runId} exists with another spec. Choose another id.`);
}

/** RUN_NOT_FOUND for `runId`. */
export function runNotFound(runId: string): CoxswainError {
  return new CoxswainError('RUN_NOT_FOUND', `No run has the id ${runId}.`);
}
