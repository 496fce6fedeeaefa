import type { Normalisation } from './normalisation.ts';
import type { PerceptronShape } from './networks.ts';
import type { ActionLayout } from './spaces.ts';
import type { VectorEnvironment } from './vector-environment.ts';

/** What a policy is made of, apart from its weights. */
export interface PolicyArchitecture {
  readonly network: PerceptronShape;
  readonly actions: ActionLayout;
}

/** The weights that act: a flat vector in the order of `perceptronLayout('policy', …)`, and the normalisation before it. */
export interface PolicyWeights {
  readonly parameters: Float32Array;
  readonly normalisation: Normalisation | null;
}

/** Everything that an agent needs to go on. */
export interface AgentState {
  /** Numbers that must keep every bit, by name. */
  readonly arrays: Readonly<Record<string, Float32Array>>;
  /** The rest, as JSON. */
  readonly values: unknown;
}

/** Figures of one iteration that the agent itself knows. */
export interface IterationMetrics {
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
  /** Mean over the rollout of each of the environment's `measures`. */
  readonly measures: Readonly<Record<string, number>>;
}

/**
 * A learner that acts and learns in turns.
 *
 * 1. `iterate` leaves the agent's state as a function of its state before and of what the environments did.
 * 2. `saveState` shares no memory with the agent; `loadState` takes no memory over.
 * 3. After an error of `iterate` only `loadState` and `dispose` may follow.
 */
export interface Agent {
  readonly policy: PolicyArchitecture;
  /** Environment steps of one iteration, summed over all environments. */
  readonly iterationSteps: number;
  /**
   * Acts for {@link iterationSteps} steps, then learns.
   * @param remaining the share of the training still to come, from 1 to 0: what schedules follow.
   * @throws CoxswainError TRAINING_DIVERGED
   */
  iterate(environments: VectorEnvironment, remaining: number): Promise<IterationMetrics>;
  weights(): PolicyWeights;
  saveState(): AgentState;
  loadState(state: AgentState): void;
  dispose(): Promise<void>;
}
