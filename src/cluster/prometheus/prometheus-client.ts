import { CoxswainError } from '../../contracts/errors.ts';
import { requestJson } from '../json-request.ts';
import type { JsonServer } from '../json-request.ts';
import { parseAnswer } from './prometheus-answer.ts';
import type { QueryAnswer, Series } from './prometheus-answer.ts';

/** Points of a series that a server gives at once; Prometheus's own limit is 11 000. */
const maxPoints = 10_000;

/** Equally spaced times: `start`, `start + stepSeconds`, … */
export interface TimeGrid {
  /** Seconds since 1970; a multiple of `stepSeconds`, so that every server answers on the same grid. */
  readonly startSeconds: number;
  readonly stepSeconds: number;
  /** Number of times. */
  readonly points: number;
}

/** One series on a grid. */
export interface GridSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** One number a time of the grid; NaN where there was none, or none that is a number. */
  readonly values: Float64Array;
  /** Times of the grid without a finite value. */
  readonly missing: number;
}

/** Series on one grid. */
export interface GridAnswer {
  readonly series: readonly GridSeries[];
  readonly warnings: readonly string[];
}

/** Prometheus, or a server that speaks its HTTP API (Thanos, Mimir, VictoriaMetrics). */
export interface PrometheusClient {
  /** The values of an expression at a moment. @param atSeconds since 1970. */
  query(expression: string, atSeconds: number, signal?: AbortSignal): Promise<QueryAnswer>;
  /** The values of an expression on a grid; long ones are asked for in parts. */
  queryGrid(expression: string, grid: TimeGrid, signal?: AbortSignal): Promise<GridAnswer>;
}

/** @param server its `url` is what comes before `/api/v1`. */
export function createPrometheusClient(server: Omit<JsonServer, 'name'>): PrometheusClient {
  const target: JsonServer = { ...server, name: 'Prometheus' };
  const ask = async (
    path: string,
    parameters: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<QueryAnswer> => {
    const { body } = await requestJson(target, { path, parameters, method: 'post', ...(signal ? { signal } : {}) });
    return parseAnswer(body, parameters.query);
  };
  return {
    query: (query, atSeconds, signal) => ask('/api/v1/query', { query, time: String(atSeconds) }, signal),
    async queryGrid(query, grid, signal) {
      const answers: QueryAnswer[] = [];
      for (const part of partsOf(grid)) {
        const { startSeconds, stepSeconds, points } = part;
        const end = startSeconds + (points - 1) * stepSeconds;
        const times = { start: String(startSeconds), end: String(end), step: String(stepSeconds) };
        answers.push(await ask('/api/v1/query_range', { query, ...times }, signal));
      }
      return onGrid(answers, grid);
    },
  };
}

/** @throws CoxswainError OBSERVATION_REFUSED when the grid has no point or does not lie on multiples of its step. */
function partsOf({ startSeconds, stepSeconds, points }: TimeGrid): TimeGrid[] {
  if (!(points >= 1 && stepSeconds > 0) || startSeconds % stepSeconds !== 0) {
    const message = `A grid of ${points} points from ${startSeconds} every ${stepSeconds} s cannot be asked for: it must have a point and start at a multiple of its step.`;
    throw new CoxswainError('OBSERVATION_REFUSED', message);
  }
  return Array.from({ length: Math.ceil(points / maxPoints) }, (_, part) => ({
    startSeconds: startSeconds + part * maxPoints * stepSeconds,
    stepSeconds,
    points: Math.min(maxPoints, points - part * maxPoints),
  }));
}

/** Puts samples where they belong; a series that is in several parts is one. */
function onGrid(answers: readonly QueryAnswer[], grid: TimeGrid): GridAnswer {
  const found = new Map<string, { labels: Series['labels']; values: Float64Array }>();
  for (const { labels, times, values } of answers.flatMap(({ series }) => series)) {
    const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    const entry = found.get(key) ?? { labels, values: new Float64Array(grid.points).fill(NaN) };
    found.set(key, entry);
    times.forEach((time, i) => {
      const place = (time - grid.startSeconds) / grid.stepSeconds;
      const nearest = Math.round(place);
      // A server that moves the grid by a fraction of a step is followed; anything further is another time.
      if (Math.abs(place - nearest) < 0.5 && nearest >= 0 && nearest < grid.points && Number.isFinite(values[i])) {
        entry.values[nearest] = values[i];
      }
    });
  }
  return {
    series: Array.from(found.values(), ({ labels, values }) => ({
      labels,
      values,
      missing: values.reduce((count, value) => count + Number(Number.isNaN(value)), 0),
    })),
    warnings: [...new Set(answers.flatMap(({ warnings }) => warnings))],
  };
}
