import { createHash } from 'node:crypto';

import { CoxswainError } from '../contracts/errors.ts';
import type { DeviceName } from '../tensor/device.ts';
import type { Agent, AgentState, IterationMetrics, PolicyWeights } from './agent.ts';
import type { Algorithm, EnvironmentRecipe } from './algorithm.ts';
import { changeWarning, invalid as invalidCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Environment, EnvironmentDescription } from './environment.ts';
import { EventLoopTurns } from './event-loop-turns.ts';
import { exportPolicy, policyModel } from './policy-export.ts';
import type { ExportedPolicy } from './policy-export.ts';
import { loadPolicy } from './policy.ts';
import type { Policy } from './policy.ts';
import { Generator } from './random.ts';
import { VectorEnvironment } from './vector-environment.ts';
import type { VectorEnvironmentState } from './vector-environment.ts';

/** What a training is made of. Together with the code these decide every weight, bit for bit. */
export interface TrainingOptions {
  readonly algorithm: Algorithm;
  /** What differs from the algorithm's defaults. Default nothing. */
  readonly hyperparameters?: unknown;
  /**
   * The environments that the agent acts in side by side, all with the same spaces. The training resets, steps and owns
   * them.
   */
  readonly environments: readonly Environment[];
  /** How other processes can make such an environment; algorithms with actor processes need it. Default: they cannot. */
  readonly recipe?: EnvironmentRecipe;
  /** uint32; initial weights, actions, minibatches and episode seeds follow from it. */
  readonly seed: number;
  /** Environment steps, summed over all environments; rounded up to whole iterations. */
  readonly totalSteps: number;
  /** Where updates run. Default `cpu`. Acting stays on the CPU: its batches are too small for a card. */
  readonly device?: DeviceName;
  /** Scores the policy during training; the weights with the best score are kept. Default: none. */
  readonly evaluator?: Evaluator;
  /**
   * Steps between two evaluations; each happens at the first update boundary at or after its multiple, and one more
   * at the end. Default: `totalSteps / 20`.
   */
  readonly evaluationIntervalSteps?: number;
  /** Steps between two calls of `onCheckpoint`. Default: every update. */
  readonly checkpointIntervalSteps?: number;
  /**
   * A checkpoint to go on from. The result is bit for bit that of an undisturbed training.
   * @throws CoxswainError CHECKPOINT_INVALID from `createTraining` when it is damaged or of another agent, seed or spaces.
   */
  readonly checkpoint?: Uint8Array;
}

/**
 * Scores a policy (higher is better). It must use its own environments and draw everything random from constants or
 * from `step`: what it returns decides which weights are best, so it is part of the determinism contract.
 * When the signal comes before it has its score, it throws the signal's reason: that evaluation is repeated later.
 */
export type Evaluator = (
  policy: Policy,
  context: { readonly step: number; readonly signal: AbortSignal },
) => Promise<Evaluation>;

