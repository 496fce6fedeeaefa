import type { Estimate, RunProgress, RunReport } from '../../../src/contracts/runs.ts';

function around(mean: number, halfWidth: number): Estimate {
  return { mean, low: mean - halfWidth, high: mean + halfWidth };
}

/** A completed run whose gate did not pass. */
export const sampleReport: RunReport = {
  runId: 'online-boutique-20260301-101500-a1b2',
  status: 'completed',
  seconds: 222.4,
  model: { name: 'boutique-scaler', version: 3, alias: null },
  gate: { passed: false, reasons: ['Violations rise by up to 0.30 percentage points; the rule allows 0.10.'] },
  results: [
    {
      controller: 'policy',
      p95LatencySeconds: around(0.2123, 0.01),
      sloViolationRate: around(0.0031, 0.001),
      podSeconds: around(120_000, 4000),
      actionsPerMinute: around(1.5, 0.2),
    },
    {
      controller: 'hpa-calibrated',
      p95LatencySeconds: around(0.2423, 0.01),
      sloViolationRate: around(0.0021, 0.001),
      podSeconds: around(160_000, 4000),
      actionsPerMinute: around(3, 0.2),
    },
    {
      controller: 'fixed',
      p95LatencySeconds: around(0.18, 0.01),
      sloViolationRate: around(0.0001, 0.00005),
      podSeconds: around(240_000, 0),
      actionsPerMinute: around(0, 0),
    },
  ],
  recording: {
    artifact: { sha256: 'a'.repeat(64), bytes: 1000 },
    bins: 80_640,
    binSeconds: 15,
    parts: {
      train: { from: 0, to: 60_000 },
      validate: { from: 60_000, to: 70_000 },
      heldOut: { from: 70_000, to: 80_640 },
    },
    repairs: { interpolatedBins: 4, summedDuplicates: 0 },
    meanRequestsPerSecond: 38.2,
    peakRequestsPerSecond: 140,
    cluster: null,
  },
  twin: null,
  deployment: null,
  placement: { taskQueue: 'train-cpu', device: 'cpu', reason: 'No GPU worker polls, so training ran on the CPU.' },
  training: [11, 12].map((seed) => ({
    seed,
    steps: 200_000,
    episodes: 833,
    checkpoint: { sha256: 'b'.repeat(64), bytes: 10 },
    weightsSha256: 'c'.repeat(64),
    policy: { sha256: 'd'.repeat(64), bytes: 10 },
    policyMetadata: { sha256: 'e'.repeat(64), bytes: 10 },
    bestStep: 150_000,
    bestScore: 12.5,
    seconds: 80,
    warnings: seed === 12 ? ['the CPU type changed in mid-training'] : [],
  })),
  evaluation: { chosenSeed: 12, hpaTargetPercent: 60, fixedReplicas: [2, 3, 1, 1, 4, 2, 2, 1, 1, 1, 1] },
  tracking: { mode: 'online', sentPoints: 96, unsentPoints: 4, url: null, warnings: ['the server answered 503'] },
  failure: null,
};

/** A run in the middle of its training. */
export const sampleProgress: RunProgress = {
  status: 'running',
  step: 'train',
  fraction: 0.25,
  steps: [
    { name: 'validate', status: 'completed', summary: 'spec accepted' },
    { name: 'collect', status: 'completed', summary: '14 days of traffic' },
    { name: 'train', status: 'running', summary: '2 seeds' },
    { name: 'evaluate', status: 'pending', summary: '' },
    { name: 'register', status: 'pending', summary: '' },
  ],
  metrics: { episodeReturn: -12.25, episodes: 50, stepsPerSecond: 4000 },
  training: [
    {
      seed: 11,
      step: 50_000,
      totalSteps: 100_000,
      metrics: { episodeReturn: -12, episodes: 60, stepsPerSecond: 4000 },
    },
    {
      seed: 12,
      step: 100_000,
      totalSteps: 100_000,
      metrics: { episodeReturn: -12.5, episodes: 40, stepsPerSecond: 3000 },
    },
  ],
};
