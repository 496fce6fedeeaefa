import type { RunRecord, RunStore } from '../contracts/stores.ts';
import type { Clock } from './mirror-ports.ts';

/** What is known of a run's end while the mirror is at work. */
export interface EndWatch {
  /** The run as last read. */
  readonly run: RunRecord;
  readonly isOver: boolean;
  /** Aborted as soon as the run is over. */
  readonly over: AbortSignal;
  /** Aborted when nothing more shall be sent: by the caller's signal, or when the time after the run's end is up. */
  readonly deadline: AbortSignal;
  close(): void;
}

/** How to watch a run. */
export interface EndWatchOptions {
  readonly runs: RunStore;
  readonly isOver: (run: RunRecord) => boolean;
  /** Between two looks. */
  readonly watchMs: number;
  /** Time for sending after the end; asked for at the end. */
  readonly endMs: () => number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Watches `run` until it is over, beside the mirror: a request that hangs must not hide the run's end, or nothing would
 * bound it. A store that does not answer is asked again.
 */
export function watchEnd(run: RunRecord, options: EndWatchOptions): EndWatch {
  const { runs, isOver, watchMs, endMs, clock, signal } = options;
  const over = new AbortController();
  const timeIsUp = new AbortController();
  const closed = new AbortController();
  const stop = AbortSignal.any([signal, closed.signal]);
  let latest = run;

  const watch = async (): Promise<void> => {
    while (!isOver(latest)) {
      await clock.sleep(watchMs, stop);
      if (stop.aborted) return;
      latest = (await runs.getRun(run.runId).catch(() => null)) ?? latest;
    }
    over.abort();
    await clock.sleep(endMs(), stop);
    timeIsUp.abort();
  };
  // A rule of the caller's that throws ends the mirror; nothing else in `watch` can.
  watch().catch((error: unknown) => timeIsUp.abort(error));

  return {
    get run() {
      return latest;
    },
    get isOver() {
      return over.signal.aborted;
    },
    over: over.signal,
    deadline: AbortSignal.any([signal, timeIsUp.signal]),
    close: () => closed.abort(),
  };
}