export interface Evaluation {
  /** Finite; higher is better. */
  readonly score: number;
  /** Further figures for the report, by name. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** The figures of one iteration. */
export interface UpdateMetrics extends IterationMetrics {
  /** Mean undiscounted return of the last 100 finished episodes; null before the first. */
  readonly episodeReturn: number | null;
  /** Mean length of the same episodes in steps; null before the first. */
  readonly episodeLength: number | null;
  /** Episodes finished since the training began. */
  readonly episodes: number;
  /** Environment steps per second of wall time, acting and updating together; not reproducible, unlike all others. */
  readonly stepsPerSecond: number;
}

/** After every iteration of the agent: an update phase, or some hundred steps of an algorithm that learns at every few. */
export interface UpdateReport {
  /** Environment steps done so far; strictly increasing, the same at every repetition: a key for metric points. */
  readonly step: number;
  readonly totalSteps: number;
  /** Iterations done so far, from 1. */
  readonly update: number;
  readonly metrics: UpdateMetrics;
}

/** After every evaluation. */
export interface EvaluationReport extends Evaluation {
  readonly step: number;
  /** True when these weights are the best so far; ties go to the later ones. */
  readonly best: boolean;
}

/** A checkpoint at an update boundary. */
export interface CheckpointReport {
  readonly step: number;
  readonly bytes: Uint8Array;
}

/** What {@link Training.run} tells while it goes on. It waits for each promise before the next step. */
export interface RunOptions {
  /** Stops at the next update boundary (tens of milliseconds to a second), after a last `onCheckpoint`. */
  readonly signal?: AbortSignal;
  readonly onUpdate?: (report: UpdateReport) => void | Promise<void>;
  readonly onEvaluation?: (report: EvaluationReport) => void | Promise<void>;
  /** Every `checkpointIntervalSteps`, when cancelled, and at the end. */
  readonly onCheckpoint?: (report: CheckpointReport) => void | Promise<void>;
}

/** How a run ended. */
export interface TrainingOutcome {
  /** `cancelled`: the signal came first; `run` may be called again and goes on. */
  readonly status: 'completed' | 'cancelled';
  readonly step: number;
  /** The best evaluation so far; null without an evaluator. */
  readonly best: { readonly step: number; readonly score: number } | null;
}

/** Which weights: those of the best evaluation (the latest when there was none), or the latest. */
export type WeightsChoice = 'best' | 'latest';

/** A training under way. Its methods must not be called while a promise of `run` is pending, except from its callbacks. */
export interface Training {
  readonly step: number;
  /** Episodes finished since the training began, those before a resume included. */
  readonly episodes: number;
  /** Changes of machine, device or package versions between this training's parts; also in its checkpoints. */
  readonly warnings: readonly string[];
  /**
   * Trains until `totalSteps` or until the signal.
   * @throws CoxswainError TRAINING_DIVERGED when a reward, loss, gradient or weight is not finite; the training then
   * still holds the state of the last update boundary, so `checkpoint` and `exportPolicy` work.
   */
  run(options?: RunOptions): Promise<TrainingOutcome>;
  /** Everything needed to go on, as of the last update boundary. */
  checkpoint(): Uint8Array;
  /** The policy as it acts now (the default), or acted at its best; dispose of it after use. */
  policy(weights?: WeightsChoice): Promise<Policy>;
  /** The policy as an ONNX file with metadata. Default `best`. */
  exportPolicy(weights?: WeightsChoice): Promise<ExportedPolicy>;
  /** Frees the compiled programs. */
  dispose(): Promise<void>;
}

/**
 * Sets up a training, from its beginning or from a checkpoint. Nothing runs before `run`.
 * @throws CoxswainError ENVIRONMENT_INVALID when the environments do not fit together or their spaces are not supported,
 * SPEC_INVALID when a number of the options or a hyperparameter is out of range, CHECKPOINT_INVALID, DEVICE_UNAVAILABLE,
 * ALGORITHM_INVALID when the algorithm breaks its contract.
 */
export async function createTraining(options: TrainingOptions): Promise<Training> {
  checkOptions(options);
  const { algorithm, device = 'cpu', seed, recipe = null } = options;
  const checkpoint = options.checkpoint ? readCheckpoint(options.checkpoint) : null;
  const root = new Generator(seed);
  const generator = root.fork();
  const environments = new VectorEnvironment(options.environments, root.fork());
  const { description, count } = environments;
  const config = algorithm.configure(options.hyperparameters, count);
  const identity = identityOf(options, config, description);
  if (checkpoint && checkpoint.identity !== identity) {
    throw invalidCheckpoint('it belongs to another agent, seed, environment or number of environments');
  }
  const agent = await algorithm.createAgent(config, {
    environment: description,
    environments: count,
    generator,
    device,
    recipe,
  });
  try {
    return new TrainingLoop(options, identity, agent, environments, checkpoint);
  } catch (error) {
    await agent.dispose();
    throw error;
  }
}

/** The weights with the best score so far. */
interface Best {
  readonly step: number;
  readonly score: number;
  readonly weights: PolicyWeights;
}

/** Where the training stood at the last boundary, beside what the agent remembers of it. */
interface Boundary {
  readonly step: number;
  readonly update: number;
  /** JSON of a VectorEnvironmentState: environments may hand out what they go on changing. */
  readonly environments: string;
  readonly best: Best | null;
}

/** The part of a checkpoint that is not in its arrays; JSON. */
interface CheckpointValues {
  readonly step: number;
  readonly update: number;
  readonly agent: unknown;
  readonly environments: string;
  readonly best: { readonly step: number; readonly score: number } | null;
}

/**
 * 1. Except while `advance` is under way, agent and environments stand at `boundary`.
 * 2. `boundary` is replaced only when an update and the evaluation that may belong to it are complete, so whatever is
 *    thrown in between, going back to it loses nothing but that update.
 * 3. Callbacks see the new boundary: a checkpoint taken in `onUpdate` holds that update.
 */
class TrainingLoop implements Training {
  readonly warnings: readonly string[];
  private readonly options: TrainingOptions;
  private readonly identity: string;
  private readonly agent: Agent;
  private readonly environments: VectorEnvironment;
  private readonly turns = new EventLoopTurns();
  private boundary: Boundary;

