import { resolve } from 'node:path';
import type { RunRecord } from '../contracts/stores.ts';
import type { HistoryLine } from './history-lines.ts';
import { acknowledged } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import type { MirrorPorts } from './mirror-ports.ts';
import { readModelUpload } from './model-upload.ts';
import { describeRun, exitCodeOf } from './run-descriptions.ts';
import { summaryOf } from './tracked-run.ts';
import type { TrackedRun } from './tracked-run.ts';
import { readPages, readUnsentLines } from './unsent-lines.ts';
import { offlineRunFolder, writeOfflineRun } from './wandb-offline-file.ts';

/** See MetricQuery.limit. */
const largestPage = 10_000;

/** Points of a run that the tracker has not acknowledged, found by counting all that are stored. */
export async function countUnsent({ store }: MirrorPorts, runId: string, tracked: TrackedRun): Promise<number> {
  let stored = 0;
  for (const series of tracked.name.series)
    for await (const page of readPages(store.metrics, { runId, series, limit: largestPage })) stored += page.length;
  return Math.max(0, stored - tracked.ledger.points);
}

/**
 * Leaves what the tracker has not acknowledged of an ended run in a file for `wandb sync`, below `folder`. Does nothing
 * when everything was acknowledged, and nothing the second time.
 */
export async function leaveOffline(
  ports: MirrorPorts,
  run: RunRecord,
  tracked: TrackedRun,
  folder: string,
  warn: (warning: string) => void,
): Promise<void> {
  const { book, name } = tracked;
  if (book.ledger.state === 'open') await book.write({ state: 'offline' });
  if (book.ledger.state !== 'offline' || book.ledger.offlineFolder !== null) return;
  let ledger = book.ledger;
  const { entity } = ledger; // when W&B has named it: the file then goes to the same place for whoever syncs it
  const description = describeRun(run, name, entity === null ? ports.target : { ...ports.target, entity });
  const offlineFolder = resolve(folder, offlineRunFolder(description));
  await writeOfflineRun(offlineFolder, {
    run: description,
    lines: rest(ports, run, tracked, (next) => (ledger = next)),
    summary: () => summaryOf(ledger, run, name),
    model: ledger.modelSaved ? null : await readModelUpload(ports, run, name, warn),
    exitCode: exitCodeOf(run),
  });
  await book.write({ offlineFolder });
}

/** The unacknowledged lines, batch by batch. @param seen gets the ledger as it would be with each batch. */
async function* rest(
  { store, limits }: MirrorPorts,
  { runId, createdAt }: RunRecord,
  { name, ledger }: TrackedRun,
  seen: (ledger: Ledger) => void,
): AsyncGenerator<readonly HistoryLine[]> {
  const query = { runId, series: name.series, isOver: true, limit: limits.batchPoints, startedAt: createdAt };
  for (let next = ledger; ; seen(next)) {
    const lines = await readUnsentLines(store.metrics, { ...query, afterStep: next.lastStep });
    if (lines.length === 0) return;
    next = acknowledged(next, lines);
    yield lines;
  }
}
