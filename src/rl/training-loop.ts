import type { DeviceName } from '../tensor/device.ts';
import type { PpoConfig } from './algorithms/ppo.ts';
import type { Environment } from './environment.ts';
import type { ExportedPolicy } from './policy-export.ts';
import type { Policy } from './policy.ts';

/** What a training is made of. Together with the code these decide every weight, bit for bit. */
export interface TrainingOptions {
  /** The algorithm and its hyperparameters, from `parsePpoConfig`. */
  readonly agent: PpoConfig;
  /**
   * The environments that the agent acts in side by side, all with the same spaces. Their number must divide
   * `agent.rolloutSteps`. The training resets, steps and owns them.
   */
  readonly environments: readonly Environment[];
  /** uint32; initial weights, actions, minibatches and episode seeds follow from it. */
  readonly seed: number;
  /** Environment steps, summed over all environments; rounded up to whole rollouts. */
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

/** The figures of one update; means over the update's minibatches where not said otherwise. */
export interface UpdateMetrics {
  /** Mean undiscounted return of the last 100 finished episodes; null before the first. */
  readonly episodeReturn: number | null;
  /** Mean length of the same episodes in steps; null before the first. */
  readonly episodeLength: number | null;
  /** Episodes finished since the training began. */
  readonly episodes: number;
  /** Mean reward per step of this rollout, before any scaling. */
  readonly rewardMean: number;
  readonly policyLoss: number;
  readonly valueLoss: number;
  /** Mean entropy of the policy per step in nats, summed over heads. */
  readonly entropy: number;
  /** Schulman's estimator E[(r − 1) − ln r] of the divergence from the policy that acted, in nats. */
  readonly approxKl: number;
  /** Share of samples whose probability ratio left the clip range. */
  readonly clipFraction: number;
  /** 1 − Var[returns − values] / Var[returns] of the rollout; 0 when all returns are equal. */
  readonly explainedVariance: number;
  /** Euclidean norm of the gradient before clipping. */
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Minibatch updates made; fewer than planned when `targetKl` stopped the phase early. */
  readonly minibatches: number;
  /** Environment steps per second of wall time, acting and updating together; not reproducible, unlike all others. */
  readonly stepsPerSecond: number;
  /** Mean over the rollout of each of the environment's `measures`. */
  readonly measures: Readonly<Record<string, number>>;
}

/** After every update. */
export interface UpdateReport {
  /** Environment steps done so far; strictly increasing, the same at every repetition: a key for metric points. */
  readonly step: number;
  readonly totalSteps: number;
  /** Updates done so far, from 1. */
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
  /**
   * Trains until `totalSteps` or until the signal.
   * @throws CoxswainError TRAINING_DIVERGED when a reward, loss, gradient or weight is not finite; the training then
   * still holds the state of the last update boundary, so `checkpoint` and `exportPolicy` work.
   */
  run(options?: RunOptions): Promise<TrainingOutcome>;
  /** Everything needed to go on, as of the last update boundary. */
  checkpoint(): Uint8Array;
  /** The policy as it acts now, or acted at its best; dispose of it after use. */
  policy(weights?: WeightsChoice): Promise<Policy>;
  /** The policy as an ONNX file with metadata. Default `best`. */
  exportPolicy(weights?: WeightsChoice): Promise<ExportedPolicy>;
  /** Frees the compiled programs. */
  dispose(): Promise<void>;
}

/**
 * Sets up a training, from its beginning or from a checkpoint. Nothing runs before `run`.
 * @throws CoxswainError ENVIRONMENT_INVALID when the environments do not fit together or their spaces are not supported,
 * SPEC_INVALID when a number of the options is out of range, CHECKPOINT_INVALID, DEVICE_UNAVAILABLE.
 */
export declare function createTraining(options: TrainingOptions): Promise<Training>;
