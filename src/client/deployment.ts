import type { ControlStatus, DeploymentRecord } from '../contracts/control.ts';
import type { WorkflowState } from './run-engine.ts';

/** A deployment as the client gives it: what the store has, put right where Temporal knows better. */
export interface Deployment {
  readonly name: string;
  /** `lost`: its loop was ended from outside, so nobody steers the workloads, but they are still claimed. */
  readonly status: ControlStatus['status'] | 'lost';
  /** Null until it has been opened for the first time. */
  readonly record: DeploymentRecord | null;
  /** The loop's own answer; null when it is over or no worker answers. */
  readonly loop: ControlStatus | null;
  readonly failure: string | null;
}

/** What is known of a deployment, from all sides; null when nothing is. */
export function deploymentFrom(
  name: string,
  known: {
    readonly record: DeploymentRecord | null;
    readonly state: WorkflowState | null;
    readonly loop: ControlStatus | null;
    readonly endReason: string | null;
  },
): Deployment | null {
  const { record, state, loop, endReason } = known;
  if (record === null && state === null) return null;
  if (state?.status === 'running') {
    const status = loop?.status ?? (record?.status === 'running' ? 'running' : 'opening');
    return { name, status, record, loop, failure: null };
  }
  if (record?.status === 'running') {
    const because = endReason === null ? '' : ` (${endReason})`;
    const failure = `The loop's workflow is ${state?.status ?? 'not there'}${because}, but it could not close the deployment. Stop the deployment, or open it again.`;
    return { name, status: 'lost', record, loop: null, failure };
  }
  // An attempt to open it that failed leaves no record, or that of before.
  if (state?.status === 'failed' && !isEndOf(record, state)) {
    return { name, status: 'failed', record, loop: null, failure: endReason ?? 'It could not be opened.' };
  }
  return { name, status: record?.status ?? 'stopped', record, loop: null, failure: record?.failure ?? null };
}

/** True when the record's end was written by this workflow, and not by one before. */
function isEndOf(record: DeploymentRecord | null, state: WorkflowState): boolean {
  return record?.closedAt != null && record.closedAt >= state.startedAt;
}
