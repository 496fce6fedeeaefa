import type { MetricPoint, MetricStore } from '../contracts/stores.ts';
import { historyLines } from './history-lines.ts';
import type { HistoryLine } from './history-lines.ts';

/** Where to read on, and what is safe to read. */
export interface LineQuery {
  readonly runId: string;
  /** See TrackedRunName.series. */
  readonly series: readonly string[];
  /** Only lines above this step; null = from the first. */
  readonly afterStep: number | null;
  /** True when no more points will be stored. */
  readonly isOver: boolean;
  /** Points read of each series at most; at least 2. */
  readonly limit: number;
  /** Start of the run. */
  readonly startedAt: Date;
}

/**
 * The next complete lines of a tracked run; empty when there are none yet.
 *
 * A line is complete when no more points of its step can come. While the run goes on:
 * 1. The leading series is read first. What the others have stored below its newest step is then there to be read.
 * 2. So every step below the leading series' newest is complete, and that newest one is held back.
 * 3. A series of which only a page was read is known up to the page's last step.
 */
export async function readUnsentLines(metrics: MetricStore, query: LineQuery): Promise<readonly HistoryLine[]> {
  const pages: (readonly MetricPoint[])[] = [];
  for (const series of query.series) pages.push(await readPage(metrics, query, series));
  const known = pages.filter((page) => page.length >= query.limit).map(lastStep);
  const upTo = Math.min(Infinity, ...known);
  const below = query.isOver || pages.length === 1 ? Infinity : lastStep(pages[0] ?? []);
  const complete = pages.flat().filter(({ step }) => step <= upTo && step < below);
  return historyLines(complete, query.startedAt);
}

function readPage(
  metrics: MetricStore,
  { runId, afterStep, limit }: Pick<LineQuery, 'runId' | 'afterStep' | 'limit'>,
  series: string,
): Promise<readonly MetricPoint[]> {
  return metrics.readPoints({ runId, series, limit, ...(afterStep === null ? {} : { afterStep }) });
}

/** The newest step of a page; -Infinity when it is empty. */
function lastStep(page: readonly MetricPoint[]): number {
  return page.at(-1)?.step ?? -Infinity;
}

/** All stored points of a series, page by page. */
export async function* readPages(
  metrics: MetricStore,
  { runId, series, limit }: { runId: string; series: string; limit: number },
): AsyncGenerator<readonly MetricPoint[]> {
  let afterStep: number | null = null;
  for (;;) {
    const page: readonly MetricPoint[] = await readPage(metrics, { runId, afterStep, limit }, series);
    yield page;
    if (page.length < limit) return;
    afterStep = lastStep(page);
  }
}
