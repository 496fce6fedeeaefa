import { toCoxswainError } from '../../src/contracts/errors.ts';
import type { EvaluateOutcome, FitOutcome, TrainOutcome } from '../../src/contracts/numeric.ts';
import type { FromChild, ToChild } from './protocol.ts';

/**
 * The numeric child: does one job and ends. It ends as soon as it hears that the channel to its worker is gone, between
 * two stretches of arithmetic, because nobody could take its results.
 */
process.once('disconnect', () => process.exit(0));

const stop = new AbortController();
let stored: (() => void) | null = null;

process.on('message', (message: ToChild) => {
  if (message.kind === 'stop') stop.abort();
  else if (message.kind === 'stored') stored?.();
  else void answer(message);
});
tell({ kind: 'ready' });

function tell(message: FromChild): void {
  process.send?.(message);
}

type Job = Extract<ToChild, { kind: 'train' | 'evaluate' | 'fit' }>;

async function answer(message: Job): Promise<void> {
  try {
    tell({ kind: 'done', outcome: await run(message) });
  } catch (error) {
    if (stop.signal.aborted) return tell({ kind: 'done', outcome: { status: 'cancelled' } });
    const { code, message: text, details } = toCoxswainError(error);
    tell({ kind: 'failed', code, message: text, details });
  }
}

async function run(message: Job): Promise<TrainOutcome | EvaluateOutcome | FitOutcome> {
  if (message.kind === 'fit') {
    const { runFitJob } = await import('./fit-job.ts');
    return runFitJob(message.job);
  }
  if (message.kind === 'evaluate') {
    const { runEvaluateJob } = await import('./evaluate-job.ts');
    return runEvaluateJob(message.job, stop.signal);
  }
  const { runTrainJob } = await import('./train-job.ts');
  const { loadAlgorithms } = await import('../../src/rl/algorithms/load-algorithms.ts');
  return runTrainJob(message.job, await loadAlgorithms(message.algorithmModules), {
    signal: stop.signal,
    onPoint: (point) => tell({ kind: 'point', point }),
    onCheckpoint: ({ step, bytes }) =>
      new Promise<void>((resolve) => {
        stored = resolve;
        tell({ kind: 'checkpoint', step, bytes });
      }),
  });
}
