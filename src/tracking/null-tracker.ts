import { TrackerFailure } from './tracker.ts';
import type { Tracker } from './tracker.ts';

/** A tracker without an outside: it refuses everything, so that the mirror leaves it all in offline files. */
export function createNullTracker(reason: string): Tracker {
  const refuse = (): Promise<never> => Promise.reject(new TrackerFailure('unauthorized', reason));
  return {
    startRun: refuse,
    appendHistory: refuse,
    updateSummary: refuse,
    sendHeartbeat: refuse,
    uploadModel: refuse,
    finishRun: refuse,
  };
}
