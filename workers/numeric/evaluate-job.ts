import type { EvaluateJob, EvaluateOutcome } from '../../src/contracts/numeric.ts';
import type { ControllerResult, Estimate } from '../../src/contracts/runs.ts';
import { judgeGate } from '../../src/domain/gate.ts';
import { crossedBootstrap, pairedBootstrap } from '../../src/domain/statistics/paired-bootstrap.ts';
import type { BootstrapOptions } from '../../src/domain/statistics/paired-bootstrap.ts';
import { createFixedReplicas } from '../../src/rl/baselines/fixed-replicas.ts';
import { createHpa } from '../../src/rl/baselines/hpa.ts';
import { calibrate } from '../../src/rl/evaluation/calibrate.ts';
import { evaluateController, evaluatePolicy } from '../../src/rl/evaluation/evaluate.ts';
import type { EpisodeMeasures } from '../../src/rl/evaluation/evaluate.ts';
import { loadPolicy } from '../../src/rl/policy.ts';
import { Generator } from '../../src/rl/random.ts';
import { createProblem } from './boutique-problem.ts';
import type { ProblemPart } from './boutique-problem.ts';

/** Seed of the bootstrap's draws: the same measures always give the same intervals. */
const bootstrapSeed = 20_240_601;

/** One controller's measures: a row a training seed (baselines have one row), a column an episode. */
type Measures = readonly (readonly EpisodeMeasures[])[];

/**
 * The verdict on the trained policies. Everything is chosen on the validation part (the HPA's target, the fixed counts,
 * the seed that goes forward); the held-out part is read once, after that.
 */
export async function runEvaluateJob(job: EvaluateJob, signal: AbortSignal): Promise<EvaluateOutcome> {
  const { spec, policies } = job;
  const problem = createProblem(spec, job.recording, job.parts);
  const { hpaTargetPercent, fixedReplicas } = calibrate(
    problem.validate.options,
    problem.validate.episodes,
    spec.evaluate.hpaTargetsPercent,
    problem.scoreRule,
  );
  const chosen = policies.reduce((best, policy) => (policy.bestScore < best.bestScore ? policy : best));

  const heldOut = problem.heldOut();
  const policy = await measurePolicies(job, heldOut, signal);
  const hpa = evaluateController(createHpa({ targetPercent: hpaTargetPercent }), heldOut.options, heldOut.episodes);
  const fixed = evaluateController(createFixedReplicas(fixedReplicas), heldOut.options, heldOut.episodes);

  const bootstrap = (): BootstrapOptions => {
    const generator = new Generator(bootstrapSeed);
    const { bootstrapResamples: resamples, confidence } = spec.evaluate;
    return { resamples, confidence, random: () => generator.uniform() };
  };
  const gate = judgeGate(
    {
      sloViolationRate: pairedBootstrap(
        column(policy, 'sloViolationRate'),
        column([hpa], 'sloViolationRate')[0],
        bootstrap(),
      ),
      podSecondsRelative: pairedBootstrap(column(policy, 'podSeconds'), column([hpa], 'podSeconds')[0], {
        ...bootstrap(),
        relative: true,
      }),
    },
    spec.evaluate.gate,
  );
  return {
    results: [
      resultOf('policy', policy, bootstrap),
      resultOf('hpa-calibrated', [hpa], bootstrap),
      resultOf('fixed', [fixed], bootstrap),
    ],
    gate,
    chosenSeed: chosen.seed,
    calibration: { hpaTargetPercent, fixedReplicas },
    details: JSON.stringify({
      seeds: policies.map(({ seed }) => seed),
      episodes: heldOut.episodes,
      policy,
      hpa,
      fixed,
    }),
  };
}

async function measurePolicies(
  { policies }: EvaluateJob,
  { options, episodes }: ProblemPart,
  signal: AbortSignal,
): Promise<Measures> {
  const rows: EpisodeMeasures[][] = [];
  for (const { onnx } of policies) {
    const policy = await loadPolicy(onnx);
    try {
      rows.push(await evaluatePolicy(policy, options, episodes, signal));
    } finally {
      await policy.dispose();
    }
  }
  return rows;
}

function resultOf(controller: string, measures: Measures, bootstrap: () => BootstrapOptions): ControllerResult {
  const estimate = (name: keyof EpisodeMeasures, ceiling = Infinity): Estimate => {
    const { mean, low, high } = crossedBootstrap(column(measures, name), bootstrap());
    // The interval is symmetric in spirit; what is measured cannot be negative, nor a share above 1.
    return { mean, low: Math.max(low, 0), high: Math.min(high, ceiling) };
  };
  return {
    controller,
    p95LatencySeconds: estimate('p95LatencySeconds'),
    sloViolationRate: estimate('sloViolationRate', 1),
    podSeconds: estimate('podSeconds'),
    actionsPerMinute: estimate('actionsPerMinute'),
  };
}

function column(measures: Measures, name: keyof EpisodeMeasures): number[][] {
  return measures.map((row) => row.map((episode) => episode[name]));
}
