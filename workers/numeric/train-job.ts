import { createHash } from 'node:crypto';
import { extname } from 'node:path';

import type { TrainJob, TrainOutcome, TrainPoint } from '../../src/contracts/numeric.ts';
import type { Algorithm, EnvironmentRecipe } from '../../src/rl/algorithm.ts';
import { algorithmNamed } from '../../src/rl/algorithms/load-algorithms.ts';
import { readCheckpoint } from '../../src/rl/checkpoint.ts';
import { createOnlineBoutique } from '../../src/rl/environments/online-boutique/online-boutique.ts';
import { evaluatePolicy } from '../../src/rl/evaluation/evaluate.ts';
import { scoreOf } from '../../src/rl/evaluation/score.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Evaluator, Training, TrainingOutcome, UpdateMetrics } from '../../src/rl/training-loop.ts';
import { createProblem } from './boutique-problem.ts';
import type { Problem } from './boutique-problem.ts';

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
  const { spec, recording, parts, seed, device, checkpoint } = job;
  const problem = createProblem(spec, recording, parts);
  const { environments, totalSteps, evaluateEverySteps, checkpointEverySteps } = spec.train;
  return createTraining({
    algorithm: algorithmNamed(spec.agent.algorithm, algorithms, 'agent.algorithm'),
    hyperparameters: spec.agent.hyperparameters,
    environments: Array.from({ length: environments }, () => createOnlineBoutique(problem.train)),
    recipe: recipeOf(problem),
    seed,
    totalSteps,
    device,
    evaluator: evaluatorOn(problem),
    evaluationIntervalSteps: evaluateEverySteps,
    checkpointIntervalSteps: checkpointEverySteps,
    ...(checkpoint === null ? {} : { checkpoint }),
  });
}

/** How an actor process makes the same environment. */
function recipeOf({ train }: Problem): EnvironmentRecipe {
  // With this file's own extension: .ts in the project, .js in the package.
  const file = `../../src/rl/environments/online-boutique/online-boutique${extname(import.meta.url)}`;
  return { module: new URL(file, import.meta.url).href, factory: createOnlineBoutique.name, options: train };
}

/** The training's evaluator maximises; the documented score is better when lower. */
function evaluatorOn({ validate: { options, episodes }, scoreRule }: Problem): Evaluator {
  return async (policy, { signal }) => {
    const measures = await evaluatePolicy(policy, options, episodes, signal);
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
