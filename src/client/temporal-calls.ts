import {
  Client,
  Connection,
  WorkflowNotFoundError,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import type { ConnectionOptions, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { memoKeys } from '../contracts/pipeline.ts';
import type { WorkflowState, WorkflowStatus } from './run-engine.ts';
import { isNotFound, toTemporalError } from './temporal-errors.ts';

/** Where the Temporal server is, as its own client takes it. */
export interface TemporalSettings {
  readonly connection: ConnectionOptions;
  /** Default `default`. */
  readonly namespace?: string;
}

/** Limits of {@link createTemporalCalls}. */
export interface TemporalLimits {
  /** How long a call may take before it is TEMPORAL_UNAVAILABLE. Default 10 000. */
  readonly callTimeoutMs?: number;
  /** How long a worker may take to answer a query. Default 5 000. */
  readonly queryTimeoutMs?: number;
}

/** Calls to a Temporal server that end within bounded time and throw errors of the error table. */
export interface TemporalCalls {
  readonly client: Client;
  readonly namespace: string;
  readonly queryTimeoutMs: number;
  /** Bounds the call in time and translates what it throws. */
  call<T>(work: () => Promise<T>, timeoutMs?: number): Promise<T>;
  /** Like `call`, with `missing` in place of "no such workflow" and "already closed". */
  onWorkflow<T, M>(workflowId: string, missing: M, work: (handle: WorkflowHandle) => Promise<T>): Promise<T | M>;
  /** Null when there is no workflow of this id. */
  describe(workflowId: string): Promise<WorkflowState | null>;
  /** The argument that the workflow was started with, decoded; null when there is no such workflow. */
  readInput(workflowId: string): Promise<unknown>;
  /** A sentence of Temporal about the end of a closed workflow; null when it has none. */
  endReason(workflowId: string): Promise<string | null>;
  close(): Promise<void>;
}

const enums = proto.temporal.api.enums.v1;

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** {@link TemporalCalls} to a server. A client that is passed in stays its owner's: `close` leaves it open. */
export function createTemporalCalls(from: Client | TemporalSettings, limits: TemporalLimits = {}): TemporalCalls {
  const { callTimeoutMs = 10_000, queryTimeoutMs = 5_000 } = limits;
  const { client, close } = openClient(from);
  const { namespace } = client.options;

  async function call<T>(work: () => Promise<T>, timeoutMs = callTimeoutMs): Promise<T> {
    try {
      return await client.connection.withDeadline(Date.now() + timeoutMs, work);
    } catch (error) {
      throw toTemporalError(error);
    }
  }

  async function onWorkflow<T, M>(
    workflowId: string,
    missing: M,
    work: (handle: WorkflowHandle) => Promise<T>,
  ): Promise<T | M> {
    const handle = client.workflow.getHandle(workflowId);
    return call(async () => {
      try {
        return await work(handle);
      } catch (error) {
        if (error instanceof WorkflowNotFoundError || isNotFound(error)) return missing;
        throw error;
      }
    });
  }

  async function readEvent(workflowId: string, which: 'first' | 'last'): Promise<HistoryEvent | null> {
    const filters = enums.HistoryEventFilterType;
    const event = await onWorkflow(workflowId, null, async () => {
      const response = await client.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId },
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
    client,
    namespace,
    queryTimeoutMs,
    call,
    onWorkflow,
    describe: (workflowId) => onWorkflow(workflowId, null, async (handle) => stateOf(await handle.describe())),
    async readInput(workflowId) {
      const event = await readEvent(workflowId, 'first');
      const payload = event?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
      return payload ? decode(client, payload) : null;
    },
    async endReason(workflowId) {
      const event = await readEvent(workflowId, 'last');
      return event === null ? null : reasonOf(event);
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
