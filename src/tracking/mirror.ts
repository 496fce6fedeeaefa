import { CoxswainError } from '../contracts/errors.ts';
import type { TrackingResult } from '../contracts/runs.ts';
import type { RunRecord } from '../contracts/stores.ts';
import { watchEnd } from './end-watch.ts';
import { defaultLimits, systemClock } from './mirror-ports.ts';
import type { MirrorLimits, MirrorPorts } from './mirror-ports.ts';
import { withoutOutage } from './outages.ts';
import { Sender } from './sender.ts';
import { settle } from './settle.ts';
import { TrackedRuns } from './tracked-runs.ts';
import { createWarnings } from './warnings.ts';

/** What {@link mirrorRun} is asked to do. */
export interface MirrorOptions extends Omit<MirrorPorts, 'limits' | 'clock'> {
  readonly runId: string;
  /**
   * Ends the mirror at once. What of a run that is over was not sent is then left offline, unless `othersGoOn` says that
   * another attempt will go on from here.
   */
  readonly signal: AbortSignal;
  /** Asked when `signal` is aborted: true = leave everything as it is and reject with the signal's reason. Default false. */
  readonly othersGoOn?: () => boolean;
  /** Called at least every `pollMs` while nothing hangs. Default none. */
  readonly onHeartbeat?: () => void;
  /** Gets each warning as soon as it is known; all are in the result too. Default none. */
  readonly onWarning?: (warning: string) => void;
  /**
   * True when no more points will be stored and the record says all that shall be shown. Default: the run is finished in
   * the store, with its report.
   */
  readonly isOver?: (run: RunRecord) => boolean;
  readonly limits?: Partial<MirrorLimits>;
  readonly clock?: MirrorPorts['clock'];
}

/**
 * Mirrors a run to an outside tracker until the run is over, then sends its end and its model.
 *
 * MongoDB is the record and the mirror tails it, so the tracker slows nothing down: its failures become pauses, warnings
 * and, at the end, offline files. A ledger in the store says what was acknowledged: a mirror that is killed at any moment
 * and started again, or that runs twice, leaves one copy of each line.
 *
 * @returns within `endMs + settleMs` of the run's end or, after `signal`, within `settleMs`.
 * @throws CoxswainError RUN_NOT_FOUND when the store does not know the run; the signal's reason (see `othersGoOn`).
 * Never throws for the tracker's sake.
 */
export async function mirrorRun(options: MirrorOptions): Promise<TrackingResult> {
  const { runId, signal, othersGoOn, onHeartbeat = () => {}, isOver = isFinished } = options;
  const ports: MirrorPorts = {
    ...options,
    limits: { ...defaultLimits, ...options.limits },
    clock: options.clock ?? systemClock,
  };
  const warnings = createWarnings(options.onWarning);
  const runs = new TrackedRuns(ports, runId, warnings);
  const sender = new Sender(ports, runs, warnings);
  const watch = watchEnd(await readRun(ports, runId, signal), {
    runs: ports.store.runs,
    isOver,
    watchMs: ports.limits.watchMs,
    endMs: () => (sender.isFailing ? ports.limits.endFailingMs : ports.limits.endMs),
    clock: ports.clock,
    signal,
  });
  try {
    await sender.sendUntilOver(watch, onHeartbeat);
  } finally {
    watch.close();
  }
  if (signal.aborted && othersGoOn?.()) throw signal.reason;
  return settle({ ports, lastKnown: watch.run, runs, warnings, isOver });
}

const isFinished = (run: RunRecord): boolean => run.finishedAt !== null;

/** Reads the run, however long the store is away. */
async function readRun({ store, limits, clock }: MirrorPorts, runId: string, signal: AbortSignal): Promise<RunRecord> {
  for (;;) {
    signal.throwIfAborted();
    const run = await withoutOutage(() => store.runs.getRun(runId), undefined);
    if (run === null) throw new CoxswainError('RUN_NOT_FOUND', `There is no run ${runId} to mirror.`);
    if (run !== undefined) return run;
    await clock.sleep(limits.watchMs, signal);
  }
}
