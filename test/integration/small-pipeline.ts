import type { RunReport } from '../../src/contracts/runs.ts';

/** A pipeline that takes seconds: a day of generated traffic, two seeds, short episodes. */
export const smallSpec = {
  version: 1,
  name: 'small',
  device: 'cpu',
  collect: { source: { kind: 'generator', days: 1, meanRequestsPerSecond: 60 } },
  environment: { name: 'online-boutique', parameters: { episodeSteps: 40 } },
  agent: {
    algorithm: 'ppo',
    hyperparameters: { hiddenSizes: [32, 32], rolloutSteps: 512, minibatchSize: 128, epochs: 4 },
  },
  train: {
    seeds: [1, 2],
    totalSteps: 40_960,
    environments: 8,
    evaluateEverySteps: 8_192,
    checkpointEverySteps: 2_048,
  },
  evaluate: { validationEpisodes: 3, heldOutEpisodes: 4, bootstrapResamples: 200 },
  register: { model: 'small', alias: 'champion' },
} as const;

/** The weights' hashes of a run, by seed. */
export function weightsOf({ training }: RunReport): Record<number, string> {
  return Object.fromEntries(training.map(({ seed, weightsSha256 }) => [seed, weightsSha256]));
}
