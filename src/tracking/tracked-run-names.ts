import { createHash } from 'node:crypto';

/** One run of the outside tracker, made of one or more series of a Coxswain run. */
export interface TrackedRunName {
  /** Unique within the Coxswain run, for example `seed-3`. */
  readonly member: string;
  /** What kind of work it shows. */
  readonly jobType: string;
  /**
   * The series whose points it shows, leading one first: a point of another series is stored before the leading series
   * gets a point of a higher step.
   */
  readonly series: readonly string[];
}

/** Shows the pipeline itself: steps, results, gate and model. */
export const pipelineRun: TrackedRunName = { member: 'pipeline', jobType: 'evaluate', series: [] };

/**
 * The tracked runs that show the given series: `train/seed-N` and `validate/seed-N` together as `seed-N`, every other
 * series by itself. In the order of the series.
 */
export function trackedRunsOf(series: readonly string[]): readonly TrackedRunName[] {
  const byMember = new Map(series.map(trackedRunOf).map((run) => [run.member, run]));
  return [...byMember.values()];
}

function trackedRunOf(series: string): TrackedRunName {
  const seed = /^(?:train|validate)\/(seed-.+)$/.exec(series)?.[1];
  if (seed !== undefined) return { member: seed, jobType: 'train', series: [`train/${seed}`, `validate/${seed}`] };
  return { member: `series-${series}`, jobType: series.split('/')[0], series: [series] };
}

/**
 * The id of a tracked run: readable, at most 64 letters, digits, `-` and `_`, and another one for every pair of run and
 * member, however similar they look.
 */
export function trackedRunId(runId: string, member: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([runId, member]))
    .digest('hex')
    .slice(0, 10);
  return `${readable(runId, 34)}-${readable(member, 18)}-${hash}`;
}

function readable(text: string, length: number): string {
  return text.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, length);
}
