import type { ClusterSource } from '../contracts/run-spec.ts';
import type { BinRange } from '../contracts/stores.ts';

/** When a cluster is recorded, and in which pieces. */
export interface RecordingPlan {
  /** Seconds since 1970; a multiple of `binSeconds`. */
  readonly startSeconds: number;
  readonly binSeconds: number;
  readonly bins: number;
  /** One after the other, all bins. */
  readonly chunks: readonly BinRange[];
}

/** A kill loses at most so much, but for long recordings, so that what was stored fits a heartbeat. */
const chunkSeconds = 300;
const maxChunks = 100;

/**
 * The plan of a recording: the same for every attempt, since it depends on the moment that the first one was scheduled at.
 * The first bin begins at that moment or after it, less `startMinutesAgo`.
 */
export function planRecording(
  { minutes, startMinutesAgo }: Pick<ClusterSource, 'minutes' | 'startMinutesAgo'>,
  binSeconds: number,
  scheduledAtMs: number,
): RecordingPlan {
  const bins = Math.floor((minutes * 60) / binSeconds);
  const size = Math.max(Math.ceil(chunkSeconds / binSeconds), Math.ceil(bins / maxChunks));
  return {
    startSeconds: Math.ceil((scheduledAtMs / 1000 - startMinutesAgo * 60) / binSeconds) * binSeconds,
    binSeconds,
    bins,
    chunks: Array.from({ length: Math.ceil(bins / size) }, (_, chunk) => ({
      from: chunk * size,
      to: Math.min(bins, (chunk + 1) * size),
    })),
  };
}

/** When a bin begins, seconds since 1970; `bin` may be the one after the last. */
export function startOf(bin: number, { startSeconds, binSeconds }: RecordingPlan): number {
  return startSeconds + bin * binSeconds;
}
