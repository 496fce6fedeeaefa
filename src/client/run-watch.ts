import { setTimeout as sleep } from 'node:timers/promises';
import type { CoxswainError } from '../contracts/errors.ts';
import { toCoxswainError } from '../contracts/errors.ts';
import type { RunProgress } from '../contracts/runs.ts';
import type { MetricPoint, Store } from '../contracts/stores.ts';
import { taskQueues } from '../contracts/task-queues.ts';
import type { RunEngine } from './run-engine.ts';
import type { FoundRun, RunFinder } from './run-finder.ts';
import { isOver, progressOfRun } from './run.ts';
import type { Run } from './run.ts';

/** The last step that was read of each series. */
export type MetricCursor = Readonly<Record<string, number>>;

/** What happens to a run, as somebody who watches it sees it. */
export type RunEvent =
  /** The progress changed. */
  | { readonly type: 'progress'; readonly progress: RunProgress }
  /** New metric points, each exactly once; `cursor` is where to go on after them. */
  | { readonly type: 'metrics'; readonly points: readonly MetricPoint[]; readonly cursor: MetricCursor }
  /** A sentence about what holds the run, or the watching, up. */
  | { readonly type: 'notice'; readonly message: string }
  /** The run is over and everything about it was told. The last event. */
  | { readonly type: 'end'; readonly run: Run };

export interface WatchOptions {
  /** Ends the watching, without an error. */
  readonly signal?: AbortSignal;
  /** Time between two looks. Default 1000. */
  readonly intervalMs?: number;
  /** Whether the workflow is asked for its progress. Default true. */
  readonly progress?: boolean;
  /** Whether metric points are read, and after which. Default false; true = from the first. */
  readonly metrics?: boolean | MetricCursor;
  /** How long Temporal or the store may be away before the watching fails. Default 10 minutes. */
  readonly patienceMs?: number;
}

/** What watching needs. */
export interface WatchPorts {
  readonly engine: RunEngine;
  readonly store: Store;
  readonly finder: RunFinder;
}

/** The end of a run waits this long for its workflow to close, which is when the report tells of the outside tracker. */
const closingPatienceMs = 45_000;

const noWorker = `No worker polls the task queue ${taskQueues.orchestration}, so the run waits. Start one: coxswain up`;

/**
 * Watches a run to its end.
 *
 * 1. Metric points come in order and exactly once after the given cursor, also across outages.
 * 2. An outage of Temporal or the store after the first look is a notice, not an end, for `patienceMs`.
 * 3. The first look throws what it meets: RUN_NOT_FOUND, TEMPORAL_UNAVAILABLE, STORE_UNAVAILABLE.
 */
export async function* watchRun(
  ports: WatchPorts,
  runId: string,
  options: WatchOptions = {},
): AsyncGenerator<RunEvent, void> {
  const { signal, intervalMs = 1000, patienceMs = 600_000 } = options;
  const look = createLook(ports, runId, options);
  const told = createOnce();
  let lastSuccess = -Infinity;
  while (!signal?.aborted) {
    try {
      for await (const event of look()) {
        if (signal?.aborted) return;
        if (event.type !== 'notice' || told.isNew(event.message)) yield event;
        if (event.type === 'end') return;
      }
      lastSuccess = Date.now();
    } catch (error) {
      const failure = toCoxswainError(error);
      if (!isOutage(failure) || Date.now() - lastSuccess > patienceMs) throw failure;
      const message = `${failure.message} Trying again; the run itself is safe.`;
      if (told.isNew(message)) yield { type: 'notice', message };
    }
    told.nextLook();
    await pause(intervalMs, signal);
  }
}

/** Lets a notice through when the look before did not have it. */
function createOnce(): { isNew(message: string): boolean; nextLook(): void } {
  let before: string | null = null;
  let current: string | null = null;
  return {
    isNew(message) {
      current = message;
      return message !== before;
    },
    nextLook() {
      [before, current] = [current, null];
    },
  };
}

function isOutage(error: CoxswainError): boolean {
  return error.code === 'TEMPORAL_UNAVAILABLE' || error.code === 'STORE_UNAVAILABLE';
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** A look at the run: gives what is new since the last one. */
function createLook(
  { engine, store, finder }: WatchPorts,
  runId: string,
  { progress: withProgress = true, metrics = false }: WatchOptions,
): () => AsyncGenerator<RunEvent, void> {
  let latest: RunProgress | null = null;
  const cursor: Record<string, number> = typeof metrics === 'object' ? { ...metrics } : {};

  async function progressOf({ run, state }: FoundRun): Promise<RunProgress | null> {
    if (!isOver(run.status) && state !== null) return engine.queryProgress(runId);
    // The record has no figures of the training: keep the last ones that were seen.
    return { ...progressOfRun(run), ...(latest && { metrics: latest.metrics, training: latest.training }) };
  }

  async function* newProgress(found: FoundRun): AsyncGenerator<RunEvent, void> {
    const progress = await progressOf(found);
    if (progress === null && !(await engine.hasWorker())) yield { type: 'notice', message: noWorker };
    const next = progress ?? latest ?? progressOfRun(found.run);
    if (JSON.stringify(next) === JSON.stringify(latest)) return;
    latest = next;
    yield { type: 'progress', progress: next };
  }

  async function* newPoints(): AsyncGenerator<RunEvent, void> {
    for (const series of await store.metrics.listSeries(runId)) {
      for (;;) {
        const points = await store.metrics.readPoints({ runId, series, afterStep: cursor[series], limit: pageSize });
        if (points.length === 0) break;
        cursor[series] = points[points.length - 1].step;
        yield { type: 'metrics', points, cursor: { ...cursor } };
        if (points.length < pageSize) break;
      }
    }
  }

  return async function* () {
    const found = await finder.find(runId);
    if (withProgress) yield* newProgress(found);
    if (metrics !== false) yield* newPoints();
    if (isOver(found.run.status) && (await isClosed(found.run, finder))) {
      // Read again: the report is completed between the recorded end and the close of the workflow.
      yield { type: 'end', run: (await finder.find(runId)).run };
    }
  };
}

const pageSize = 500;

async function isClosed(run: Run, finder: RunFinder): Promise<boolean> {
  const since = Date.now() - (run.finishedAt ?? run.updatedAt).getTime();
  if (since > closingPatienceMs) return true;
  return (await finder.workflow(run.runId))?.status !== 'running';
}
