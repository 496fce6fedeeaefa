import { CoxswainError } from '../contracts/errors.ts';
import type { TrackingResult } from '../contracts/runs.ts';
import type { RunRecord } from '../contracts/stores.ts';
import type { MirrorPorts } from './mirror-ports.ts';
import { countUnsent, leaveOffline } from './offline-rest.ts';
import { withoutOutage } from './outages.ts';
import type { TrackedRun } from './tracked-run.ts';
import type { TrackedRuns } from './tracked-runs.ts';
import type { Warnings } from './warnings.ts';

/** What is left of a mirror's work when nothing more is sent. */
interface Rest {
  unsentPoints: number;
  isCounted: boolean;
}

/**
 * Counts what was not sent and leaves it offline, within `settleMs`.
 * @param lastKnown the run, should the store not answer any more.
 */
export async function settle(
  ports: MirrorPorts,
  lastKnown: RunRecord,
  runs: TrackedRuns,
  warnings: Warnings,
): Promise<TrackingResult> {
  const rest: Rest = { unsentPoints: 0, isCounted: false };
  const timeIsUp = new AbortController();
  const done = new AbortController();
  const work = withoutOutage(() => leaveRest(ports, lastKnown, runs, warnings, rest, timeIsUp.signal), undefined);
  await Promise.race([work.finally(() => done.abort()), ports.clock.sleep(ports.limits.settleMs, done.signal)]);
  timeIsUp.abort();
  if (!rest.isCounted) warnings.add('What W&B did not get could not all be counted: the store did not answer in time.');
  return resultOf(runs, rest, warnings);
}

async function leaveRest(
  ports: MirrorPorts,
  lastKnown: RunRecord,
  runs: TrackedRuns,
  warnings: Warnings,
  rest: Rest,
  timeIsUp: AbortSignal,
): Promise<void> {
  const run = (await withoutOutage(() => ports.store.runs.getRun(lastKnown.runId), null)) ?? lastKnown;
  await runs.discover();
  for (const tracked of runs.list) rest.unsentPoints += await countUnsent(ports, run.runId, tracked);
  rest.isCounted = true;
  if (rest.unsentPoints > 0) warnings.add(`${rest.unsentPoints} metric points did not reach W&B.`);
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
