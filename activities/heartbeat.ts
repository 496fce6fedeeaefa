import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';

/** Between two heartbeats. Temporal brings cancellations with the answers, so this bounds how long one takes. */
const intervalMs = 1_000;

/** Heartbeats every second until closed, with the newest details. */
export interface Heartbeat {
  /** Replaces the details and sends them. */
  set(details: unknown): void;
  close(): void;
}

/** Starts to heartbeat for the current activity. @param details what the last attempt left, so that it is not lost. */
export function startHeartbeat(details?: unknown): Heartbeat {
  const context = Context.current();
  let latest = details;
  const beat = (): void => context.heartbeat(latest);
  beat();
  const timer = setInterval(beat, intervalMs);
  return {
    set(next) {
      latest = next;
      beat();
    },
    close: () => clearInterval(timer),
  };
}

/** Runs `work` under a heartbeat. */
export async function whileHeartbeating<T>(work: () => Promise<T>): Promise<T> {
  const heartbeat = startHeartbeat(Context.current().info.heartbeatDetails);
  try {
    return await work();
  } finally {
    heartbeat.close();
  }
}

/**
 * What an activity throws when its signal was aborted: a cancellation when the workflow asked for it, a retryable failure
 * when only this worker shuts down and another shall go on.
 */
export function cancellationFailure(): Error {
  const details = Context.current().cancellationDetails;
  if (details?.workerShutdown)
    return ApplicationFailure.retryable('The worker shuts down; another goes on.', 'WORKER_SHUTDOWN');
  return new CancelledFailure('The activity was cancelled.');
}
