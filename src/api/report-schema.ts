import { z } from 'zod';
import { controlModes } from '../contracts/control.ts';
import { artifact, count, runStatus, sha256, stepName, text } from './schema-parts.ts';

/** Why a run failed. */
export const failure = z
  .strictObject({
    code: text('Code of the error table.'),
    message: text('What was wrong, where, and what to do.'),
    step: stepName.describe('Step that it happened in.'),
  })
  .meta({ id: 'Failure', description: 'Why a run failed, or where it was stopped.' });

const estimate = z
  .strictObject({ mean: z.number(), low: z.number(), high: z.number() })
  .meta({ id: 'Estimate', description: 'A mean with the bounds of its interval.' });

const controllerResult = z
  .strictObject({
    controller: text('`policy`, `hpa-calibrated` or `fixed`.'),
    p95LatencySeconds: estimate,
    sloViolationRate: estimate.describe('Share of requests slower than the SLO, 0 … 1.'),
    podSeconds: estimate,
    actionsPerMinute: estimate,
  })
  .meta({ id: 'ControllerResult', description: 'What one controller did on the held-out traffic.' });

/** A gate's verdict. */
export const gate = z
  .strictObject({ passed: z.boolean(), reasons: z.array(z.string()) })
  .meta({ id: 'Gate', description: 'The verdict of the promotion rule.' });

const range = z.strictObject({ from: count('First bin.'), to: count('Bin after the last.') });

const recording = z.strictObject({
  artifact,
  bins: count('Number of bins.'),
  binSeconds: z.number().describe('Length of a bin, seconds.'),
  parts: z.strictObject({ train: range, validate: range, heldOut: range }),
  repairs: z.strictObject({
    interpolatedBins: count('Missing bins that were interpolated.'),
    summedDuplicates: count('Repeated rows that were added up.'),
  }),
  meanRequestsPerSecond: z.number(),
  peakRequestsPerSecond: z.number(),
  cluster: artifact
    .nullable()
    .optional()
    .describe('Series of the cluster that it was recorded from; null for other sources, absent in reports of before.'),
});

const twinError = (what: string) =>
  z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .describe(`Of ${what}, relative to the larger of the two; null = nothing to compare with.`);

const deployment = z
  .strictObject({
    name: z.string().describe('Name of the deployment.'),
    mode: z.enum(controlModes),
    state: z
      .enum(['open', 'opening', 'refused'])
      .describe('opening: no control worker has opened it yet; refused: the gate has not passed.'),
  })
  .meta({ id: 'RunDeployment' });

const twin = z
  .strictObject({
    artifact: artifact.describe('The twin, JSON.'),
    services: z.array(
      z.strictObject({
        service: z.string(),
        cpuError: twinError('CPU'),
        callsError: twinError('calls'),
        latencyError: twinError('the own latency'),
      }),
    ),
    serviceCount: count('Services in the twin; of more than 100 the ones with the largest errors are listed.'),
    p95Error: twinError("the users' 95th percentile"),
    maxError: z.number().describe('What a service’s errors had to stay under.'),
    notes: z.array(z.string()).describe('What the recording did not tell.'),
  })
  .meta({ id: 'FittedTwin', description: 'The simulator that was fitted to the recording of a cluster.' });

const trainedSeed = z.strictObject({
  seed: count('Seed of this training.'),
  steps: count('Environment steps.'),
  episodes: count('Finished episodes.'),
  checkpoint: artifact,
  weightsSha256: sha256('Of the final parameters: equal runs give equal ones.'),
  policy: artifact.describe('ONNX policy with the best score on the validation part.'),
  policyMetadata: artifact.describe('JSON: layout of observation and action, normalisation.'),
  bestStep: count('Step of the best score.'),
  bestScore: z.number().describe('On the validation part; lower is better.'),
  seconds: z.number(),
  warnings: z.array(z.string()),
});

const tracking = z.strictObject({
  mode: z.enum(['off', 'online', 'offline']),
  sentPoints: count('Metric points that reached the tracker.'),
  unsentPoints: count('Metric points that did not.'),
  url: z.string().nullable(),
  warnings: z.array(z.string()),
});

/** RunReport. */
export const report = z
  .strictObject({
    runId: text('Id of the run.'),
    status: runStatus,
    seconds: z.number().describe('Duration of the run.'),
    model: z
      .strictObject({ name: z.string(), version: z.int(), alias: z.string().nullable() })
      .nullable()
      .describe('The version that was registered; `alias` is null when the gate did not pass.'),
    gate: gate.nullable(),
    results: z.array(controllerResult),
    recording: recording.nullable(),
    deployment: deployment.nullable().describe('Where the policy went; null for a run that deploys nothing.'),
    twin: twin.nullable().describe('The twin that was trained in; null for environments of their own.'),
    placement: z
      .strictObject({
        taskQueue: z.enum(['train-cpu', 'train-gpu']),
        device: z.enum(['cpu', 'cuda']),
        reason: z.string(),
      })
      .nullable(),
    training: z.array(trainedSeed),
    evaluation: z
      .strictObject({ chosenSeed: z.int(), hpaTargetPercent: z.number(), fixedReplicas: z.array(z.number()) })
      .nullable(),
    tracking: tracking.nullable(),
    failure: failure.nullable(),
  })
  .meta({ id: 'Report', description: 'The end of a run.' });
