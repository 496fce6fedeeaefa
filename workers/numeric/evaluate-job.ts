import { setImmediate } from 'node:timers/promises';
import type { EvaluateJob, EvaluateOutcome } from '../../src/contracts/numeric.ts';
import type { RunSpec } from '../../src/contracts/run-spec.ts';
import type { ControllerResult, Estimate, GateVerdict } from '../../src/contracts/runs.ts';
import { judgeGate } from '../../src/domain/gate.ts';
import { crossedBootstrap, pairedBootstrap } from '../../src/domain/statistics/paired-bootstrap.ts';
import type { BootstrapOptions, Interval } from '../../src/domain/statistics/paired-bootstrap.ts';
import { createFixedReplicas } from '../../src/rl/baselines/fixed-replicas.ts';
import { createHpa } from '../../src/rl/baselines/hpa.ts';
import { calibrate } from '../../src/rl/evaluation/calibrate.ts';
import { evaluateController, evaluatePolicy } from '../../src/rl/evaluation/evaluate.ts';
import type { EpisodeMeasures } from '../../src/rl/evaluation/evaluate.ts';
import { loadPolicy } from '../../src/rl/policy.ts';
import { Generator } from '../../src/rl/random.ts';
import { createProblem } from './scaling-problem.ts';
import type { ProblemPart } from './scaling-problem.ts';

/** Seed of the bootstrap's draws. */
const bootstrapSeed = 20_240_601;

/** One controller's measures: a row a training seed (baselines have one row), a column an episode. */
type Measures = readonly (readonly EpisodeMeasures[])[];

/**
 * The verdict on the trained policies. Everything is chosen on the validation part (the HPA's target, the fixed counts,
 * the seed that goes forward); the held-out part is read once, after that.
 */
export async function runEvaluateJob(job: EvaluateJob, signal: AbortSignal): Promise<EvaluateOutcome> {
  const { spec, policies } = job;
  const problem = createProblem(spec, job.recording, job.parts, job.twin);
  const { hpaTargetPercent, fixedReplicas } = calibrate(
    problem.validate.task,
    problem.validate.episodes,
    spec.evaluate.hpaTargetsPercent,
    problem.scoreRule,
  );
  const chosen = policies.reduce((best, policy) => (policy.bestScore < best.bestScore ? policy : best));

  await breathe(signal);
  const heldOut = problem.heldOut();
  const measured: Measured = {
    policy: await measurePolicies(job, heldOut, signal),
    hpa: evaluateController(createHpa({ targetPercent: hpaTargetPercent }), heldOut.task, heldOut.episodes),
    fixed: evaluateController(createFixedReplicas(fixedReplicas), heldOut.task, heldOut.episodes),
  };
  return {
    results: await resultsOf(measured, spec, signal),
    gate: judge(measured, spec),
    chosenSeed: chosen.seed,
    calibration: { hpaTargetPercent, fixedReplicas },
    details: JSON.stringify({ seeds: policies.map(({ seed }) => seed), episodes: heldOut.episodes, ...measured }),
  };
}

/** Everything that was measured on the held-out episodes. */
interface Measured {
  readonly policy: Measures;
  readonly hpa: readonly EpisodeMeasures[];
  readonly fixed: readonly EpisodeMeasures[];
}

/** Lets this process hear of a cancellation, or of the end of its worker, between two stretches of arithmetic. */
async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}

async function measurePolicies(
  { policies }: EvaluateJob,
  { task, episodes }: ProblemPart,
  signal: AbortSignal,
): Promise<Measures> {
  const rows: EpisodeMeasures[][] = [];
  for (const { onnx } of policies) {
    const policy = await loadPolicy(onnx);
    try {
      rows.push(await evaluatePolicy(policy, task, episodes, signal));
    } finally {
      await policy.dispose();
    }
  }
  return rows;
}

async function resultsOf(measured: Measured, spec: RunSpec, signal: AbortSignal): Promise<ControllerResult[]> {
  const controllers = { policy: measured.policy, 'hpa-calibrated': [measured.hpa], fixed: [measured.fixed] };
  const results: ControllerResult[] = [];
  for (const [controller, measures] of Object.entries(controllers)) {
    const estimate = async (name: keyof EpisodeMeasures, ceiling = Infinity): Promise<Estimate> => {
      await breathe(signal);
      const { mean, low, high } = crossedBootstrap(column(measures, name), bootstrap(spec));
      // The interval is symmetric in spirit; what is measured cannot be negative, nor a share above 1.
      return { mean, low: Math.max(low, 0), high: Math.min(high, ceiling) };
    };
    results.push({
      controller,
      p95LatencySeconds: await estimate('p95LatencySeconds'),
      sloViolationRate: await estimate('sloViolationRate', 1),
      podSeconds: await estimate('podSeconds'),
      actionsPerMinute: await estimate('actionsPerMinute'),
    });
  }
  return results;
}

function judge({ policy, hpa }: Measured, spec: RunSpec): GateVerdict {
  const difference = (name: 'sloViolationRate' | 'podSeconds', relative: boolean): Interval =>
    pairedBootstrap(column(policy, name), column([hpa], name)[0], { ...bootstrap(spec), relative });
  const differences = {
    sloViolationRate: difference('sloViolationRate', false),
    podSecondsRelative: difference('podSeconds', true),
  };
  return judgeGate(differences, spec.evaluate.gate);
}

/** The same draws for every interval, so that the same measures always give the same ones. */
function bootstrap({ evaluate: { bootstrapResamples: resamples, confidence } }: RunSpec): BootstrapOptions {
  const generator = new Generator(bootstrapSeed);
  return { resamples, confidence, random: () => generator.uniform() };
}

function column(measures: Measures, name: keyof EpisodeMeasures): number[][] {
  return measures.map((row) => row.map((episode) => episode[name]));
}
