import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../contracts/errors.ts';
import { ParameterLayout } from '../../tensor/parameters.ts';
import type { AgentState, PolicyWeights } from '../agent.ts';
import type { AgentSetup } from '../algorithm.ts';
import { explorationRateAt, greedyChoice, randomChoice } from '../epsilon-greedy.ts';
import { EventLoopTurns } from '../event-loop-turns.ts';
import { hyperparameter, integer, listOf, number, oneOf, optional } from '../hyperparameters.ts';
import type { ConfigOf, Rule } from '../hyperparameters.ts';
import type { Learner, LearningProgress } from '../learner.ts';
import type { PolicyArchitecture } from '../policy-architecture.ts';
import type { Generator, GeneratorState } from '../random.ts';
import { actionLayoutOf } from '../spaces.ts';
import { scheduled } from '../schedules.ts';
import type { StepResults, VectorEnvironment } from '../vector-environment.ts';
import { Discretiser } from './discretiser.ts';

// ---- configuration ---------------------------------------------------------------------------------------------------

const binCount = integer(1, 100_000);
const binCounts = listOf(binCount, 1, 64);
const oneOrEach: Rule = {
  allowed: `${binCount.allowed}, or ${binCounts.allowed}`,
  holds: (value) => binCount.holds(value) || binCounts.holds(value),
};
const bounds = optional(listOf(number(-1e30, 1e30), 1, 64));

/** What Q-learning and SARSA are set up with. */
export const tabularHyperparameters = {
  bins: hyperparameter<number | readonly number[]>(
    10,
    oneOrEach,
    'Bins of each element of the observation: one number for all, or one for each.',
  ),
  low: hyperparameter<readonly number[] | null>(
    null,
    bounds,
    "Where the first bin of each element begins; null takes the environment's bounds.",
  ),
  high: hyperparameter<readonly number[] | null>(
    null,
    bounds,
    "Where the last bin of each element ends; null takes the environment's bounds.",
  ),
  learningRate: hyperparameter(0.1, number(0, 1, { above: true }), 'Step size α.'),
  learningRateSchedule: hyperparameter<'constant' | 'linear'>(
    'constant',
    oneOf('constant', 'linear'),
    'linear lets the step size fall to 0 at the end of the training.',
  ),
  discount: hyperparameter(0.99, number(0, 1), 'Discount per step.'),
  initialValue: hyperparameter(
    0,
    number(-1e30, 1e30),
    'Q of every cell and action at the start; a high one makes the agent try everything.',
  ),
  explorationFraction: hyperparameter(
    0.5,
    number(0, 1),
    'Share of the training over which the exploration rate falls linearly.',
  ),
  initialExplorationRate: hyperparameter(1, number(0, 1), 'ε at the start: the probability of a random action.'),
  finalExplorationRate: hyperparameter(0.05, number(0, 1), 'ε after it has fallen.'),
};

export type TabularConfig = ConfigOf<typeof tabularHyperparameters>;

/** Steps of each environment that a round takes: many, because each is quick. */
const roundSteps = 100;
const reportIntervalSteps = 10_000;

/** No action was chosen yet. */
const none = -1;

// ---- state -----------------------------------------------------------------------------------------------------------

/** The part of the state that is not in arrays; JSON. */
interface StateValues {
  readonly actions: GeneratorState;
  /** What each environment does next where that is already chosen, else −1. */
  readonly chosen: readonly number[];
}

/** The two rules that differ in what they think will follow. */
export type TabularRule = 'q-learning' | 'sarsa';

/**
 * Temporal-difference control with a table of action values (Sutton & Barto, "Reinforcement Learning", 2nd edition 2018,
 * sections 6.4 and 6.5): Q(S, A) ← Q(S, A) + α [R + γ Q(S′, A′) − Q(S, A)]. For Q-learning A′ is the best action in S′;
 * for SARSA it is the action that the agent does take in S′, exploration included. Where an episode is cut off, A′ is
 * what the agent would have done.
 */
export class TabularLearner implements Learner {
  readonly policy: PolicyArchitecture;
  readonly learnIntervalSteps: number;
  readonly reportIntervalSteps = reportIntervalSteps;
  private readonly config: TabularConfig;
  private readonly rule: TabularRule;
  private readonly name: string;
  private readonly discretiser: Discretiser;
  private readonly choices: number;
  private readonly generator: Generator;
  private readonly turns = new EventLoopTurns();
  /** Q [cells × choices] */
  private table: Float32Array;
  private chosen: Int32Array;
  /** The cell that each environment is in. */
  private readonly cells: Int32Array;
  private explorationRate = 1;
  private stepSize = 0;
  /** Sizes of the temporal differences of this round. */
  private differences = 0;

