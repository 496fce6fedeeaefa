import { CoxswainError } from '../../../src/contracts/errors.ts';
import type { RunProgress } from '../../../src/contracts/runs.ts';
import type { RunEngine, RunStart, WorkflowState, WorkflowStatus } from '../../../src/client/run-engine.ts';

/** A workflow of {@link FakeRunEngine}. */
interface FakeWorkflow {
  state: WorkflowState;
  readonly input: unknown;
  progress: RunProgress | null;
  reason: string | null;
  readonly received: string[];
}

/** Temporal in memory, as far as the client sees it; the test plays the workflow. */
export class FakeRunEngine implements RunEngine {
  readonly workflows = new Map<string, FakeWorkflow>();
  /** When set, every call throws TEMPORAL_UNAVAILABLE. */
  down = false;
  worker = true;
  closed = false;

  /** A run as `temporal workflow start` makes it. */
  startBare(runId: string, input: unknown, type = 'pipelineWorkflow'): void {
    this.add(runId, input, null, type);
  }

  /** Ends a workflow. */
  end(runId: string, status: WorkflowStatus, reason: string | null = null): void {
    const workflow = this.workflows.get(runId)!;
    workflow.state = { ...workflow.state, status, closedAt: new Date() };
    workflow.reason = reason;
  }

  /** Sets the answer to the progress query; null = no worker answers. */
  answer(runId: string, progress: RunProgress | null): void {
    this.workflows.get(runId)!.progress = progress;
  }

  async start({ runId, spec, specSha256 }: RunStart): Promise<'started' | 'exists'> {
    this.check();
    if (this.workflows.has(runId)) return 'exists';
    this.add(runId, spec, specSha256);
    return 'started';
  }

  async describe(runId: string): Promise<WorkflowState | null> {
    this.check();
    return this.workflows.get(runId)?.state ?? null;
  }

  async readInput(runId: string): Promise<unknown> {
    this.check();
    return this.workflows.get(runId)?.input ?? null;
  }

  async endReason(runId: string): Promise<string | null> {
    this.check();
    return this.workflows.get(runId)?.reason ?? null;
  }

  async queryProgress(runId: string): Promise<RunProgress | null> {
    this.check();
    return this.workflows.get(runId)?.progress ?? null;
  }

  async signal(runId: string, signal: 'pause' | 'resume'): Promise<boolean> {
    return this.receive(runId, signal);
  }

  async cancel(runId: string): Promise<boolean> {
    return this.receive(runId, 'cancel');
  }

  async listOpen(): Promise<readonly string[]> {
    this.check();
    return [...this.workflows].filter(([, { state }]) => state.status === 'running').map(([runId]) => runId);
  }

  async hasWorker(): Promise<boolean> {
    this.check();
    return this.worker;
  }

  async ping(): Promise<void> {
    this.check();
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  private add(runId: string, input: unknown, specSha256: string | null, type = 'pipelineWorkflow'): void {
    const state: WorkflowState = { type, status: 'running', specSha256, startedAt: new Date(), closedAt: null };
    this.workflows.set(runId, { state, input, progress: null, reason: null, received: [] });
  }

  private receive(runId: string, message: string): boolean {
    this.check();
    const workflow = this.workflows.get(runId);
    if (workflow?.state.status !== 'running') return false;
    workflow.received.push(message);
    return true;
  }

  private check(): void {
    if (this.down) throw new CoxswainError('TEMPORAL_UNAVAILABLE', 'The Temporal server does not answer.');
  }
}
