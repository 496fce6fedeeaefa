import type { RunSpec } from '../../src/contracts/run-spec.ts';
import type { RunReport, RunStatus } from '../../src/contracts/runs.ts';
import type { ArtifactReference, MetricPoint, ModelRegistry, RecordingRecord } from '../../src/contracts/stores.ts';

/** A moment of the fixtures' time line: `seconds` after its start. */
export function moment(seconds: number): Date {
  return new Date(Date.UTC(2026, 0, 5, 12, 0, 0) + seconds * 1000);
}

/** An address that looks real; equal for equal digits. */
export function reference(digit: string): ArtifactReference {
  return { sha256: digit.repeat(64), bytes: 1234 };
}

/** A complete spec whose parameters hold the keys that are awkward in a database. */
export const someSpec: RunSpec = {
  version: 1,
  name: 'online-boutique',
  description: 'A spec of the store suite.',
  gitSha: null,
  device: 'auto',
  collect: {
    source: {
      kind: 'generator',
      days: 2,
      meanRequestsPerSecond: 120.5,
      dailyAmplitude: 0.5,
      weekendDrop: 0.25,
      flashCrowdsPerDay: 1,
      flashCrowdPeak: 3,
      flashCrowdMinutes: 10,
      noise: 0.05,
    },
    binSeconds: 15,
    seed: 7,
    split: { train: 0.6, validate: 0.2, heldOut: 0.2 },
  },
  fit: { maxError: 0.2 },
  environment: {
    name: 'online-boutique',
    parameters: { 'slo.p95': 0.5, $limits: [1, { 'a.b': null }, [[2], []]], '': true },
  },
  agent: { algorithm: 'ppo', hyperparameters: { learningRate: 3e-4, 'net%': [64, 64] } },
  train: { seeds: [1, 2], totalSteps: 4096, environments: 8, evaluateEverySteps: 1024, checkpointEverySteps: 1024 },
  evaluate: {
    validationEpisodes: 2,
    heldOutEpisodes: 4,
    hpaTargetsPercent: [20, 40, 60, 80],
    bootstrapResamples: 1000,
    confidence: 0.95,
    gate: { maxViolationRateIncrease: 0.001, maxPodSecondsIncrease: 0 },
  },
  register: { model: 'boutique-policy', alias: 'champion' },
  deploy: null,
  tracking: { wandb: { enabled: 'auto', project: 'coxswain', entity: null, tags: [] } },
};

/** Arguments of `createRun`. */
export function newRun(runId: string, seconds = 0, specSha256 = 'a'.repeat(64)) {
  return { runId, spec: someSpec, specSha256, at: moment(seconds) };
}

/** A report with nothing in it but its end. */
export function someReport(runId: string, status: RunStatus): RunReport {
  return {
    runId,
    status,
    seconds: 12.5,
    model: null,
    gate: { passed: false, reasons: ['pod-seconds +3 % (limit 0)'] },
    results: [],
    recording: null,
    twin: null,
    deployment: null,
    placement: null,
    training: [],
    evaluation: { chosenSeed: 1, hpaTargetPercent: 40, fixedReplicas: [1, 2, 3] },
    tracking: null,
    failure: null,
  };
}

/** A metric point whose values depend on its step. */
export function point(runId: string, series: string, step: number, loss = step / 3): MetricPoint {
  return { runId, series, step, at: moment(step), values: { loss, 'replicas.frontend': 3, $steps: 1e12 } };
}

/** Arguments of `registerVersion`. */
export function newVersion(model: string, runId: string): Parameters<ModelRegistry['registerVersion']>[0] {
  return {
    model,
    policy: reference('b'),
    metadata: reference('c'),
    lineage: {
      runId,
      recordingSha256: 'd'.repeat(64),
      gitSha: null,
      specSha256: 'e'.repeat(64),
      seed: 3,
      step: 40_960,
      weightsSha256: 'f'.repeat(64),
      versions: { node: '24.21.0', '@tensorflow/tfjs-core': '4.22.0', 'cpu.model': 'some CPU' },
    },
    gate: { passed: true, reasons: ['every bound is met'] },
    trainedFor: {
      environment: { name: 'twin', parameters: { 'a.b': 1, $c: null } },
      twin: reference('7'),
      hpaTargetPercent: 60,
    },
    at: moment(60),
  };
}

/** A catalogue entry. */
export const someRecording: RecordingRecord = {
  artifact: reference('9'),
  source: 'generator',
  bins: 11_520,
  binSeconds: 15,
  parts: { train: { from: 0, to: 6912 }, validate: { from: 6912, to: 9216 }, heldOut: { from: 9216, to: 11_520 } },
  repairs: { interpolatedBins: 2, summedDuplicates: 0 },
  meanRequestsPerSecond: 119.25,
  peakRequestsPerSecond: 388,
  createdAt: moment(5),
};
