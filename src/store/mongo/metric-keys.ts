import { createHash } from 'node:crypto';

/**
 * Where metric points lie and under which ids.
 *
 * 1. The id is `run series step`, the step with leading zeros, so one index (the one on `_id`) refuses duplicates and
 *    gives the points in order.
 * 2. The points of a run lie in one of 64 collections. FerretDB on SQLite looks up single ids only and otherwise reads
 *    the whole collection at about 0.1 ms a point: with all runs in one collection, every read of a curve would soon take
 *    seconds.
 */
const shardCount = 64;

/** The collection that holds the points of a run: `metricPoints_00` … `metricPoints_3f`. */
export function metricCollectionName(runId: string): string {
  const shard = createHash('sha256').update(runId).digest()[0]! % shardCount;
  return `metricPoints_${shard.toString(16).padStart(2, '0')}`;
}

/** The id of a point. */
export function metricPointId(runId: string, series: string, step: number): string {
  return `${escapePart(runId)} ${escapePart(series)} ${String(step).padStart(16, '0')}`;
}

/** The ids of a run's points, or of one of its series, lie above the first and below the second. */
export function metricIdRange(runId: string, series?: string): readonly [string, string] {
  const prefix = escapePart(runId) + (series === undefined ? '' : ` ${escapePart(series)}`);
  // '!' is the character after the space.
  return [`${prefix} `, `${prefix}!`];
}

/** Without spaces and control characters, which therefore separate the parts and sort before all others. */
function escapePart(part: string): string {
  return part.replace(/[\0-\x20%]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
