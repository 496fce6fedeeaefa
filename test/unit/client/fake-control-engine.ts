import type { ControlChange, ControlEngine, ControlStart } from '../../../src/client/control-engine.ts';
import type { WorkflowState, WorkflowStatus } from '../../../src/client/run-engine.ts';
import type { ControlStatus } from '../../../src/contracts/control.ts';
import { CoxswainError } from '../../../src/contracts/errors.ts';
import { someState } from '../../contracts/control-fixtures.ts';

/** A loop of {@link FakeControlEngine}. */
interface FakeLoop {
  state: WorkflowState;
  readonly input: unknown;
  status: ControlStatus;
  reason: string | null;
}

/** Temporal in memory, as far as the client's deployments see it; the test plays the loop. */
export class FakeControlEngine implements ControlEngine {
  readonly loops = new Map<string, FakeLoop>();
  readonly changes: { readonly deployment: string; readonly change: ControlChange }[] = [];
  /** When set, every call throws TEMPORAL_UNAVAILABLE. */
  down = false;
  /** When false, nobody answers queries. */
  worker = true;

  /** A loop as `temporal workflow start` makes it. */
  startBare(deployment: string, input: unknown, type = 'controlWorkflow'): void {
    this.add(deployment, input, null, type);
  }

  /** Ends a loop in Temporal; the test says what the store knows of it. */
  end(deployment: string, status: WorkflowStatus, reason: string | null = null): void {
    const loop = this.loops.get(deployment)!;
    loop.state = { ...loop.state, status, closedAt: new Date() };
    loop.reason = reason;
  }

  async start({ spec, specSha256 }: ControlStart): Promise<'started' | 'exists'> {
    this.check();
    if (this.loops.get(spec.name)?.state.status === 'running') return 'exists';
    this.add(spec.name, { spec }, specSha256);
    const loop = this.loops.get(spec.name)!;
    loop.status = { ...loop.status, mode: spec.mode };
    return 'started';
  }

  async describe(deployment: string): Promise<WorkflowState | null> {
    this.check();
    return this.loops.get(deployment)?.state ?? null;
  }

  async readInput(deployment: string): Promise<unknown> {
    this.check();
    return this.loops.get(deployment)?.input ?? null;
  }

  async endReason(deployment: string): Promise<string | null> {
    this.check();
    return this.loops.get(deployment)?.reason ?? null;
  }

  async queryStatus(deployment: string): Promise<ControlStatus | null> {
    this.check();
    return this.worker ? structuredClone(this.loops.get(deployment)?.status ?? null) : null;
  }

  async update(deployment: string, change: ControlChange): Promise<ControlStatus | null> {
    this.check();
    const loop = this.loops.get(deployment);
    if (loop?.state.status !== 'running') return null;
    this.changes.push({ deployment, change });
    if (loop.status.status === 'opening' && change.kind !== 'stop') {
      throw new CoxswainError('DEPLOYMENT_NOT_RUNNING', `Deployment ${deployment} refuses: it is being opened.`);
    }
    loop.status = { ...loop.status, ...effectOf(change) };
    return structuredClone(loop.status);
  }

  async listOpen(): Promise<readonly string[]> {
    this.check();
    return [...this.loops].filter(([, { state }]) => state.status === 'running').map(([name]) => name);
  }

  private add(deployment: string, input: unknown, specSha256: string | null, type = 'controlWorkflow'): void {
    const state: WorkflowState = { type, status: 'running', specSha256, startedAt: new Date(), closedAt: null };
    const status: ControlStatus = { ...someState(deployment, 0), status: 'opening', last: null, failedSteps: 0 };
    this.loops.set(deployment, { state, input, status, reason: null });
  }

  private check(): void {
    if (this.down) throw new CoxswainError('TEMPORAL_UNAVAILABLE', 'The Temporal server does not answer.');
  }
}

function effectOf(change: ControlChange): Partial<ControlStatus> {
  switch (change.kind) {
    case 'mode':
      return { mode: change.mode };
    case 'pause':
      return { paused: true, status: 'paused' };
    case 'resume':
      return { paused: false, status: 'running', fallback: null };
    case 'stop':
      return { status: 'stopping' };
    case 'fallback':
      return { fallback: { reason: 'requested', detail: change.reason, sinceStep: 0, at: '2026-01-05T12:00:00.000Z' } };
  }
}
