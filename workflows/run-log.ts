import { CancellationScope, log, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type {
  RunFailure,
  RunProgress,
  RunReport,
  RunStatus,
  SeedProgress,
  StepName,
  StepStatus,
} from '../src/contracts/runs.ts';
import type { RunSpec } from '../src/contracts/run-spec.ts';
import { searchAttributes } from '../src/contracts/search-attributes.ts';
import { noReportParts } from '../src/domain/report-parts.ts';
import type { ReportParts } from '../src/domain/report-parts.ts';
import {
  initialProgress,
  mergeSeedProgress,
  withPlan,
  withStatus,
  withStep,
  withTraining,
} from '../src/domain/run-progress.ts';
import { orchestration } from './activity-stubs.ts';

/**
 * Where a run is: in memory for the progress query, in the store for everybody else, in the Temporal Web UI as details
 * and stage.
 *
 * Records go to the store one after the other beside the work, never in its way, and in a scope that a cancellation of
 * the run does not reach; {@link RunLog.recorded} waits for them. One that is refused for good is only logged: the end
 * of the run carries the truth.
 */
export interface RunLog {
  readonly progress: RunProgress;
  /** The spec, and so the steps, are known now. */
  plan(spec: RunSpec): void;
  startStep(step: StepName): void;
  endStep(step: StepName, status: StepStatus, summary: string): void;
  setStatus(status: RunStatus): void;
  /** How far the collect step is; without effect once it has ended. Not stored. */
  setCollectProgress(summary: string): void;
  setTraining(training: readonly SeedProgress[]): void;
  addSeedProgress(news: SeedProgress): void;
  add(parts: Partial<ReportParts>): void;
  report(status: RunStatus, failure: RunFailure | null): RunReport;
  recorded(): Promise<void>;
}

/** The log of the run that this workflow is. */
export function createRunLog(runId: string): RunLog {
  const startedMs = Date.now();
  let progress = initialProgress();
  let records: Promise<void> = Promise.resolve();
  let ended = false;
  let parts = noReportParts;

  const record = (): void => {
    const { status, step, steps } = progress;
    const { status: stepStatus, summary } = steps.find((entry) => entry.name === step)!;
    const write = (): Promise<void> => orchestration.recordStep({ runId, status, step, stepStatus, summary });
    const lost = (error: unknown): void => log.warn('A step could not be recorded', { step, error: String(error) });
    records = CancellationScope.nonCancellable(() => records.then(write)).catch(lost);
    setCurrentDetails(detailsOf(progress));
  };
  const setStep = (step: StepName, status: StepStatus, summary: string): void => {
    progress = withStep(progress, step, status, summary);
    record();
  };

  return {
    get progress() {
      return progress;
    },
    plan(spec) {
      progress = withPlan(progress, spec);
    },
    startStep(step) {
      upsertSearchAttributes([{ key: searchAttributes.stage, value: step }]);
      setStep(step, 'running', '');
    },
    endStep: setStep,
    setStatus(status) {
      if (ended) return;
      progress = withStatus(progress, status);
      record();
    },
    setCollectProgress(summary) {
      if (progress.steps.find(({ name }) => name === 'collect')?.status !== 'running') return;
      progress = withStep(progress, 'collect', 'running', summary);
      setCurrentDetails(detailsOf(progress));
    },
    setTraining(training) {
      progress = withTraining(progress, training);
    },
    addSeedProgress(news) {
      progress = withTraining(progress, mergeSeedProgress(progress.training, news));
    },
    add(more) {
      parts = { ...parts, ...more };
    },
    report(status, failure) {
      ended = true;
      progress = withStatus(progress, status);
      upsertSearchAttributes([{ key: searchAttributes.stage, value: status }]);
      return { runId, status, seconds: (Date.now() - startedMs) / 1000, ...parts, failure };
    },
    recorded: () => records,
  };
}

/** A Markdown list of the steps for the Temporal Web UI. */
function detailsOf(progress: RunProgress): string {
  const marks: Record<StepStatus, string> = { pending: '○', running: '▶', completed: '✓', failed: '✗', cancelled: '■' };
  const lines = progress.steps.map(({ name, status, summary }) =>
    `- ${marks[status]} **${name}** ${summary}`.trimEnd(),
  );
  return [`Run ${workflowInfo().workflowId}: ${progress.status}`, '', ...lines].join('\n');
}