  /** @throws CoxswainError SPEC_INVALID when the observation cannot be divided as configured. */
  constructor(rule: TabularRule, config: TabularConfig, { environment, environments, generator }: AgentSetup) {
    const actions = actionLayoutOf(environment);
    const discretiser = new Discretiser(environment, config);
    const layout = new ParameterLayout({ table: [discretiser.cellCount, actions.width] });
    this.rule = rule;
    this.config = config;
    this.name = environment.name;
    this.discretiser = discretiser;
    this.choices = actions.width;
    this.generator = generator.fork();
    this.learnIntervalSteps = roundSteps * environments;
    this.table = new Float32Array(layout.size).fill(config.initialValue);
    this.chosen = new Int32Array(environments).fill(none);
    this.cells = new Int32Array(environments);
    this.policy = {
      kind: 'categorical',
      observationSize: discretiser.elements,
      layout,
      actions,
      outputs: ({ table }, { observation }) => ({ logits: tf.gather(table, discretiser.cells(observation)) }),
    };
  }

  // ---- act ---

  act(environments: VectorEnvironment, { step, totalSteps, remaining }: LearningProgress): void {
    const { observations, masks, count } = environments;
    const { learningRate, learningRateSchedule } = this.config;
    this.explorationRate = explorationRateAt(this.config, step / totalSteps);
    this.stepSize = scheduled(learningRate, learningRateSchedule, remaining);
    for (let index = 0; index < count; index++) {
      this.cells[index] = this.discretiser.cellOf(observations, index);
      if (this.chosen[index] === none) this.chosen[index] = this.behaviour(this.cells[index], masks, index);
      environments.actions[index] = this.chosen[index];
    }
  }

  /** What the agent does in a cell: mostly the best, sometimes anything. */
  private behaviour(cell: number, masks: Uint8Array | null, row: number): number {
    const explores = this.generator.uniform() < this.explorationRate;
    return explores ? randomChoice(this.choices, masks, row, this.generator) : this.best(cell, masks, row);
  }

  /** The allowed action of the highest value. @param row of the masks. */
  private best(cell: number, masks: Uint8Array | null, row: number): number {
    const values = this.table.subarray(cell * this.choices, (cell + 1) * this.choices);
    return greedyChoice(values, this.choices, masks?.subarray(row * this.choices, (row + 1) * this.choices) ?? null, 0);
  }

  // ---- learn ---

  record(results: StepResults, { observations, masks, count }: VectorEnvironment): void {
    for (let index = 0; index < count; index++) {
      const action = this.chosen[index];
      this.chosen[index] = none;
      let target = results.rewards[index];
      if (results.truncated[index] && !results.terminated[index]) {
        const last = this.discretiser.cellOf(results.lastObservations[index]!, 0);
        target += this.following(last, this.follower(last, results.lastMasks[index], 0));
      } else if (!results.terminated[index]) {
        const next = this.discretiser.cellOf(observations, index);
        const follower = this.follower(next, masks, index);
        if (this.rule === 'sarsa') this.chosen[index] = follower;
        target += this.following(next, follower);
      }
      this.learnFrom(this.cells[index] * this.choices + action, target);
    }
  }

  /** A′ */
  private follower(cell: number, masks: Uint8Array | null, row: number): number {
    return this.rule === 'sarsa' ? this.behaviour(cell, masks, row) : this.best(cell, masks, row);
  }

  /** γ Q(S′, A′) */
  private following(cell: number, action: number): number {
    return this.config.discount * this.table[cell * this.choices + action];
  }

  private learnFrom(place: number, target: number): void {
    const difference = target - this.table[place];
    this.table[place] += this.stepSize * difference;
    this.differences += Math.abs(difference);
  }

  /** @throws CoxswainError TRAINING_DIVERGED when a value has become infinite. */
  async learn(): Promise<Record<string, number>> {
    const temporalDifference = this.differences / this.learnIntervalSteps;
    this.differences = 0;
    if (!Number.isFinite(temporalDifference)) {
      const message = `The action values of ${this.name} diverged: their mean temporal difference is ${temporalDifference}.`;
      throw new CoxswainError('TRAINING_DIVERGED', message);
    }
    await this.turns.give();
    return { temporalDifference, explorationRate: this.explorationRate, learningRate: this.stepSize };
  }

  // ---- save and load ---

  weights(): PolicyWeights {
    return { parameters: this.table.slice(), normalisation: null };
  }

  save(): AgentState {
    const values: StateValues = { actions: this.generator.saveState(), chosen: [...this.chosen] };
    return { arrays: { parameters: this.table.slice() }, values };
  }

  load({ arrays, values }: AgentState): void {
    const { actions, chosen } = values as StateValues;
    this.table = arrays.parameters.slice();
    this.generator.loadState(actions);
    this.chosen = Int32Array.from(chosen);
    this.differences = 0;
  }
}