  constructor(
    options: TrainingOptions,
    identity: string,
    agent: Agent,
    environments: VectorEnvironment,
    checkpoint: Checkpoint | null,
  ) {
    this.options = options;
    this.identity = identity;
    this.agent = agent;
    this.environments = environments;
    this.boundary = checkpoint ? this.resumed(checkpoint) : this.boundaryAt(0, 0, null);
    this.warnings = checkpoint
      ? [...checkpoint.warnings, ...changeWarning('device', checkpoint.device, options.device ?? 'cpu')]
      : [];
    this.agent.mark();
  }

  get step(): number {
    return this.boundary.step;
  }

  get episodes(): number {
    return this.environments.episodes;
  }

  async run(callbacks: RunOptions = {}): Promise<TrainingOutcome> {
    const { totalSteps, checkpointIntervalSteps = 1 } = this.options;
    const signal = callbacks.signal ?? new AbortController().signal;
    let handedOver = this.step;
    while (this.step < totalSteps && !signal.aborted) {
      const reports = await this.advance(signal);
      if (!reports) break;
      // An algorithm that waits for nothing would never let the process hear of the signal.
      await this.turns.give();
      await callbacks.onUpdate?.(reports.update);
      if (reports.evaluation) await callbacks.onEvaluation?.(reports.evaluation);
      if (this.step - handedOver < checkpointIntervalSteps) continue;
      handedOver = this.step;
      await callbacks.onCheckpoint?.({ step: this.step, bytes: this.checkpoint() });
    }
    if (this.step !== handedOver) await callbacks.onCheckpoint?.({ step: this.step, bytes: this.checkpoint() });
    const { best, step } = this.boundary;
    return {
      status: step >= totalSteps ? 'completed' : 'cancelled',
      step,
      best: best && { step: best.step, score: best.score },
    };
  }

  checkpoint(): Uint8Array {
    const { step, update, environments, best } = this.boundary;
    const agent = this.agent.saveState();
    const values: CheckpointValues = {
      step,
      update,
      agent: agent.values,
      environments,
      best: best && { step: best.step, score: best.score },
    };
    return writeCheckpoint({
      identity: this.identity,
      device: this.options.device ?? 'cpu',
      arrays: { ...agent.arrays, ...(best ? bestArrays(best.weights) : {}) },
      values,
      warnings: this.warnings,
    });
  }

  async policy(weights: WeightsChoice = 'latest'): Promise<Policy> {
    return loadPolicy(policyModel(this.agent.policy, this.chosen(weights).weights));
  }

  async exportPolicy(choice: WeightsChoice = 'best'): Promise<ExportedPolicy> {
    const { weights, step, score } = this.chosen(choice);
    return exportPolicy(this.agent.policy, weights, {
      algorithm: this.options.algorithm.name,
      environment: this.environments.description,
      trainedSteps: step,
      score,
    });
  }

  dispose(): Promise<void> {
    return this.agent.dispose();
  }

