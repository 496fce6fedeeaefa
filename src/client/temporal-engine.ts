import type { WorkflowStartOptions } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import proto from '@temporalio/proto';
import { pauseSignal, progressQuery, resumeSignal } from '../contracts/messages.ts';
import { memoKeys, workflowTypes } from '../contracts/pipeline.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import type { RunEngine, RunStart } from './run-engine.ts';
import type { TemporalCalls } from './temporal-calls.ts';
import { isAnswerMissing, toTemporalError } from './temporal-errors.ts';

const enums = proto.temporal.api.enums.v1;

/** {@link RunEngine} on a Temporal server. */
export function createTemporalEngine(calls: TemporalCalls): RunEngine {
  const { client, namespace, queryTimeoutMs, call, onWorkflow, describe, readInput, endReason, close } = calls;
  return {
    start: (run) =>
      call(async () => {
        try {
          await client.workflow.start(workflowTypes.pipeline, startOptions(run));
          return 'started';
        } catch (error) {
          if (error instanceof WorkflowExecutionAlreadyStartedError) return 'exists';
          throw error;
        }
      }),
    describe,
    readInput,
    endReason,
    queryProgress: async (runId) => {
      const handle = client.workflow.getHandle(runId);
      const deadline = Date.now() + queryTimeoutMs;
      try {
        return await client.connection.withDeadline(deadline, () => handle.query(progressQuery));
      } catch (error) {
        if (isAnswerMissing(error)) return null;
        throw toTemporalError(error);
      }
    },
    signal: (runId, signal) =>
      onWorkflow(runId, false, async (handle) => {
        await handle.signal(signal === 'pause' ? pauseSignal : resumeSignal);
        return true;
      }),
    cancel: (runId) =>
      onWorkflow(runId, false, async (handle) => {
        await handle.cancel();
        return true;
      }),
    listOpen: (limit) =>
      call(async () => {
        const query = `WorkflowType = '${workflowTypes.pipeline}' AND ExecutionStatus = 'Running'`;
        const ids: string[] = [];
        for await (const { workflowId } of client.workflow.list({ query, pageSize: limit })) {
          if (ids.push(workflowId) >= limit) break;
        }
        return ids;
      }),
    hasWorker: async () => {
      const response = await call(() =>
        client.workflowService.describeTaskQueue({
          namespace,
          taskQueue: { name: taskQueues.orchestration },
          taskQueueType: enums.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        }),
      );
      return (response.pollers ?? []).length > 0;
    },
    async ping() {
      await call(() => client.workflowService.describeNamespace({ namespace }));
    },
    close,
  };
}

function startOptions({ runId, spec, specSha256 }: RunStart) {
  return {
    workflowId: runId,
    taskQueue: taskQueues.orchestration,
    args: [spec],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    memo: { [memoKeys.specSha256]: specSha256 },
    typedSearchAttributes: [
      { key: searchAttributes.kind, value: 'pipeline' },
      { key: searchAttributes.model, value: spec.register.model },
      { key: searchAttributes.environment, value: spec.environment.name },
      ...(spec.gitSha === null ? [] : [{ key: searchAttributes.gitSha, value: spec.gitSha }]),
    ],
    staticSummary: `Run of ${spec.name}: train ${spec.register.model} on ${spec.environment.name}`,
  } satisfies WorkflowStartOptions;
}
