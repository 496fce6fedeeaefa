import type { Run } from '../client/run.ts';
import { formatDuration } from './quantities.ts';
import type { Paint } from './terminal-text.ts';
import { fit, plainText } from './terminal-text.ts';

const tones = { running: 'active', paused: 'warning', completed: 'good', failed: 'bad', cancelled: 'warning' } as const;

/** Runs as a table, one line each. */
export function renderRuns(runs: readonly Run[], now: Date, paint: Paint): string {
  if (runs.length === 0) return 'No runs.';
  const width = Math.max(...runs.map(({ runId }) => plainText(runId).length), 2);
  const head = `${'RUN'.padEnd(width)}  ${'STATUS'.padEnd(9)}  ${'STEP'.padEnd(8)}  ${'STARTED'.padEnd(16)}  TOOK`;
  const lines = runs.map((run) => {
    const took = ((run.finishedAt ?? now).getTime() - run.createdAt.getTime()) / 1000;
    const started = run.createdAt.toISOString().slice(0, 16).replace('T', ' ');
    const status = paint(tones[run.status], run.status.padEnd(9));
    return `${plainText(run.runId).padEnd(width)}  ${status}  ${run.step.padEnd(8)}  ${started}  ${formatDuration(took)}`;
  });
  return [paint('faint', head), ...lines].join('\n');
}

/** A failure in one line. */
export function renderFailure({ failure }: Run, width: number): string {
  return failure === null ? '' : fit(`${failure.code} in step ${failure.step}: ${plainText(failure.message)}`, width);
}
