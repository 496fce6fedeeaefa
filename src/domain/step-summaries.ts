import type {
  CollectedRecording,
  EvaluationResult,
  FittedTwin,
  RegisteredModel,
  RunDeployment,
  TrainedSeed,
} from '../contracts/runs.ts';

/** The trained seed with the lowest score. */
export function bestOf(trained: readonly TrainedSeed[]): TrainedSeed {
  return trained.reduce((best, seed) => (seed.bestScore < best.bestScore ? seed : best));
}

/** One line for people about what each step brought. */
export const summaries = {
  validate: ({ specSha256 }: { specSha256: string }): string => `spec ${specSha256.slice(0, 12)}`,
  collect({ bins, binSeconds, meanRequestsPerSecond, peakRequestsPerSecond, repairs }: CollectedRecording): string {
    const repaired = repairs.interpolatedBins + repairs.summedDuplicates;
    const hours = ((bins * binSeconds) / 3600).toFixed(1);
    const rates = `mean ${meanRequestsPerSecond.toFixed(1)} and peak ${peakRequestsPerSecond.toFixed(1)} requests/s`;
    return `${hours} h of traffic, ${rates}, ${repaired} repairs`;
  },
  fit({ services, serviceCount, p95Error }: FittedTwin): string {
    const errors = services.flatMap(({ service, cpuError, callsError, latencyError }) => [
      { service, what: 'CPU', error: cpuError ?? 0 },
      { service, what: 'calls', error: callsError ?? 0 },
      { service, what: 'latency', error: latencyError ?? 0 },
    ]);
    const worst = errors.reduce((a, b) => (b.error > a.error ? b : a));
    const tail = p95Error === null ? '' : `; of the p95 ${p95Error.toFixed(2)}`;
    return `${serviceCount} services, largest error ${worst.error.toFixed(2)} (${worst.what} of ${worst.service})${tail}`;
  },
  train(trained: readonly TrainedSeed[]): string {
    const steps = trained.reduce((sum, seed) => sum + seed.steps, 0);
    return `${trained.length} seeds, ${steps} steps, best score ${bestOf(trained).bestScore.toFixed(3)}`;
  },
  evaluate: ({ gate, chosenSeed }: EvaluationResult): string =>
    `seed ${chosenSeed}; gate ${gate.passed ? 'passed' : 'not passed'}`,
  deploy: ({ name, mode, state }: RunDeployment): string => {
    if (state === 'refused') return `not deployed, because the gate has not passed`;
    return `${name} (${mode})${state === 'opening' ? ', waiting for a control worker' : ''}`;
  },
  register: ({ name, version, alias }: RegisteredModel): string =>
    `${name} version ${version}${alias === null ? '' : ` (${alias})`}`,
} as const;
