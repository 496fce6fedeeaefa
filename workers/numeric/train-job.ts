import { createHash } from 'node:crypto';

import type { TrainJob, TrainOutcome, TrainPoint } from '../../src/contracts/numeric.ts';
import type { Algorithm } from '../../src/rl/algorithm.ts';
import { algorithmNamed } from '../../src/rl/algorithms/load-algorithms.ts';
import { readCheckpoint } from '../../src/rl/checkpoint.ts';
import { evaluatePolicy } from '../../src/rl/evaluation/evaluate.ts';
import { scoreOf } from '../../src/rl/evaluation/score.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Evaluator, Training, TrainingOutcome, UpdateMetrics } from '../../src/rl/training-loop.ts';
import { createProblem } from './scaling-problem.ts';
import type { Problem } from './scaling-problem.ts';

/** What a training job reports to, in the child itself. */
export interface TrainJobHooks {
  readonly signal: AbortSignal;
  readonly onPoint: (point: TrainPoint) => void;
  /** The training waits for it. */
  readonly onCheckpoint: (checkpoint: { step: number; bytes: Uint8Array }) => Promise<void>;
}

/**
 * Trains one seed of a spec; ends early with `cancelled` at an update boundary after `signal`.
 * @param algorithms those that the spec may name.
 */
export async function runTrainJob(
  job: TrainJob,
  algorithms: Readonly<Record<string, Algorithm>>,
  hooks: TrainJobHooks,
): Promise<TrainOutcome> {
  const training = await setUp(job, algorithms);
  try {
    const outcome = await training.run({
      signal: hooks.signal,
      onUpdate({ step, metrics }) {
        hooks.onPoint({ series: 'train', step, values: valuesOf(metrics) });
      },
      onEvaluation({ step, score, best, metrics }) {
        hooks.onPoint({ series: 'validate', step, values: { score: -score, best: Number(best), ...metrics } });
      },
      onCheckpoint: hooks.onCheckpoint,
    });
    return outcome.status === 'cancelled' ? { status: 'cancelled' } : await completed(training, outcome);
  } finally {
    await training.dispose();
  }
}

function setUp(job: TrainJob, algorithms: Readonly<Record<string, Algorithm>>): Promise<Training> {
  const { spec, recording, parts, twin, seed, device, checkpoint } = job;
  const problem = createProblem(spec, recording, parts, twin);
  const { environments, totalSteps, evaluateEverySteps, checkpointEverySteps } = spec.train;
  return createTraining({
    algorithm: algorithmNamed(spec.agent.algorithm, algorithms, 'agent.algorithm'),
    hyperparameters: spec.agent.hyperparameters,
    environments: Array.from({ length: environments }, () => problem.train.createForAgent()),
    recipe: problem.train.recipe,
    seed,
    totalSteps,
    device,
    evaluator: evaluatorOn(problem),
    evaluationIntervalSteps: evaluateEverySteps,
    checkpointIntervalSteps: checkpointEverySteps,
    ...(checkpoint === null ? {} : { checkpoint }),
  });
}

/** The training's evaluator maximises; the documented score is better when lower. */
function evaluatorOn({ validate: { task, episodes }, scoreRule }: Problem): Evaluator {
  return async (policy, { signal }) => {
    const measures = await evaluatePolicy(policy, task, episodes, signal);
    const mean = (name: keyof (typeof measures)[number]): number =>
      measures.reduce((sum, episode) => sum + episode[name], 0) / measures.length;
    const metrics = {
      p95LatencySeconds: mean('p95LatencySeconds'),
      sloViolationRate: mean('sloViolationRate'),
      podSeconds: mean('podSeconds'),
      actionsPerMinute: mean('actionsPerMinute'),
      episodeReturn: mean('episodeReturn'),
    };
    return { score: -scoreOf(measures, scoreRule), metrics };
  };
}

/** The metrics as one flat record of finite numbers; what is not known yet is left out. */
function valuesOf({ measures, learning, ...metrics }: UpdateMetrics): Record<string, number> {
  const named = Object.entries(measures).map(([name, value]) => [`environment.${name}`, value] as const);
  const all = [...Object.entries(metrics), ...Object.entries(learning), ...named];
  return Object.fromEntries(all.filter((entry): entry is [string, number] => entry[1] !== null));
}

async function completed(training: Training, outcome: TrainingOutcome): Promise<TrainOutcome> {
  const { parameters } = readCheckpoint(training.checkpoint());
  const { onnx, metadata } = await training.exportPolicy('best');
  const best = outcome.best!; // an evaluator is always given
  return {
    status: 'completed',
    steps: outcome.step,
    episodes: training.episodes,
    weightsSha256: createHash('sha256').update(parameters).digest('hex'),
    bestStep: best.step,
    bestScore: -best.score,
    policy: onnx,
    policyMetadata: JSON.stringify(metadata),
    warnings: training.warnings,
  };
}
