import { CoxswainError } from '../contracts/errors.ts';
import type { TrackingResult } from '../contracts/runs.ts';
import type { RunRecord } from '../contracts/stores.ts';
import type { MirrorPorts } from './mirror-ports.ts';
import { countUnsent, leaveOffline } from './offline-rest.ts';
import { withoutOutage } from './outages.ts';
import type { TrackedRun } from './tracked-run.ts';
import type { TrackedRuns } from './tracked-runs.ts';
import type { Warnings } from './warnings.ts';

/** What a mirror leaves when nothing more is sent. */
export interface Leaving {
  readonly ports: MirrorPorts;
  /** The run, should the store not answer any more. */
  readonly lastKnown: RunRecord;
  readonly runs: TrackedRuns;
  readonly warnings: Warnings;
  readonly isOver: (run: RunRecord) => boolean;
}

interface Rest {
  unsentPoints: number;
  isCounted: boolean;
}

/**
 * Counts what was not sent and leaves it offline, within `settleMs`. Of a run that is not over nothing is left offline:
 * an offline file is the last word on a run, and more of it is to come.
 */
export async function settle(leaving: Leaving): Promise<TrackingResult> {
  const { ports, runs, warnings } = leaving;
  const rest: Rest = { unsentPoints: 0, isCounted: false };
  const timeIsUp = new AbortController();
  const done = new AbortController();
  const work = withoutOutage(() => leaveRest(leaving, rest, timeIsUp.signal), undefined);
  await Promise.race([work.finally(() => done.abort()), ports.clock.sleep(ports.limits.settleMs, done.signal)]);
  timeIsUp.abort();
  if (!rest.isCounted) warnings.add('What W&B did not get could not all be counted: the store did not answer in time.');
  return resultOf(runs, rest, warnings);
}

async function leaveRest(leaving: Leaving, rest: Rest, timeIsUp: AbortSignal): Promise<void> {
  const { ports, lastKnown, runs, warnings, isOver } = leaving;
  const run = (await withoutOutage(() => ports.store.runs.getRun(lastKnown.runId), null)) ?? lastKnown;
  await runs.discover();
  for (const tracked of runs.list) rest.unsentPoints += await countUnsent(ports, run.runId, tracked);
  rest.isCounted = true;
  if (rest.unsentPoints > 0) warnings.add(`${rest.unsentPoints} metric points did not reach W&B.`);
  if (!isOver(run)) return;
  for (const tracked of runs.list) {
    if (timeIsUp.aborted) return;
    await leaveOneOffline(ports, run, tracked, warnings);
  }
}

async function leaveOneOffline(
  ports: MirrorPorts,
  run: RunRecord,
  tracked: TrackedRun,
  warnings: Warnings,
): Promise<void> {
  const { member } = tracked.name;
  if (tracked.ledger.state === 'finished' || ports.offlineFolder === null) return;
  try {
    await leaveOffline(ports, run, tracked, ports.offlineFolder, warnings.add);
    const { offlineFolder } = tracked.ledger;
    if (offlineFolder !== null) warnings.add(`W&B lacks a part of ${member}; upload it: wandb sync ${offlineFolder}`);
  } catch (error) {
    if (error instanceof CoxswainError) throw error;
    warnings.add(`No offline file for ${member} could be written: ${String(error)}`);
  }
}

function resultOf({ list }: TrackedRuns, { unsentPoints }: Rest, warnings: Warnings): TrackingResult {
  const ledgers = list.map(({ ledger }) => ledger);
  return {
    mode: ledgers.some(({ state }) => state === 'offline') ? 'offline' : 'online',
    sentPoints: ledgers.reduce((sum, { points }) => sum + points, 0),
    unsentPoints,
    url: ledgers[0]?.url ?? null,
    warnings: warnings.list,
  };
}
