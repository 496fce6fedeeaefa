import type { Controller } from '../baselines/controller.ts';
import type { Observation, Transition } from '../environment.ts';
import { LatencyMixture } from '../environments/online-boutique/latency-mixture.ts';
import type { ScalingEnvironment, ScalingTask } from '../environments/scaling-environment.ts';
import type { Policy } from '../policy.ts';
import type { Episode } from './episodes.ts';

/** The measures of one episode. */
export interface EpisodeMeasures {
  /** 95th percentile of the latency of all requests of the episode, seconds. */
  readonly p95LatencySeconds: number;
  /** Share of the episode's requests that were slower than the SLO, 0 … 1. */
  readonly sloViolationRate: number;
  /** Pods that existed (starting, ready, stopping), summed over time. */
  readonly podSeconds: number;
  /** Changes of a service's desired replicas per minute, summed over services. */
  readonly actionsPerMinute: number;
  /** Undiscounted return. */
  readonly episodeReturn: number;
  /** Requests that arrived. */
  readonly requests: number;
  /** Length of the episode. */
  readonly seconds: number;
}

/** Runs a controller over the episodes, one after the other. Synchronous: a few milliseconds an episode. */
export function evaluateController(
  controller: Controller,
  task: ScalingTask,
  episodes: readonly Episode[],
): EpisodeMeasures[] {
  const environment = task.createForController();
  const replicas = new Int32Array(environment.view.services.length);
  return episodes.map(({ offset, seed }) => {
    environment.resetAt(offset, seed);
    controller.reset();
    const tally = new EpisodeTally(environment);
    for (;;) {
      controller.decide(environment.view, replicas);
      const transition = environment.stepReplicas(replicas);
      tally.add(transition);
      if (transition.terminated || transition.truncated) return tally.measures();
    }
  });
}

/**
 * Runs a policy greedily over the episodes, all side by side, so that each step is one batched forward. They need not be
 * equally long. Where an environment masks nothing, everything is allowed.
 * @throws what `signal` was aborted with.
 */
export async function evaluatePolicy(
  policy: Policy,
  task: ScalingTask,
  episodes: readonly Episode[],
  signal?: AbortSignal,
): Promise<EpisodeMeasures[]> {
  if (episodes.length === 0) return [];
  const environments = episodes.map(() => task.createForAgent());
  const { observationSize, actionMaskSize, actionSize } = policy;
  const observations = new Float32Array(episodes.length * observationSize);
  const masks = new Uint8Array(episodes.length * actionMaskSize);
  const note = (index: number, { observation, actionMask }: Observation): void => {
    observations.set(observation, index * observationSize);
    if (actionMask === null) masks.fill(1, index * actionMaskSize, (index + 1) * actionMaskSize);
    else masks.set(actionMask, index * actionMaskSize);
  };
  episodes.forEach(({ offset, seed }, index) => note(index, environments[index].resetAt(offset, seed)));
  const tallies = environments.map((environment) => new EpisodeTally(environment));
  const memory = new Float32Array(episodes.length * policy.memorySize);
  const open = new Set(environments.keys());
  while (open.size > 0) {
    signal?.throwIfAborted();
    const actions = await policy.act(observations, masks, memory);
    for (const index of open) {
      const transition = environments[index].step(actions.subarray(index * actionSize, (index + 1) * actionSize));
      tallies[index].add(transition);
      note(index, transition);
      if (transition.terminated || transition.truncated) open.delete(index);
    }
  }
  return tallies.map((tally) => tally.measures());
}

/** Adds up the steps of one episode. */
class EpisodeTally {
  private readonly environment: ScalingEnvironment;
  private readonly latencies: LatencyMixture;
  private violations = 0;
  private podSeconds = 0;
  private actionsPerMinute = 0;
  private episodeReturn = 0;
  private steps = 0;

  constructor(environment: ScalingEnvironment) {
    this.environment = environment;
    const { maxEpisodeSteps } = environment.description;
    this.latencies = new LatencyMixture((maxEpisodeSteps ?? 0) * environment.latencies.capacity);
  }

  add({ measures, reward }: Transition): void {
    const { latencies } = this.environment;
    this.latencies.append(latencies);
    this.violations += measures.sloViolationRate * latencies.requests;
    this.podSeconds += measures.podSeconds;
    this.actionsPerMinute += measures.actionsPerMinute;
    this.episodeReturn += reward;
    this.steps++;
  }

  measures(): EpisodeMeasures {
    const { requests } = this.latencies;
    return {
      p95LatencySeconds: this.latencies.quantile(0.95),
      sloViolationRate: requests > 0 ? this.violations / requests : 0,
      podSeconds: this.podSeconds,
      actionsPerMinute: this.actionsPerMinute / this.steps,
      episodeReturn: this.episodeReturn,
      requests,
      seconds: this.steps * this.environment.stepSeconds,
    };
  }
}