  /** One update, with the evaluation after it when one is due; null when the signal cut the evaluation off. */
  private async advance(
    signal: AbortSignal,
  ): Promise<{ update: UpdateReport; evaluation: EvaluationReport | null } | null> {
    const { step: before, update, best } = this.boundary;
    const { totalSteps } = this.options;
    try {
      const started = performance.now();
      const figures = await this.agent.iterate(this.environments, { step: before, totalSteps });
      const seconds = (performance.now() - started) / 1000;
      const step = before + this.agent.iterationSteps;
      const evaluation = this.evaluationDue(before, step) ? await this.evaluate(step, signal) : null;
      const newBest = evaluation?.best ? { step, score: evaluation.score, weights: this.agent.weights() } : best;
      this.boundary = this.boundaryAt(step, update + 1, newBest);
      this.agent.mark();
      const metrics: UpdateMetrics = {
        ...this.environments.recentMeans,
        episodes: this.environments.episodes,
        ...figures,
        stepsPerSecond: this.agent.iterationSteps / seconds,
      };
      return { update: { step, totalSteps, update: update + 1, metrics }, evaluation };
    } catch (error) {
      this.goBack();
      if (signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError')))
        return null;
      throw error;
    }
  }

  /** True when a multiple of the interval, or the end, lies in (before, step]. */
  private evaluationDue(before: number, step: number): boolean {
    const { evaluator, totalSteps, evaluationIntervalSteps = Math.ceil(totalSteps / 20) } = this.options;
    if (!evaluator) return false;
    return (
      step >= totalSteps || Math.floor(step / evaluationIntervalSteps) > Math.floor(before / evaluationIntervalSteps)
    );
  }

  private async evaluate(step: number, signal: AbortSignal): Promise<EvaluationReport> {
    const policy = await this.policy('latest');
    try {
      const evaluation = await this.options.evaluator!(policy, { step, signal });
      if (!Number.isFinite(evaluation.score)) {
        throw new CoxswainError('TRAINING_DIVERGED', `The evaluator's score is ${evaluation.score} at step ${step}.`);
      }
      return { ...evaluation, step, best: evaluation.score >= (this.boundary.best?.score ?? -Infinity) };
    } finally {
      await policy.dispose();
    }
  }

  private chosen(choice: WeightsChoice): { weights: PolicyWeights; step: number; score: number | null } {
    const { best, step } = this.boundary;
    return choice === 'best' && best ? best : { weights: this.agent.weights(), step, score: null };
  }

  private boundaryAt(step: number, update: number, best: Best | null): Boundary {
    return { step, update, environments: JSON.stringify(this.environments.saveState()), best };
  }

  /** Takes over the state of a checkpoint. */
  private resumed({ arrays, values }: Checkpoint): Boundary {
    const { step, update, agent, environments, best } = values as CheckpointValues;
    this.agent.loadState({ arrays, values: agent });
    this.environments.loadState(JSON.parse(environments) as VectorEnvironmentState);
    return { step, update, environments, best: best && { ...best, weights: bestWeights(arrays) } };
  }

  private goBack(): void {
    this.agent.goBack();
    this.environments.loadState(JSON.parse(this.boundary.environments) as VectorEnvironmentState);
  }
}

function bestArrays({ parameters, normalisation }: PolicyWeights): Record<string, Float32Array> {
  return {
    'best.parameters': parameters,
    ...(normalisation && {
      'best.mean': normalisation.mean,
      'best.standardDeviation': normalisation.standardDeviation,
    }),
  };
}

function bestWeights(arrays: AgentState['arrays']): PolicyWeights {
  const { 'best.parameters': parameters, 'best.mean': mean, 'best.standardDeviation': standardDeviation } = arrays;
  return {
    parameters: parameters as Float32Array,
    normalisation: mean ? { mean: mean as Float32Array, standardDeviation: standardDeviation as Float32Array } : null,
  };
}

/** What two trainings must share for one to go on from the other's checkpoint. */
function identityOf(
  { algorithm, seed, environments }: TrainingOptions,
  config: object,
  description: EnvironmentDescription,
): string {
  const { name, observationSpace, actionSpace, actionMaskSize } = description;
  const entries = Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));
  const agent = [algorithm.name, entries];
  const shared = [agent, seed, environments.length, name, observationSpace, actionSpace, actionMaskSize];
  return createHash('sha256').update(JSON.stringify(shared)).digest('hex');
}

function checkOptions({ seed, totalSteps, evaluationIntervalSteps, checkpointIntervalSteps }: TrainingOptions): void {
  const wholeNumbers = { totalSteps, evaluationIntervalSteps, checkpointIntervalSteps };
  for (const [name, value] of Object.entries(wholeNumbers)) {
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue;
    throw new CoxswainError('SPEC_INVALID', `${name}: found ${value}; allowed: a whole number from 1.`);
  }
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new CoxswainError('SPEC_INVALID', `seed: found ${seed}; allowed: a whole number from 0 to 4294967295.`);
  }
}
