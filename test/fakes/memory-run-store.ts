import type { RunSpec } from '../../src/contracts/run-spec.ts';
import type { RunQuery, RunRecord, RunStore, StoredStep } from '../../src/contracts/stores.ts';
import { plannedSteps } from '../../src/domain/planned-steps.ts';
import { pageLimit, pageSizes } from '../../src/store/page-limit.ts';
import {
  assertEnds,
  assertGoesOn,
  closeSteps,
  isEndStatus,
  runConflict,
  runNotFound,
  statusesThatRefuse,
} from '../../src/store/run-rules.ts';

/** Runs in memory, with the semantics of the real store. */
export class MemoryRunStore implements RunStore {
  private readonly runs = new Map<string, RunRecord>();

  async createRun({ runId, spec, specSha256, at }: Parameters<RunStore['createRun']>[0]): Promise<void> {
    const present = this.runs.get(runId);
    if (present !== undefined && present.specSha256 !== specSha256) throw runConflict(runId);
    if (present !== undefined) return;
    this.keep({ ...blankRun(runId, at), pipeline: spec.name, spec, specSha256, steps: pendingSteps(spec) });
  }

  async getRun(runId: string): Promise<RunRecord | null> {
    return structuredClone(this.runs.get(runId) ?? null);
  }

  async listRuns(query: RunQuery): Promise<readonly RunRecord[]> {
    const limit = pageLimit(query.limit, pageSizes.runs);
    const before = query.before === undefined ? null : this.existing(query.before);
    const chosen = [...this.runs.values()]
      .filter((run) => query.status === undefined || run.status === query.status)
      .filter((run) => query.pipeline === undefined || run.pipeline === query.pipeline)
      .filter((run) => before === null || newestFirst(before, run) < 0)
      .sort(newestFirst);
    return structuredClone(chosen.slice(0, limit));
  }

  async recordStep(runId: string, update: Parameters<RunStore['recordStep']>[1]): Promise<void> {
    assertGoesOn(runId, update.status);
    const run = this.existing(runId);
    const step = run.steps.find(({ name }) => name === update.step);
    if (run.finishedAt !== null || step === undefined) return;
    if (statusesThatRefuse(update.stepStatus).includes(step.status)) return;
    const next: StoredStep = {
      name: update.step,
      status: update.stepStatus,
      summary: update.summary,
      startedAt: step.startedAt ?? (update.stepStatus === 'pending' ? null : update.at),
      finishedAt: step.finishedAt ?? (isEndStatus(update.stepStatus) ? update.at : null),
    };
    this.keep({ ...withStep(run, next), status: update.status, step: update.step, updatedAt: update.at });
  }

  async finishRun(runId: string, end: Parameters<RunStore['finishRun']>[1]): Promise<void> {
    assertEnds(runId, end.status);
    const run = this.runs.get(runId) ?? blankRun(runId, end.at);
    if (run.finishedAt !== null) return;
    const { status, step, failure, report, at } = end;
    const steps = closeSteps(run.steps, { status, step, at });
    this.keep({ ...run, steps, status, step, failure, report, updatedAt: at, finishedAt: at });
  }

  async recordTracking(runId: string, tracking: Parameters<RunStore['recordTracking']>[1]): Promise<void> {
    const run = this.runs.get(runId);
    if (run?.report) this.keep({ ...run, report: { ...run.report, tracking } });
  }

  private existing(runId: string): RunRecord {
    const run = this.runs.get(runId);
    if (run === undefined) throw runNotFound(runId);
    return run;
  }

  private keep(run: RunRecord): void {
    this.runs.set(run.runId, structuredClone(run));
  }
}

function pendingSteps(spec: RunSpec | null): StoredStep[] {
  return plannedSteps(spec).map((name) => ({
    name,
    status: 'pending',
    summary: '',
    startedAt: null,
    finishedAt: null,
  }));
}

function blankRun(runId: string, at: Date): RunRecord {
  return {
    runId,
    pipeline: '',
    spec: null,
    specSha256: '',
    status: 'running',
    step: 'validate',
    steps: pendingSteps(null),
    createdAt: at,
    updatedAt: at,
    finishedAt: null,
    failure: null,
    report: null,
  };
}

function withStep(run: RunRecord, step: StoredStep): RunRecord {
  return { ...run, steps: run.steps.map((other) => (other.name === step.name ? step : other)) };
}

function newestFirst(a: RunRecord, b: RunRecord): number {
  return b.createdAt.getTime() - a.createdAt.getTime() || (a.runId < b.runId ? 1 : a.runId > b.runId ? -1 : 0);
}
