import {
  Client,
  Connection,
  WorkflowNotFoundError,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import type {
  ConnectionOptions,
  WorkflowExecutionDescription,
  WorkflowHandle,
  WorkflowStartOptions,
} from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { pauseSignal, progressQuery, resumeSignal } from '../contracts/messages.ts';
import { memoKeys, workflowTypes } from '../contracts/pipeline.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import type { RunEngine, RunStart, WorkflowState, WorkflowStatus } from './run-engine.ts';
import { isAnswerMissing, isNotFound, toTemporalError } from './temporal-errors.ts';

/** Where the Temporal server is, as its own client takes it. */
export interface TemporalSettings {
  readonly connection: ConnectionOptions;
  /** Default `default`. */
  readonly namespace?: string;
}

/** Limits of {@link createTemporalEngine}. */
export interface TemporalEngineOptions {
  /** How long a call may take before it is TEMPORAL_UNAVAILABLE. Default 10 000. */
  readonly callTimeoutMs?: number;
  /** How long a worker may take to answer a query. Default 5 000. */
  readonly queryTimeoutMs?: number;
}

const enums = proto.temporal.api.enums.v1;

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** {@link RunEngine} on a Temporal server. A client that is passed in stays its owner's: `close` leaves it open. */
export function createTemporalEngine(from: Client | TemporalSettings, options: TemporalEngineOptions = {}): RunEngine {
  const { callTimeoutMs = 10_000, queryTimeoutMs = 5_000 } = options;
  const { client, close } = openClient(from);
  const { namespace } = client.options;

  /** Bounds the call in time and translates what it throws. */
  async function call<T>(work: () => Promise<T>, timeoutMs = callTimeoutMs): Promise<T> {
    try {
      return await client.connection.withDeadline(Date.now() + timeoutMs, work);
    } catch (error) {
      throw toTemporalError(error);
    }
  }

  /** Like `call`, with `missing` in place of "no such workflow" and "already closed". */
  async function onWorkflow<T, M>(
    runId: string,
    missing: M,
    work: (handle: WorkflowHandle) => Promise<T>,
  ): Promise<T | M> {
    const handle = client.workflow.getHandle(runId);
    return call(async () => {
      try {
        return await work(handle);
      } catch (error) {
        if (error instanceof WorkflowNotFoundError || isNotFound(error)) return missing;
        throw error;
      }
    });
  }

  async function readEvent(runId: string, which: 'first' | 'last'): Promise<HistoryEvent | null> {
    const filters = enums.HistoryEventFilterType;
    const event = await onWorkflow(runId, null, async () => {
      const response = await client.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId: runId },
        maximumPageSize: 1,
        historyEventFilterType:
          which === 'first'
            ? filters.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT
            : filters.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
      });
      return response.history?.events?.[0];
    });
    return event ?? null;
  }

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
    describe: (runId) => onWorkflow(runId, null, async (handle) => stateOf(await handle.describe())),
    async readInput(runId) {
      const event = await readEvent(runId, 'first');
      const payload = event?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
      return payload ? decode(client, payload) : null;
    },
    async endReason(runId) {
      const event = await readEvent(runId, 'last');
      return event === null ? null : reasonOf(event);
    },
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

/**
 * A server that comes back is found again within two seconds; by default gRPC doubles its pauses up to two minutes. Few
 * retries, so that a server that is not there is told within seconds and not at the deadline.
 */
const reconnecting = { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 2000 };

function openClient(from: Client | TemporalSettings): { client: Client; close: () => Promise<void> } {
  if (from instanceof Client) return { client: from, close: async () => undefined };
  const connection = Connection.lazy({
    interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: 4 }))],
    ...from.connection,
    channelArgs: { ...reconnecting, ...from.connection.channelArgs },
  });
  const client = new Client({ connection, namespace: from.namespace });
  return { client, close: () => connection.close() };
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

const statusNames: Partial<Record<WorkflowExecutionDescription['status']['name'], WorkflowStatus>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
};

function stateOf(description: WorkflowExecutionDescription): WorkflowState {
  const specSha256 = description.memo?.[memoKeys.specSha256];
  return {
    type: description.type,
    status: statusNames[description.status.name] ?? 'running',
    specSha256: typeof specSha256 === 'string' ? specSha256 : null,
    startedAt: description.startTime,
    closedAt: description.closeTime ?? null,
  };
}

async function decode(client: Client, payload: Payload): Promise<unknown> {
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  let payloads = [payload];
  // Codecs are decoded in the reverse order of their encoding.
  for (const codec of payloadCodecs) payloads = await codec.decode(payloads);
  return payloadConverter.fromPayload(payloads[0]);
}

function reasonOf(event: HistoryEvent): string | null {
  const terminated = event.workflowExecutionTerminatedEventAttributes;
  if (terminated) return terminated.reason || null;
  let failure = event.workflowExecutionFailedEventAttributes?.failure;
  while (failure?.cause) failure = failure.cause;
  return failure?.message || null;
}
