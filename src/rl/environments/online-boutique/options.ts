import type { Application } from './application.ts';

/** What an Online Boutique environment is made of. Everything but `trace` has a default. */
export interface OnlineBoutiqueOptions {
  /** Requests per control step (15 s): one part of a recording. Arrivals are Poisson draws around these counts. */
  readonly trace: Float32Array | Float64Array;
  /** Default: the eleven services of Online Boutique. */
  readonly application?: Application;
  /** Control steps of an episode; the window starts where the seed says. Default 240 (one hour). */
  readonly episodeSteps?: number;
  /** A request slower than this violates the SLO. Default 0.5 s. */
  readonly sloSeconds?: number;
  /** Age of the metrics that controllers see, in control steps beyond the one just over. Default 1 (15–30 s old). */
  readonly metricsDelaySteps?: number;
  /**
   * What an action's change is added to: the desired replicas of this moment, or those that the HPA proposes for this
   * step, so that doing nothing is following the HPA. Default `current`.
   */
  readonly actionBase?: ActionBase;
  /** Changes beyond this many replicas are masked, 1 … 7. Default 7. */
  readonly maxChange?: number;
  /** CPU target of the HPA behind `actionBase: 'hpa'`, percent. Default 60. */
  readonly hpaTargetPercent?: number;
  readonly reward?: Partial<RewardWeights>;
}

export type ActionBase = 'current' | 'hpa';

/** Prices of the reward −(podHour · pod-hours + violation · share of the step's requests … ); see docs. */
export interface RewardWeights {
  /** Price of one pod for one hour. Default 1. */
  readonly podHour: number;
  /** Price of one percentage point of violations, held for an hour, in pod-hours. */
  readonly violationPoint: number;
  /** Price of one change of a service's desired replicas, in pod-hours. */
  readonly action: number;
}

/** The parameters that a RunSpec may give: every option but the trace and the application. */
export type OnlineBoutiqueParameters = Omit<OnlineBoutiqueOptions, 'trace' | 'application'>;

/**
 * Checks parameters from a RunSpec.
 * @throws CoxswainError ENVIRONMENT_INVALID naming the parameter, its value and what is allowed.
 */
export declare function parseOnlineBoutiqueParameters(
  input: Readonly<Record<string, unknown>>,
): OnlineBoutiqueParameters;
