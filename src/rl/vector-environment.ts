import { CoxswainError } from '../contracts/errors.ts';
import type { Environment, EnvironmentDescription, EnvironmentState, Observation, Transition } from './environment.ts';
import type { Generator, GeneratorState } from './random.ts';
import { spaceSize } from './spaces.ts';

/** Finished episodes that the mean return is taken over. */
const recentEpisodes = 100;

/** A finished episode. */
interface Episode {
  readonly return: number;
  readonly length: number;
}

/** Everything needed to go on; JSON keeps it exactly. */
export interface VectorEnvironmentState {
  readonly environments: readonly EnvironmentState[];
  readonly seeds: readonly GeneratorState[];
  readonly running: readonly Episode[];
  readonly recent: readonly Episode[];
  readonly episodes: number;
}

/** What one environment did in a step. */
export interface StepResult {
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  /** The last observation of an episode that was truncated; null otherwise. */
  readonly lastObservation: Float32Array | null;
  readonly measures: Readonly<Record<string, number>>;
}

/**
 * Environments of one kind side by side. They restart by themselves at the end of an episode, each from its own stream of
 * seeds, so what one sees does not depend on how long the others' episodes are.
 *
 * 1. `observations` and `masks` always hold what is to be acted on next, one row an environment.
 * 2. A reward that is not finite is TRAINING_DIVERGED, an observation that is not is ENVIRONMENT_INVALID.
 */
export class VectorEnvironment {
  readonly description: EnvironmentDescription;
  readonly count: number;
  readonly observationSize: number;
  /** count × observationSize */
  readonly observations: Float32Array;
  /** count × actionMaskSize; null when nothing is masked. */
  readonly masks: Uint8Array | null;
  /** Episodes finished so far. */
  episodes = 0;
  private readonly environments: readonly Environment[];
  private readonly seeds: readonly Generator[];
  private running: Episode[];
  private recent: Episode[] = [];

  /** Resets every environment. @throws CoxswainError ENVIRONMENT_INVALID when they are none or not alike. */
  constructor(environments: readonly Environment[], generator: Generator) {
    this.description = commonDescription(environments);
    this.environments = environments;
    this.count = environments.length;
    this.observationSize = spaceSize(this.description.observationSpace);
    this.observations = new Float32Array(this.count * this.observationSize);
    const { actionMaskSize } = this.description;
    this.masks = actionMaskSize > 0 ? new Uint8Array(this.count * actionMaskSize) : null;
    this.seeds = environments.map(() => generator.fork());
    this.running = environments.map(() => ({ return: 0, length: 0 }));
    for (let index = 0; index < this.count; index++) this.reset(index);
  }

  /** Steps environment `index`; resets it when its episode is over. */
  step(index: number, action: Int32Array): StepResult {
    const transition = this.environments[index].step(action);
    const { reward, terminated, truncated, measures } = transition;
    if (!Number.isFinite(reward)) {
      throw new CoxswainError(
        'TRAINING_DIVERGED',
        `The reward of environment ${index} (${this.description.name}) is ${reward} at step ${this.running[index].length + 1} of an episode.`,
      );
    }
    this.running[index] = { return: this.running[index].return + reward, length: this.running[index].length + 1 };
    this.enter(index, transition);
    const over = terminated || truncated;
    const lastObservation = truncated && !terminated ? transition.observation.slice() : null;
    if (over) this.finishEpisode(index);
    return { reward, terminated, truncated, lastObservation, measures };
  }

  /** Mean return and length of the last 100 finished episodes; null before the first. */
  get recentMeans(): { episodeReturn: number | null; episodeLength: number | null } {
    const mean = (pick: (episode: Episode) => number): number | null =>
      this.recent.length > 0 ? this.recent.reduce((sum, episode) => sum + pick(episode), 0) / this.recent.length : null;
    return { episodeReturn: mean((episode) => episode.return), episodeLength: mean((episode) => episode.length) };
  }

  saveState(): VectorEnvironmentState {
    return {
      environments: this.environments.map((environment) => environment.saveState()),
      seeds: this.seeds.map((generator) => generator.saveState()),
      running: [...this.running],
      recent: [...this.recent],
      episodes: this.episodes,
    };
  }

  loadState(state: VectorEnvironmentState): void {
    this.seeds.forEach((generator, index) => generator.loadState(state.seeds[index]));
    this.running = [...state.running];
    this.recent = [...state.recent];
    this.episodes = state.episodes;
    this.environments.forEach((environment, index) => {
      this.enter(index, environment.loadState(state.environments[index]));
    });
  }

  private reset(index: number): void {
    this.enter(index, this.environments[index].reset(this.seeds[index].uint32()));
  }

  private finishEpisode(index: number): void {
    this.recent = [...this.recent, this.running[index]].slice(-recentEpisodes);
    this.running[index] = { return: 0, length: 0 };
    this.episodes++;
    this.reset(index);
  }

  private enter(index: number, { observation, actionMask }: Observation | Transition): void {
    const { name } = this.description;
    const position = observation.findIndex((value) => !Number.isFinite(value));
    if (position >= 0) {
      throw new CoxswainError(
        'ENVIRONMENT_INVALID',
        `${name}: element ${position} of an observation is ${observation[position]}.`,
      );
    }
    this.observations.set(observation, index * this.observationSize);
    if (!this.masks) return;
    if (!actionMask)
      throw new CoxswainError('ENVIRONMENT_INVALID', `${name}: an observation came without action mask.`);
    this.masks.set(actionMask, index * this.description.actionMaskSize);
  }
}

function commonDescription(environments: readonly Environment[]): EnvironmentDescription {
  if (environments.length === 0) {
    throw new CoxswainError('ENVIRONMENT_INVALID', 'A training needs at least one environment.');
  }
  const [{ description }] = environments;
  const spaces = spacesOf(description);
  if (environments.some((environment) => spacesOf(environment.description) !== spaces)) {
    throw new CoxswainError('ENVIRONMENT_INVALID', 'The environments of a training must all have the same spaces.');
  }
  return description;
}

/** The spaces as a text by which they can be compared. */
function spacesOf({ observationSpace, actionSpace, actionMaskSize }: EnvironmentDescription): string {
  return JSON.stringify([observationSpace, actionSpace, actionMaskSize]);
}
