/**
 * The hyperparameters of PPO (Schulman et al., "Proximal Policy Optimization Algorithms", 2017). The defaults are those
 * that stable-baselines3 trains CartPole with.
 */
export interface PpoConfig {
  readonly algorithm: 'ppo';
  /** Widths of the hidden layers of both networks (policy and value share nothing). Default [64, 64]. */
  readonly hiddenSizes: readonly number[];
  /** Default tanh. */
  readonly activation: 'tanh' | 'relu';
  /** Environment steps per update phase, summed over all environments. Default 2048. */
  readonly rolloutSteps: number;
  /** Samples per gradient step; the last minibatch of an epoch may be smaller. Default 64. */
  readonly minibatchSize: number;
  /** Passes over each rollout. Default 10. */
  readonly epochs: number;
  /** Adam's step size. Default 3e-4. */
  readonly learningRate: number;
  /** `linear` lets the learning rate fall to 0 at `totalSteps`. Default constant. */
  readonly learningRateSchedule: 'constant' | 'linear';
  /** Discount per step. Default 0.99. */
  readonly discount: number;
  /** λ of generalised advantage estimation. Default 0.95. */
  readonly gaeLambda: number;
  /** ε of the clipped objective. Default 0.2. */
  readonly clipRange: number;
  /** Limit of the value's change per phase; null does not clip it. Default null. */
  readonly valueClipRange: number | null;
  /** Advantages of each minibatch to mean 0 and deviation 1. Default true. */
  readonly normaliseAdvantages: boolean;
  /** Weight of the entropy bonus at the start. Default 0. */
  readonly entropyCoefficient: number;
  /** Weight of the entropy bonus at `totalSteps`, linear in between; null keeps it constant. Default null. */
  readonly finalEntropyCoefficient: number | null;
  /** Weight of the value loss. Default 0.5. */
  readonly valueCoefficient: number;
  /** Gradients longer than this are shortened to it. Default 0.5. */
  readonly maxGradientNorm: number;
  /** Ends a phase once a minibatch's approximate divergence exceeds 1.5 × this; null never does. Default null. */
  readonly targetKl: number | null;
  /** Adam's ε. Default 1e-5. */
  readonly adamEpsilon: number;
  /** Observations to running mean 0 and deviation 1, clipped at ±10. Default false. */
  readonly normaliseObservations: boolean;
  /** Rewards divided by the running deviation of the discounted return, clipped at ±10. Default false. */
  readonly scaleRewards: boolean;
  /**
   * Probability that choice 0 (do nothing) of every head has at the start when nothing is masked, set by the bias of the
   * policy's last layer; null starts uniform. Default null.
   */
  readonly initialNoopProbability: number | null;
}

/**
 * A complete configuration from a partial one.
 * @throws CoxswainError SPEC_INVALID for an unknown name (with the nearest valid one) or a value out of range.
 */
export declare function parsePpoConfig(input?: unknown): PpoConfig;
