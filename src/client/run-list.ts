import { CoxswainError } from '../contracts/errors.ts';
import type { RunQuery, Store } from '../contracts/stores.ts';
import type { RunEngine } from './run-engine.ts';
import type { RunFinder } from './run-finder.ts';
import { runOfRecord } from './run.ts';
import type { Run } from './run.ts';

/** A page of runs, newest first. */
export interface RunPage {
  readonly runs: readonly Run[];
  /** Give it as `before` to get the next page; null at the end. */
  readonly next: string | null;
}

/** Open runs of Temporal that are looked up for the first page. */
const maxWaiting = 100;

/**
 * A page of runs. Those whose first step has not begun, which only Temporal knows, come first on the first page. Filters
 * choose by what the store knows; a run that turns out to have ended otherwise leaves the page.
 */
export async function listRuns(
  { engine, store, finder }: { engine: RunEngine; store: Store; finder: RunFinder },
  query: RunQuery,
): Promise<RunPage> {
  const records = await store.runs.listRuns(query);
  const runs = await Promise.all(records.map((record) => finder.settle(runOfRecord(record))));
  const isFirstPage = query.before === undefined && (query.status ?? 'running') === 'running';
  const waiting = isFirstPage ? await waitingRuns(engine, store, finder) : [];
  const full = records.length === (query.limit ?? 50);
  return {
    runs: [...waiting, ...runs].filter((run) => matches(run, query)),
    next: full ? records[records.length - 1].runId : null,
  };
}

async function waitingRuns(engine: RunEngine, store: Store, finder: RunFinder): Promise<Run[]> {
  const found = await Promise.all(
    (await engine.listOpen(maxWaiting)).map(async (runId) => {
      if ((await store.runs.getRun(runId)) !== null) return null;
      return findOrNull(finder, runId);
    }),
  );
  return found.filter((run) => run !== null);
}

async function findOrNull(finder: RunFinder, runId: string): Promise<Run | null> {
  try {
    return (await finder.find(runId)).run;
  } catch (error) {
    // Visibility lags: the workflow may be gone by now.
    if (error instanceof CoxswainError && error.code === 'RUN_NOT_FOUND') return null;
    throw error;
  }
}

function matches(run: Run, query: RunQuery): boolean {
  const sameStatus = query.status === undefined || run.status === query.status;
  return sameStatus && (query.pipeline === undefined || run.pipeline === query.pipeline);
}
