import type { Controller } from '../baselines/controller.ts';
import type { OnlineBoutiqueOptions } from '../environments/online-boutique/options.ts';
import type { Policy } from '../policy.ts';
import type { Episode } from './episodes.ts';

/** The measures of one episode. */
export interface EpisodeMeasures {
  /** 95th percentile of the latency of all requests completed in the episode, seconds. */
  readonly p95LatencySeconds: number;
  /** Share of the episode's completed requests that were slower than the SLO, 0 … 1. */
  readonly sloViolationRate: number;
  /** Pods that existed (starting, ready, stopping), summed over time. */
  readonly podSeconds: number;
  /** Changes of a service's desired replicas per minute, summed over services. */
  readonly actionsPerMinute: number;
  /** Undiscounted return. */
  readonly episodeReturn: number;
  /** Requests completed. */
  readonly requests: number;
}

/** Runs a controller over the episodes, one after the other. Synchronous: a millisecond or so an episode. */
export declare function evaluateController(
  controller: Controller,
  options: OnlineBoutiqueOptions,
  episodes: readonly Episode[],
): EpisodeMeasures[];

/**
 * Runs a policy greedily over the episodes, all side by side, so that each step is one batched forward.
 * @throws what `signal` was aborted with.
 */
export declare function evaluatePolicy(
  policy: Policy,
  options: OnlineBoutiqueOptions,
  episodes: readonly Episode[],
  signal?: AbortSignal,
): Promise<EpisodeMeasures[]>;
