import { once } from 'node:events';
import type { Request, Response } from 'express';
import type { CoxswainClient } from '../client/coxswain-client.ts';
import type { MetricCursor, RunEvent } from '../client/run-watch.ts';
import { cursorOf, endEventId, eventIdOf } from './event-cursor.ts';
import type { Log } from './json-log.ts';
import { toCoxswainError } from '../contracts/errors.ts';
import { progressOfRun } from '../client/run.ts';
import { requestIdOf } from './problem.ts';
import { detailView, pointView } from './views.ts';

/** One request for the events of a run. */
export interface StreamRequest {
  readonly runId: string;
  readonly withMetrics: boolean;
  readonly request: Request;
  readonly response: Response;
}

/** The open streams of server-sent events. */
export interface EventStreams {
  /** Serves one until the run ends, the reader leaves or the server closes. */
  serve(stream: StreamRequest): Promise<void>;
  /** Ends all streams and refuses none: readers come back with the id of their last event. */
  close(): void;
}

export interface EventStreamOptions {
  readonly client: CoxswainClient;
  readonly log: Log;
  readonly heartbeatMs: number;
  /** Time between two looks at the run. Default 1000. */
  readonly intervalMs?: number;
  /** Called with the number of open streams. */
  readonly onCount: (open: number) => void;
}

/** How long a browser waits before it comes back. */
const retryMs = 2_000;

/** {@link EventStreams} over the client's watching. */
export function createEventStreams(options: EventStreamOptions): EventStreams {
  const open = new Set<AbortController>();
  let closed = false;

  async function stream(request: StreamRequest, cursor: MetricCursor, stop: AbortController): Promise<void> {
    const { client, heartbeatMs, intervalMs = 1000 } = options;
    const { runId, withMetrics, response } = request;
    const metrics = withMetrics && { ...cursor };
    const events = client.watch(runId, { signal: stop.signal, intervalMs, metrics });
    // The first look may throw: that is still an ordinary answer with a status.
    let next = await events.next();
    openStream(response);
    const heartbeat = setInterval(() => response.writableNeedDrain || response.write(': still here\n\n'), heartbeatMs);
    let position = cursor;
    try {
      for (; !next.done; next = await events.next()) {
        if (next.value.type === 'metrics') position = next.value.cursor;
        await send(response, messageOf(next.value, position), stop.signal);
      }
    } catch (error) {
      // The status is sent: tell the reader in the stream's own terms, the details are for the log.
      const { code, message } = toCoxswainError(error);
      options.log('warn', message, { requestId: requestIdOf(response), code, runId });
      response.write(
        frame('notice', eventIdOf(position), { message: `The stream broke off (${code}). Come back later.` }),
      );
    } finally {
      clearInterval(heartbeat);
      response.end();
    }
  }

  return {
    async serve(request) {
      const lastId = request.request.get('Last-Event-ID');
      if (lastId === endEventId) {
        await options.client.getRun(request.runId);
        request.response.status(204).end();
        return;
      }
      const stop = new AbortController();
      const leave = (): void => stop.abort();
      request.response.once('close', leave);
      open.add(stop);
      options.onCount(open.size);
      if (closed) leave();
      try {
        await stream(request, lastId === undefined ? {} : cursorOf(lastId), stop);
      } finally {
        open.delete(stop);
        options.onCount(open.size);
      }
    },
    close() {
      closed = true;
      for (const stop of open) stop.abort();
    },
  };
}

function openStream(response: Response): void {
  response.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform',
    // Proxies that buffer would hold events back.
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  response.write(`retry: ${retryMs}\n\n`);
}

function messageOf(event: RunEvent, position: MetricCursor): string {
  switch (event.type) {
    case 'progress':
      return frame('progress', eventIdOf(position), event.progress);
    case 'metrics':
      return frame('metrics', eventIdOf(position), { points: event.points.map(pointView) });
    case 'notice':
      return frame('notice', eventIdOf(position), { message: event.message });
    case 'end':
      return frame('end', endEventId, detailView(event.run, progressOfRun(event.run)));
  }
}

function frame(name: string, id: string, data: unknown): string {
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Waits for a reader that is slower than the run, so that nothing piles up here. */
async function send(response: Response, message: string, signal: AbortSignal): Promise<void> {
  if (response.write(message) || signal.aborted) return;
  await once(response, 'drain', { signal }).catch(() => undefined);
}
