import type { RunSpec } from '../contracts/run-spec.ts';
import type { RunProgress } from '../contracts/runs.ts';

/** How the workflow of a run stands in Temporal. */
export type WorkflowStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed-out';

/** What Temporal knows of a run. */
export interface WorkflowState {
  /** The workflow's type: an id may belong to something that is no run. */
  readonly type: string;
  readonly status: WorkflowStatus;
  /** From the memo; null when the run was started without one (`temporal workflow start`). */
  readonly specSha256: string | null;
  readonly startedAt: Date;
  readonly closedAt: Date | null;
}

/** What a run's start needs. */
export interface RunStart {
  readonly runId: string;
  /** Normalised. */
  readonly spec: RunSpec;
  readonly specSha256: string;
}

/**
 * What the client needs of Temporal. Port; adapter: {@link file://./temporal-engine.ts}.
 *
 * 1. Every method ends within a bounded time; TEMPORAL_UNAVAILABLE when the server does not answer by then.
 * 2. `start` is atomic: of several callers with one id exactly one gets `started`, also after the run's end.
 */
export interface RunEngine {
  /** SEARCH_ATTRIBUTES_MISSING when no worker has registered them yet. */
  start(run: RunStart): Promise<'started' | 'exists'>;
  /** Null when there is no workflow of this id. */
  describe(runId: string): Promise<WorkflowState | null>;
  /** The argument that the workflow was started with, decoded; null when there is no such workflow. */
  readInput(runId: string): Promise<unknown>;
  /** A sentence of Temporal about the end of a closed workflow; null when it has none. */
  endReason(runId: string): Promise<string | null>;
  /** The workflow's own answer; null when no worker answers in time or the workflow cannot. */
  queryProgress(runId: string): Promise<RunProgress | null>;
  /** False when the workflow is closed or not there. */
  signal(runId: string, signal: 'pause' | 'resume'): Promise<boolean>;
  /** Asks the workflow to cancel. False when it is closed or not there. */
  cancel(runId: string): Promise<boolean>;
  /** Ids of the runs whose workflows are open, newest first; may lag by a second. */
  listOpen(limit: number): Promise<readonly string[]>;
  /** True when a worker polled the orchestration queue within the last minutes. */
  hasWorker(): Promise<boolean>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
