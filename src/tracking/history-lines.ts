import type { MetricPoint } from '../contracts/stores.ts';

/** One line of a tracked run's history: all that was logged at one step. */
export interface HistoryLine {
  readonly step: number;
  /** Keys and their values as JSON text, in the order in which they are written. */
  readonly fields: readonly (readonly [key: string, json: string])[];
  /** Metric points in it. */
  readonly points: number;
}

/**
 * Lines of the points, by rising step. Points of one step share a line; a key is the series' first word and the value's
 * name, for example `train/episodeReturn`.
 *
 * Contract: the line of a step depends on that step's points and `startedAt` only, and keys come in one order, so it has
 * the same bytes whenever and by whomever it is made. `_timestamp` is the time of the step's last point in seconds since
 * 1970, `_runtime` the seconds since `startedAt`.
 */
export function historyLines(points: readonly MetricPoint[], startedAt: Date): readonly HistoryLine[] {
  const groups = new Map<number, MetricPoint[]>();
  for (const point of points) groups.set(point.step, [...(groups.get(point.step) ?? []), point]);
  const steps = [...groups.keys()].sort((a, b) => a - b);
  return steps.map((step) => historyLine(step, groups.get(step)!, startedAt));
}

function historyLine(step: number, points: readonly MetricPoint[], startedAt: Date): HistoryLine {
  const atMs = Math.max(...points.map(({ at }) => at.getTime()));
  const ordered = [...points].sort((a, b) => compare(a.series, b.series));
  const fields: [string, number][] = [
    ['_step', step],
    ['_timestamp', atMs / 1000],
    ['_runtime', (atMs - startedAt.getTime()) / 1000],
    ...ordered.flatMap(valuesOf),
  ];
  return { step, fields: fields.map(([key, value]) => [key, numberJson(value)]), points: points.length };
}

function valuesOf({ series, values }: MetricPoint): [string, number][] {
  const section = series.split('/')[0];
  return Object.entries(values)
    .sort(([a], [b]) => compare(a, b))
    .map(([name, value]) => [`${section}/${name}`, value]);
}

/** The line as it is sent: a JSON object. */
export function lineText({ fields }: HistoryLine): string {
  return `{${fields.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`;
}

/** A number as W&B reads it: what JSON cannot say becomes the text `NaN`, `Infinity` or `-Infinity`. */
function numberJson(value: number): string {
  return Number.isFinite(value) ? JSON.stringify(value) : JSON.stringify(String(value));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
