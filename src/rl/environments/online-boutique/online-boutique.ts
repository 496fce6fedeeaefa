import type { ClusterView } from '../../baselines/controller.ts';
import type { Environment, Observation, Transition } from '../../environment.ts';
import type { OnlineBoutiqueOptions } from './options.ts';

/** An Environment that also lets a controller set replica counts directly and that can start at a given place. */
export interface OnlineBoutique extends Environment {
  /** Starts the episode whose window begins at bin `offset` of the trace. */
  resetAt(offset: number, seed: number): Observation;
  /** Like `step`, but sets each service's desired replicas (clamped to its limits). */
  stepReplicas(desiredReplicas: ArrayLike<number>): Transition;
  /** What a controller sees at this moment: the same metrics, of the same age, as the observation. */
  readonly view: ClusterView;
  /** Share of the last step's completed requests that were slower than `seconds`. */
  slowerThan(seconds: number): number;
}

/**
 * Makes an Online Boutique environment.
 * @throws CoxswainError ENVIRONMENT_INVALID when an option is out of range or the trace is shorter than an episode.
 */
export declare function createOnlineBoutique(options: OnlineBoutiqueOptions): OnlineBoutique;
