import type { RunSpec } from '../contracts/run-spec.ts';
import type { RunProgress, RunStatus, SeedProgress, StepName, StepRecord, StepStatus } from '../contracts/runs.ts';
import { plannedSteps } from './planned-steps.ts';

/** How long each step takes beside the others, roughly. Only the progress bar depends on it. */
const stepWeights: Readonly<Record<StepName, number>> = {
  validate: 0.01,
  collect: 0.02,
  fit: 0.01,
  train: 0.77,
  evaluate: 0.18,
  register: 0.02,
  deploy: 0.01,
};

/** The progress of a run that has just begun, and whose spec is not known yet. */
export function initialProgress(): RunProgress {
  const steps = plannedSteps(null);
  return {
    status: 'running',
    step: steps[0],
    fraction: 0,
    steps: steps.map((name): StepRecord => ({ name, status: 'pending', summary: '' })),
    metrics: {},
    training: [],
  };
}

/** The progress once the spec, and so the steps, are known. */
export function withPlan(progress: RunProgress, spec: RunSpec): RunProgress {
  const steps = plannedSteps(spec).map(
    (name): StepRecord =>
      progress.steps.find((record) => record.name === name) ?? { name, status: 'pending', summary: '' },
  );
  return withFraction({ ...progress, steps });
}

/** The progress after a step changed its status. */
export function withStep(progress: RunProgress, step: StepName, status: StepStatus, summary: string): RunProgress {
  const steps = progress.steps.map((record) => (record.name === step ? { name: step, status, summary } : record));
  return withFraction({ ...progress, step, steps });
}

/** The progress after the run itself changed its status. */
export function withStatus(progress: RunProgress, status: RunStatus): RunProgress {
  return withFraction({ ...progress, status });
}

/** The progress after news of the training; `metrics` become the means over the seeds that reported each. */
export function withTraining(progress: RunProgress, training: readonly SeedProgress[]): RunProgress {
  return withFraction({ ...progress, training, metrics: meanMetrics(training) });
}

/** Share of all seeds' steps that are done, 0 … 1; 0 before anybody reported. */
export function trainingFraction(training: readonly SeedProgress[]): number {
  const total = training.reduce((sum, seed) => sum + seed.totalSteps, 0);
  const done = training.reduce((sum, seed) => sum + Math.min(seed.step, seed.totalSteps), 0);
  return total === 0 ? 0 : done / total;
}

/** The list with `news` in its seed's place; a step never goes back (a retried activity repeats old news). */
export function mergeSeedProgress(training: readonly SeedProgress[], news: SeedProgress): readonly SeedProgress[] {
  return training.map((seed) => (seed.seed === news.seed && news.step >= seed.step ? news : seed));
}

function withFraction(progress: RunProgress): RunProgress {
  const total = progress.steps.reduce((sum, step) => sum + stepWeights[step.name], 0);
  const done = progress.steps.reduce(
    (sum, step) => sum + stepWeights[step.name] * doneShare(step, progress.training),
    0,
  );
  const fraction = done / total;
  return { ...progress, fraction: progress.status === 'completed' ? 1 : Math.min(fraction, 1) };
}

function doneShare(step: StepRecord, training: readonly SeedProgress[]): number {
  if (step.status === 'completed') return 1;
  return step.name === 'train' ? trainingFraction(training) : 0;
}

function meanMetrics(training: readonly SeedProgress[]): Readonly<Record<string, number>> {
  const sums = new Map<string, { sum: number; count: number }>();
  for (const seed of training) {
    for (const [name, value] of Object.entries(seed.metrics)) {
      const entry = sums.get(name) ?? { sum: 0, count: 0 };
      sums.set(name, { sum: entry.sum + value, count: entry.count + 1 });
    }
  }
  return Object.fromEntries([...sums].map(([name, { sum, count }]) => [name, sum / count]));
}
