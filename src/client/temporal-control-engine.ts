import { WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import type { WorkflowHandle, WorkflowStartOptions } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ControlStatus } from '../contracts/control.ts';
import { CoxswainError } from '../contracts/errors.ts';
import {
  controlStatusQuery,
  fallBackUpdate,
  pauseControlUpdate,
  resumeControlUpdate,
  setControlModeUpdate,
  stopControlUpdate,
} from '../contracts/messages.ts';
import { controlWorkflowId, deploymentOf, memoKeys, workflowTypes } from '../contracts/pipeline.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import type { ControlChange, ControlEngine, ControlStart } from './control-engine.ts';
import type { TemporalCalls } from './temporal-calls.ts';
import { isAnswerMissing, toTemporalError } from './temporal-errors.ts';

/** {@link ControlEngine} on a Temporal server. */
export function createTemporalControlEngine(calls: TemporalCalls): ControlEngine {
  const { client, queryTimeoutMs, call, onWorkflow } = calls;
  return {
    start: (start) =>
      call(async () => {
        try {
          await client.workflow.start(workflowTypes.control, startOptions(start));
          return 'started';
        } catch (error) {
          if (error instanceof WorkflowExecutionAlreadyStartedError) return 'exists';
          throw error;
        }
      }),
    describe: (deployment) => calls.describe(controlWorkflowId(deployment)),
    readInput: (deployment) => calls.readInput(controlWorkflowId(deployment)),
    endReason: (deployment) => calls.endReason(controlWorkflowId(deployment)),
    async queryStatus(deployment) {
      const handle = client.workflow.getHandle(controlWorkflowId(deployment));
      try {
        return await client.connection.withDeadline(Date.now() + queryTimeoutMs, () =>
          handle.query(controlStatusQuery),
        );
      } catch (error) {
        if (isAnswerMissing(error)) return null;
        throw toTemporalError(error);
      }
    },
    update: (deployment, change) =>
      onWorkflow(controlWorkflowId(deployment), null, async (handle) => {
        try {
          return await sendUpdate(handle, change);
        } catch (error) {
          throw updateError(deployment, error);
        }
      }),
    listOpen: (limit) =>
      call(async () => {
        const query = `WorkflowType = '${workflowTypes.control}' AND ExecutionStatus = 'Running'`;
        const names: string[] = [];
        for await (const { workflowId } of client.workflow.list({ query, pageSize: limit })) {
          if (names.push(deploymentOf(workflowId)) >= limit) break;
        }
        return names;
      }),
  };
}

/** A name is free again when its loop is over; while one runs, a second start is refused. */
function startOptions({ spec, specSha256 }: ControlStart) {
  const { name, model, target } = spec;
  return {
    workflowId: controlWorkflowId(name),
    taskQueue: taskQueues.orchestration,
    args: [{ spec }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    memo: { [memoKeys.specSha256]: specSha256 },
    typedSearchAttributes: [
      { key: searchAttributes.kind, value: 'control' },
      { key: searchAttributes.model, value: model.name },
    ],
    staticSummary: `Deployment ${name}: ${model.name} steers ${target.namespace}`,
  } satisfies WorkflowStartOptions;
}

function sendUpdate(handle: WorkflowHandle, change: ControlChange): Promise<ControlStatus> {
  switch (change.kind) {
    case 'pause':
      return handle.executeUpdate(pauseControlUpdate);
    case 'resume':
      return handle.executeUpdate(resumeControlUpdate);
    case 'stop':
      return handle.executeUpdate(stopControlUpdate);
    case 'mode':
      return handle.executeUpdate(setControlModeUpdate, { args: [change.mode] });
    case 'fallback':
      return handle.executeUpdate(fallBackUpdate, { args: [change.reason] });
  }
}

function updateError(deployment: string, error: unknown): unknown {
  if (error instanceof WorkflowUpdateFailedError) {
    const reason = error.cause?.message ?? error.message;
    return new CoxswainError('DEPLOYMENT_NOT_RUNNING', `Deployment ${deployment} refuses: ${reason}`, { cause: error });
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    const message = `No worker took the change of deployment ${deployment} in time. Check that the orchestrator runs; the change may still happen when it is back.`;
    return new CoxswainError('TEMPORAL_UNAVAILABLE', message, { cause: error });
  }
  return error;
}
