import type { ControlMode, ControlStatus, DeploymentSpec } from '../contracts/control.ts';
import type { WorkflowState } from './run-engine.ts';

/** What the start of a control loop needs. */
export interface ControlStart {
  /** Normalised. */
  readonly spec: DeploymentSpec;
  readonly specSha256: string;
}

/** What somebody changes of a control loop. */
export type ControlChange =
  | { readonly kind: 'pause' | 'resume' | 'stop' }
  | { readonly kind: 'mode'; readonly mode: ControlMode }
  | { readonly kind: 'fallback'; readonly reason: string };

/**
 * What the client needs of Temporal for deployments. Port; adapter: {@link file://./temporal-control-engine.ts}.
 *
 * 1. Every method ends within a bounded time; TEMPORAL_UNAVAILABLE when the server does not answer by then.
 * 2. `start` is atomic: while a loop of this name runs, exactly one of several callers got `started`.
 */
export interface ControlEngine {
  /** SEARCH_ATTRIBUTES_MISSING when no worker has registered them yet. */
  start(start: ControlStart): Promise<'started' | 'exists'>;
  /** The last loop of this name; null when there is none. */
  describe(deployment: string): Promise<WorkflowState | null>;
  /** What the loop was started with; null when there is no such loop. */
  readInput(deployment: string): Promise<unknown>;
  /** A sentence of Temporal about the end of a loop; null when it has none. */
  endReason(deployment: string): Promise<string | null>;
  /** The loop's own answer; null when no worker answers in time or there is no loop. */
  queryStatus(deployment: string): Promise<ControlStatus | null>;
  /**
   * Changes a loop, and gives its status after the change; null when it is closed or not there. DEPLOYMENT_NOT_RUNNING
   * when it refuses; TEMPORAL_UNAVAILABLE when no worker takes the change in time, which may then still happen.
   */
  update(deployment: string, change: ControlChange): Promise<ControlStatus | null>;
  /** Names of the deployments whose loops are open; may lag by a second. */
  listOpen(limit: number): Promise<readonly string[]>;
}
