import type { ClusterView } from '../baselines/controller.ts';
import type { EnvironmentRecipe } from '../algorithm.ts';
import type { Environment, Observation, Transition } from '../environment.ts';
import type { FittedApplications } from '../twin/twin.ts';
import type { LatencyMixture } from './online-boutique/latency-mixture.ts';

/** An Environment of services to scale that a controller can act in as well, and that can start at a given place. */
export interface ScalingEnvironment extends Environment {
  /** Starts the episode whose window begins at bin `offset` of the trace. */
  resetAt(offset: number, seed: number): Observation;
  /** Like `step`, but sets each service's (or slot's) desired replicas, clamped to what is allowed. */
  stepReplicas(desiredReplicas: ArrayLike<number>): Transition;
  /** What a controller sees at this moment: the same metrics, of the same age, as the observation. */
  readonly view: ClusterView;
  /** Length of a control step. */
  readonly stepSeconds: number;
  /** Latencies of the requests that arrived in the last step; overwritten by the next. */
  readonly latencies: LatencyMixture;
}

/** An application on a trace, to be scaled: for agents and for controllers. */
export interface ScalingTask {
  createForAgent(): ScalingEnvironment;
  /** Without anything that only an agent's actions need. */
  createForController(): ScalingEnvironment;
  /** Bounds of each service's (or slot's) replicas. */
  readonly limits: readonly { readonly minReplicas: number; readonly maxReplicas: number }[];
  /** How another process makes what `createForAgent` makes. */
  readonly recipe: EnvironmentRecipe;
}

/** The parameters of an environment that a pipeline itself needs. */
export interface ScalingSettings {
  /** Control steps of an episode. */
  readonly episodeSteps: number;
  /** What a violation costs in the reward, and in the score that weights are chosen by. */
  readonly violationPrice: number;
  /** CPU target of the HPA that actions are relative to; null when it is to be calibrated. */
  readonly hpaTargetPercent: number | null;
}

/** A kind of environment that a pipeline can train and judge in. */
export interface ScalingKind {
  readonly name: string;
  /** Whether `task` needs a twin: only a run that records a cluster has one. */
  readonly needsTwin: boolean;
  /** @throws CoxswainError ENVIRONMENT_INVALID when a parameter is unknown or out of range. */
  settings(parameters: Readonly<Record<string, unknown>>): ScalingSettings;
  /**
   * @param trace requests in each control step.
   * @param hpaTargetPercent of the calibrated HPA; null before there is one.
   * @param twin fitted to the run's recording; null when the run has none.
   * @param startsAtSeconds when the trace begins, seconds since some midnight. Default 0.
   * @throws CoxswainError ENVIRONMENT_INVALID when it needs a twin and there is none.
   */
  task(
    parameters: Readonly<Record<string, unknown>>,
    trace: Float64Array,
    hpaTargetPercent: number | null,
    twin: FittedApplications | null,
    startsAtSeconds?: number,
  ): ScalingTask;
}
