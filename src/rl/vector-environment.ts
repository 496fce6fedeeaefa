import { CoxswainError } from '../contracts/errors.ts';
import type { Environment, EnvironmentDescription, EnvironmentState, Observation, Transition } from './environment.ts';
import type { Generator, GeneratorState } from './random.ts';
import { choicesOf, sameSpaces, spaceSize } from './spaces.ts';

/** Finished episodes that the mean return is taken over. */
export const recentEpisodes = 100;

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

/** What one step of all environments brought, one entry an environment; overwritten by the next step. */
export interface StepResults {
  readonly rewards: Float64Array;
  /** 1 where the step ended an episode in an end state. */
  readonly terminated: Uint8Array;
  /** 1 where the step cut an episode off. */
  readonly truncated: Uint8Array;
  /** The last observation of an episode that was truncated and not terminated, for bootstrapping; null otherwise. */
  readonly lastObservations: (Float32Array | null)[];
  /** What the environment allowed there; null where there is no such observation or nothing is masked. */
  readonly lastMasks: (Uint8Array | null)[];
  readonly measures: Readonly<Record<string, number>>[];
}

/**
 * Environments of one kind side by side, stepped in one call. They restart by themselves at the end of an episode, each
 * from its own stream of seeds, so what one sees does not depend on how long the others' episodes are.
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
  /** What {@link step} does: one row an environment, a whole number a head (Int32Array) or a box's elements (Float32Array). */
  readonly actions: Int32Array | Float32Array;
  /** Numbers of one environment's action. */
  readonly actionSize: number;
  /** Episodes finished so far. */
  episodes = 0;
  private readonly environments: readonly Environment[];
  private readonly actionRows: readonly (Int32Array | Float32Array)[];
  private readonly choices: readonly number[];
  private readonly seeds: readonly Generator[];
  private readonly results: StepResults;
  private readonly returns: Float64Array;
  private readonly lengths: Int32Array;
  private recent: Episode[] = [];

  /** Resets every environment. @throws CoxswainError ENVIRONMENT_INVALID when they are none or not alike. */
  constructor(environments: readonly Environment[], generator: Generator) {
    this.description = commonDescription(environments);
    this.environments = environments;
    this.count = environments.length;
    const { observationSpace, actionSpace, actionMaskSize } = this.description;
    this.observationSize = spaceSize(observationSpace);
    this.observations = new Float32Array(this.count * this.observationSize);
    this.masks = actionMaskSize > 0 ? new Uint8Array(this.count * actionMaskSize) : null;
    this.choices = actionSpace.kind === 'box' ? [] : choicesOf(actionSpace);
    this.actionSize = actionSpace.kind === 'box' ? spaceSize(actionSpace) : this.choices.length;
    const numbers = this.count * this.actionSize;
    this.actions = actionSpace.kind === 'box' ? new Float32Array(numbers) : new Int32Array(numbers);
    this.actionRows = environments.map((_, index) =>
      this.actions.subarray(index * this.actionSize, (index + 1) * this.actionSize),
    );
    this.results = {
      rewards: new Float64Array(this.count),
      terminated: new Uint8Array(this.count),
      truncated: new Uint8Array(this.count),
      lastObservations: environments.map(() => null),
      lastMasks: environments.map(() => null),
      measures: environments.map(() => ({})),
    };
    this.returns = new Float64Array(this.count);
    this.lengths = new Int32Array(this.count);
    this.seeds = environments.map(() => generator.fork());
    for (let index = 0; index < this.count; index++) this.reset(index);
  }

  /** Does {@link actions}; environments whose episode is over are reset. */
  step(): StepResults {
    for (let index = 0; index < this.count; index++) this.stepOne(index);
    return this.results;
  }

  private stepOne(index: number): void {
    const { results } = this;
    const transition = this.environments[index].step(this.actionRows[index]);
    const { reward, terminated, truncated, measures } = transition;
    this.lengths[index]++;
    if (!Number.isFinite(reward)) {
      throw new CoxswainError(
        'TRAINING_DIVERGED',
        `The reward of environment ${index} (${this.description.name}) is ${reward} at step ${this.lengths[index]} of an episode.`,
      );
    }
    this.returns[index] += reward;
    results.rewards[index] = reward;
    results.terminated[index] = Number(terminated);
    results.truncated[index] = Number(truncated);
    results.measures[index] = measures;
    this.enter(index, transition);
    const cutOff = truncated && !terminated;
    results.lastObservations[index] = cutOff ? transition.observation.slice() : null;
    results.lastMasks[index] = (cutOff && transition.actionMask?.slice()) || null;
    if (terminated || truncated) this.finishEpisode(index);
  }

  /**
   * Holds {@link actions} to the action space and to the masks.
   * @param author of the actions, for the message.
   * @throws CoxswainError ALGORITHM_INVALID
   */
  checkActions(author: string): void {
    const { actions, choices, actionSize, masks } = this;
    const fits = choices.length === 0 ? Number.isFinite : null;
    for (let index = 0, bit = 0; index < this.count; index++) {
      for (let part = 0; part < actionSize; part++) {
        const value = actions[index * actionSize + part];
        const allowed = fits
          ? fits(value)
          : value >= 0 && value < choices[part] && (masks === null || masks[bit + value] !== 0);
        if (!allowed) throw this.refused(author, index, part, value);
        if (masks) bit += choices[part];
      }
    }
  }

  private refused(author: string, index: number, part: number, value: number): CoxswainError {
    const what = this.choices.length === 0 ? 'is not finite' : 'is out of range or masked';
    const message = `${author}: element ${part} of the action for environment ${index} is ${value}, which ${what}.`;
    return new CoxswainError('ALGORITHM_INVALID', message);
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
      running: Array.from(this.returns, (sum, index) => ({ return: sum, length: this.lengths[index] })),
      recent: [...this.recent],
      episodes: this.episodes,
    };
  }

  loadState(state: VectorEnvironmentState): void {
    this.seeds.forEach((generator, index) => generator.loadState(state.seeds[index]));
    state.running.forEach((episode, index) => {
      this.returns[index] = episode.return;
      this.lengths[index] = episode.length;
    });
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
    this.recent.push({ return: this.returns[index], length: this.lengths[index] });
    if (this.recent.length > recentEpisodes) this.recent.shift();
    this.returns[index] = 0;
    this.lengths[index] = 0;
    this.episodes++;
    this.reset(index);
  }

  private enter(index: number, { observation, actionMask }: Observation | Transition): void {
    const { observations, observationSize, masks } = this;
    const { name } = this.description;
    if (observation.length !== observationSize)
      throw wrongLength(name, 'observation', observation.length, observationSize);
    const start = index * observationSize;
    // x − x is 0 for a finite x and NaN for any other: one test for all.
    let sum = 0;
    for (let i = 0; i < observationSize; i++) {
      const value = observation[i];
      observations[start + i] = value;
      sum += value - value;
    }
    if (sum !== 0) {
      let wrong = 0;
      while (Number.isFinite(observation[wrong])) wrong++;
      throw new CoxswainError(
        'ENVIRONMENT_INVALID',
        `${name}: element ${wrong} of an observation is ${observation[wrong]}.`,
      );
    }
    if (!masks) return;
    if (!actionMask)
      throw new CoxswainError('ENVIRONMENT_INVALID', `${name}: an observation came without action mask.`);
    const { actionMaskSize } = this.description;
    if (actionMask.length !== actionMaskSize) throw wrongLength(name, 'action mask', actionMask.length, actionMaskSize);
    masks.set(actionMask, index * actionMaskSize);
  }
}

function commonDescription(environments: readonly Environment[]): EnvironmentDescription {
  if (environments.length === 0) {
    throw new CoxswainError('ENVIRONMENT_INVALID', 'A training needs at least one environment.');
  }
  const [{ description }] = environments;
  if (new Set(environments).size < environments.length) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `${description.name}: the same environment is given twice; each episode needs one of its own.`,
    );
  }
  if (environments.some((environment) => !sameSpaces(environment.description, description))) {
    throw new CoxswainError('ENVIRONMENT_INVALID', 'The environments of a training must all have the same spaces.');
  }
  return description;
}

function wrongLength(environment: string, what: string, length: number, wanted: number): CoxswainError {
  return new CoxswainError(
    'ENVIRONMENT_INVALID',
    `${environment}: an ${what} has ${length} elements; the description says ${wanted}.`,
  );
}
