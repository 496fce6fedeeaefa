import type { MetricPoint, MetricStore } from '../src/contracts/stores.ts';
import { untilStored } from './until-stored.ts';

/** Points are written this long after they came, so that curves are live. */
const delayMs = 1_000;

/**
 * Writes metric points behind the training's back, in order and in batches.
 *
 * What is pending is bounded by the checkpoints: the training waits at each one until {@link PointWriter.flush} is done.
 */
export interface PointWriter {
  add(point: MetricPoint): void;
  /** Resolves when every point added so far is stored. */
  flush(): Promise<void>;
}

/** A writer into `metrics`; it waits out a store that is away, until `signal`. */
export function createPointWriter(metrics: MetricStore, signal: AbortSignal): PointWriter {
  let pending: MetricPoint[] = [];
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | null = null;

  const writePending = async (): Promise<void> => {
    const batch = pending;
    pending = [];
    if (batch.length > 0) await untilStored(() => metrics.appendPoints(batch), signal);
  };
  const flush = (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    writing = writing.then(writePending);
    return writing;
  };

  return {
    add(point) {
      pending.push(point);
      // A failure stays in `writing` and is thrown by the next flush, which every training awaits.
      timer ??= setTimeout(() => void flush().catch(() => {}), delayMs);
    },
    flush,
  };
}
