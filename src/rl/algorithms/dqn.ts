import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../contracts/errors.ts';
import { adamSchedule, adamUpdate, dropVanishedMoments } from '../../tensor/adam.ts';
import { builtOn } from '../../tensor/built-on.ts';
import type { Disposable } from '../../tensor/built-on.ts';
import type { DeviceName } from '../../tensor/device.ts';
import { ParameterLayout } from '../../tensor/parameters.ts';
import { compile } from '../../tensor/program.ts';
import type { LoadedModel } from '../../tensor/loaded-model.ts';
import type { InputSpec, Tensors } from '../../tensor/trace.ts';
import { compileUpdate } from '../../tensor/update.ts';
import type { Update, UpdateSpec } from '../../tensor/update.ts';
import type { IterationInputs, IterationOutputs } from '../../tensor/update-loop.ts';
import { maskedLogit } from '../action-sampling.ts';
import type { AgentState, PolicyWeights } from '../agent.ts';
import { defineAlgorithm } from '../algorithm.ts';
import type { AgentSetup } from '../algorithm.ts';
import type { EnvironmentDescription } from '../environment.ts';
import { explorationRateAt, greedyChoice, randomChoice } from '../epsilon-greedy.ts';
import { EventLoopTurns } from '../event-loop-turns.ts';
import { flag, hyperparameter, integer, listOf, number, oneOf, optional } from '../hyperparameters.ts';
import type { ConfigOf } from '../hyperparameters.ts';
import type { Learner, LearningProgress } from '../learner.ts';
import { hiddenLayers, initialiseUniformly, perceptron, perceptronLayout } from '../networks.ts';
import type { PerceptronShape } from '../networks.ts';
import type { PolicyArchitecture } from '../policy-architecture.ts';
import type { Generator, GeneratorState } from '../random.ts';
import { ReplayBuffer, replayConflicts } from '../replay/replay-buffer.ts';
import type { Minibatch } from '../replay/replay-buffer.ts';
import { softUpdate } from '../soft-update.ts';
import { actionLayoutOf, spaceSize } from '../spaces.ts';
import type { ActionLayout } from '../spaces.ts';
import { scheduled } from '../schedules.ts';
import type { StepResults, VectorEnvironment } from '../vector-environment.ts';

// ---- configuration ---------------------------------------------------------------------------------------------------

const hyperparameters = {
  hiddenSizes: hyperparameter<readonly number[]>(
    [64, 64],
    listOf(integer(1, 4096), 1, 8),
    'Widths of the hidden layers. With duelling the last one is there twice, once for each stream.',
  ),
  activation: hyperparameter<'tanh' | 'relu'>('relu', oneOf('tanh', 'relu'), 'Activation of the hidden layers.'),
  replayCapacity: hyperparameter(
    1_000_000,
    integer(1, 100_000_000),
    'Transitions that are kept; memory grows with what is filled.',
  ),
  learningStarts: hyperparameter(
    100,
    integer(0, 100_000_000),
    'Environment steps of uniformly random actions; updates begin with the first round that ends after more of them.',
  ),
  trainFrequency: hyperparameter(4, integer(1, 1_000_000), 'Steps of each environment between two rounds of updates.'),
  gradientSteps: hyperparameter<number | null>(
    1,
    optional(integer(1, 1_000_000)),
    'Updates of a round; null makes as many as the round had environment steps.',
  ),
  batchSize: hyperparameter(32, integer(1, 1_000_000), 'Transitions of each update, drawn from the replay.'),
  learningRate: hyperparameter(1e-4, number(0, 1, { above: true }), "Adam's step size."),
  learningRateSchedule: hyperparameter<'constant' | 'linear'>(
    'constant',
    oneOf('constant', 'linear'),
    'linear lets the learning rate fall to 0 at the end of the training.',
  ),
  discount: hyperparameter(0.99, number(0, 1), 'Discount per step.'),
  targetUpdateInterval: hyperparameter(
    10_000,
    integer(1, 100_000_000),
    'Environment steps, over all environments, between two updates of the target network; one waits for the next round.',
  ),
  targetRate: hyperparameter(
    1,
    number(0, 1, { above: true }),
    'τ: share of the way to the network that the target network goes at each update of its own; 1 copies.',
  ),
  explorationFraction: hyperparameter(
    0.1,
    number(0, 1),
    'Share of the training over which the exploration rate falls linearly.',
  ),
  initialExplorationRate: hyperparameter(1, number(0, 1), 'ε at the start: the probability of a random action.'),
  finalExplorationRate: hyperparameter(0.05, number(0, 1), 'ε after it has fallen.'),
  maxGradientNorm: hyperparameter(
    10,
    number(0, Infinity, { above: true }),
    'Gradients longer than this are shortened to it.',
  ),
  adamEpsilon: hyperparameter(1e-8, number(0, 1, { above: true }), "Adam's ε."),
  doubleQ: hyperparameter<boolean>(
    false,
    flag,
    'Lets the network choose the action whose value the target network gives, against overestimation (van Hasselt et al. 2016).',
  ),
  duelling: hyperparameter<boolean>(
    false,
    flag,
    'Adds up the value of a state and the advantages of actions from two streams (Wang et al. 2016).',
  ),
  returnSteps: hyperparameter(
    1,
    integer(1, 1000),
    'n of n-step returns: rewards that are added up before the target network judges what follows.',
  ),
  prioritisedReplay: hyperparameter<boolean>(
    false,
    flag,
    'Draws transitions in proportion to how much they surprised (Schaul et al. 2016).',
  ),
  priorityExponent: hyperparameter(0.6, number(0, 1), 'α: 0 draws uniformly, 1 in proportion to the error.'),
  importanceExponent: hyperparameter(
    0.4,
    number(0, 1),
    'β at the start: how much of the bias of prioritised draws is corrected; rises linearly to 1.',
  ),
};

/**
 * The hyperparameters of DQN (Mnih et al., "Human-level control through deep reinforcement learning", 2015). The defaults
 * are those of stable-baselines3.
 */
export type DqnConfig = ConfigOf<typeof hyperparameters>;

/** Steps after which a training may report. */
const reportIntervalSteps = 1000;

/** Updates between two calls of {@link dropVanishedMoments}: few enough that nothing decays to a denormal number between. */
const cleaningInterval = 64;

// ---- state -----------------------------------------------------------------------------------------------------------

/** The programs that DQN runs. */
interface Programs {
  /** Values of all actions for what the environments show. */
  readonly act: LoadedModel;
  /** One update on one minibatch. */
  readonly update: Update;
  /** Moves the target network; null where it is copied. */
  readonly follow: LoadedModel | null;
}

/** The part of the state that is not in arrays; JSON. */
interface StateValues extends Counters {
  readonly actions: GeneratorState;
  readonly draws: GeneratorState;
  readonly replay: unknown;
}

/**
 * Deep Q-learning with the extensions that have lasted. Where actions are masked, forbidden ones are taken neither by
 * chance nor as the best, and count in no target: the replay keeps the mask of each observation, also of the last one of
 * an episode that was cut off. Each environment draws for itself whether it explores.
 */
export const dqn = defineAlgorithm({
  name: 'dqn',
  summary: 'Deep Q-learning: off-policy, for discrete actions; double, duelling, n-step and prioritised as options.',
  actionSpaces: ['discrete'],
  masks: true,
  hyperparameters,
  conflicts: replayConflicts,
  async create(config, setup) {
    const model = new DqnModel(config, setup.environment);
    return builtOn(await compilePrograms(model, setup), (programs) => new Dqn(config, setup, model, programs));
  },
});

/** Compiles all or, when one fails, keeps none. */
async function compilePrograms(model: DqnModel, { device, environments }: AgentSetup): Promise<Programs> {
  const { targetRate, batchSize } = model.config;
  const made: Disposable[] = [];
  const kept = <T extends Disposable>(program: T): T => {
    made.push(program);
    return program;
  };
  try {
    return {
      // Acting stays on the CPU: its batches are too small for a card.
      act: kept(await compile((inputs) => model.act(inputs), model.actInputs(environments), 'cpu')),
      update: kept(await compileUpdate(model.updateSpec, batchSize, device)),
      follow: targetRate === 1 ? null : await compileFollow(model, device),
    };
  } catch (error) {
    await Promise.all(made.map((program) => program.dispose()));
    throw error;
  }
}

function compileFollow({ layout }: DqnModel, device: DeviceName): Promise<LoadedModel> {
  const vector = { shape: [layout.size] };
  return compile(
    ({ target, parameters, rate }) => ({ followed: softUpdate(target, parameters, rate) }),
    { target: vector, parameters: vector, rate: { shape: [] } },
    device,
  );
}

// ---- model and loss --------------------------------------------------------------------------------------------------

/** The network, and everything that is compiled from it. */
export class DqnModel {
  readonly config: DqnConfig;
  readonly actions: ActionLayout;
  readonly layout: ParameterLayout;
  readonly observationSize: number;
  readonly masked: boolean;
  /** The perceptrons that the network is made of, by name. */
  private readonly shapes: Readonly<Record<string, PerceptronShape>>;

  constructor(config: DqnConfig, environment: EnvironmentDescription) {
    this.config = config;
    this.actions = actionLayoutOf(environment);
    this.masked = environment.actionMaskSize > 0;
    this.observationSize = spaceSize(environment.observationSpace);
    this.shapes = networkShapes(config, this.observationSize, this.actions.width);
    const weights = Object.entries(this.shapes).flatMap(([name, shape]) =>
      Object.entries(perceptronLayout(name, shape).shapes),
    );
    this.layout = new ParameterLayout(Object.fromEntries(weights.filter(([name]) => !name.startsWith(unusedLayer))));
  }

  /** What acts, for export: the logits are the values of the actions. */
  get policy(): PolicyArchitecture {
    return {
      kind: 'categorical',
      observationSize: this.observationSize,
      layout: this.layout,
      actions: this.actions,
      outputs: (weights, { observation }) => ({ logits: this.values(weights, observation) }),
    };
  }

  initialParameters(generator: Generator): Float32Array {
    const parameters = new Float32Array(this.layout.size);
    for (const [name, shape] of Object.entries(this.shapes)) {
      const layout = perceptronLayout(name, shape);
      const all = new Float32Array(layout.size);
      initialiseUniformly(name, shape, all, generator);
      for (const weight of Object.keys(layout.shapes)) {
        if (!weight.startsWith(unusedLayer)) this.layout.view(parameters, weight).set(layout.view(all, weight));
      }
    }
    return parameters;
  }

  actInputs(environments: number): Record<string, InputSpec> {
    return {
      parameters: { shape: [this.layout.size] },
      observation: { shape: [environments, this.observationSize] },
    };
  }

  /** The value of every action: Q(s, ·), one row an environment. */
  act({ parameters, observation }: Tensors): Tensors {
    return { values: this.values(this.layout.split(parameters), observation) };
  }

  /**
   * One update. A row of `facts`, kept together because every piece costs an operation, holds of one sample the reward,
   * what the value of the next observation counts, the importance weight divided by the batch's size, a one for the action
   * among zeros and, where actions are masked, what is added to each next action's value. The target network's weights
   * come with the schedule: updates leave them alone.
   */
  get updateSpec(): UpdateSpec {
    const vector = { shape: [this.layout.size] };
    const observation = { shape: [this.observationSize] };
    return {
      state: { parameters: vector, firstMoment: vector, secondMoment: vector },
      batch: {
        observation,
        nextObservation: observation,
        facts: { shape: [this.factSizes.reduce((sum, size) => sum + size, 0)] },
      },
      schedule: { target: vector, stepSize: { shape: [] }, epsilon: { shape: [] } },
      update: (inputs) => this.update(inputs),
    };
  }

  private get factSizes(): number[] {
    const { width } = this.actions;
    return [1, 1, 1, width, ...(this.masked ? [width] : [])];
  }

  /**
   * One minibatch: the loss, its gradient, and Adam. `errors` [batch, choices] holds the temporal difference Q(s, a) − y
   * of each sample at the place of its action, and zeros beside.
   */
  private update({ state, batch, schedule }: IterationInputs): Omit<IterationOutputs, 'goOn'> {
    const { observation, nextObservation, facts } = batch;
    const { parameters, firstMoment, secondMoment } = state;
    const [reward, discount, weight, chosen, penalty] = tf.split(facts, this.factSizes, 1);
    const followers = this.nextValues(parameters, schedule.target, nextObservation, penalty);
    const goal = tf.add(reward, tf.mul(discount, followers));
    let errors!: tf.Tensor;
    const { grads } = tf.valueAndGrads((all: tf.Tensor) => {
      const values = this.values(this.layout.split(all), observation);
      // TF.js disposes of what is made in here unless it is kept.
      errors = tf.keep(tf.mul(tf.sub(values, goal), chosen));
      return huberLoss(errors, weight);
    })([parameters]);
    const { gradientNorm, ...next } = adamUpdate(
      { parameters, firstMoment, secondMoment },
      grads[0],
      { stepSize: schedule.stepSize, epsilon: schedule.epsilon },
      this.config.maxGradientNorm,
    );
    return { state: next, outputs: { errors, gradientNorm } };
  }

  /**
   * The value of what follows, [batch, 1]: of the best allowed action as the target network sees it, or, double, of the
   * action that the network itself would choose (van Hasselt et al. 2016, equation 4).
   */
  private nextValues(
    parameters: tf.Tensor,
    target: tf.Tensor,
    observation: tf.Tensor,
    penalty: tf.Tensor | undefined,
  ): tf.Tensor {
    const allowed = (values: tf.Tensor): tf.Tensor => (penalty ? tf.add(values, penalty) : values);
    const values = this.values(this.layout.split(target), observation);
    if (!this.config.doubleQ) return tf.max(allowed(values), 1, true);
    const choices = tf.argMax(allowed(this.values(this.layout.split(parameters), observation)), 1);
    return tf.sum(tf.mul(values, tf.oneHot(choices, this.actions.width, 1, 0, 'float32')), 1, true);
  }

  /** Q(s, ·) [batch, choices]; duelling: V(s) + A(s, ·) − mean A(s, ·) (Wang et al. 2016, equation 9). */
  private values(weights: Tensors, observation: tf.Tensor): tf.Tensor {
    const { network, shared, value, advantage } = this.shapes;
    if (!this.config.duelling) return perceptron('network', network, weights, observation);
    const seen = hiddenLayers('shared', shared, weights, observation);
    const advantages = perceptron('advantage', advantage, weights, seen);
    return tf.add(tf.sub(advantages, tf.mean(advantages, 1, true)), perceptron('value', value, weights, seen));
  }
}

/** The layers that the streams share have no output layer of their own. */
const unusedLayer = 'shared.output.';

function networkShapes(
  { hiddenSizes, activation, duelling }: DqnConfig,
  inputs: number,
  outputs: number,
): Record<string, PerceptronShape> {
  if (!duelling) return { network: { inputs, hiddenSizes, activation, outputs } };
  const shared = hiddenSizes.slice(0, -1);
  const stream = { inputs: shared.at(-1) ?? inputs, hiddenSizes: hiddenSizes.slice(-1), activation };
  return {
    shared: { inputs, hiddenSizes: shared, activation, outputs: 1 },
    value: { ...stream, outputs: 1 },
    advantage: { ...stream, outputs },
  };
}

/**
 * The sum of Huber's losses with threshold 1 of all errors, each times its row's weight. With c = clip(e, ±1) the loss is
 * c (e − c/2) and its derivative c: written down here, because what TF.js derives needs three times the operations.
 */
function huberLoss(errors: tf.Tensor, weight: tf.Tensor): tf.Scalar {
  const loss = tf.customGrad((e: tf.Tensor | tf.GradSaveFunc, save: tf.Tensor | tf.GradSaveFunc) => {
    const clipped = tf.clipByValue(e as tf.Tensor, -1, 1);
    const slope = tf.mul(clipped, weight);
    (save as tf.GradSaveFunc)([slope]);
    const value = tf.sum(tf.mul(slope, tf.sub(e as tf.Tensor, tf.mul(clipped, 0.5))));
    return { value, gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(saved, dy) };
  });
  return loss(errors) as tf.Scalar;
}

// ---- learner ---------------------------------------------------------------------------------------------------------

/** Counters of the learner; JSON. */
interface Counters {
  /** Environment steps recorded. */
  readonly steps: number;
  /** Updates made so far: Adam's t. */
  readonly updates: number;
  /** Updates of the target network that came due since the last round. */
  readonly targetUpdatesDue: number;
}

class Dqn implements Learner {
  readonly policy: PolicyArchitecture;
  readonly learnIntervalSteps: number;
  readonly reportIntervalSteps = reportIntervalSteps;
  private readonly config: DqnConfig;
  private readonly model: DqnModel;
  private readonly programs: Programs;
  private readonly choices: number;
  private readonly buffer: ReplayBuffer;
  private readonly minibatch: Minibatch;
  private readonly actionGenerator: Generator;
  private readonly drawGenerator: Generator;
  /** The action's error of each sample of the last minibatch. */
  private readonly errors: Float32Array;
  /** Values of the greedy actions since the last round, for the figures. */
  private readonly greedy = { sum: 0, count: 0 };
  private readonly turns = new EventLoopTurns();
  private counters: Counters = { steps: 0, updates: 0, targetUpdatesDue: 0 };
  private marked: Mark | null = null;

  constructor(config: DqnConfig, setup: AgentSetup, model: DqnModel, programs: Programs) {
    const { environment, environments, generator } = setup;
    const { state, schedule, batch } = programs.update;
    this.config = config;
    this.model = model;
    this.programs = programs;
    this.policy = model.policy;
    this.choices = model.actions.width;
    this.learnIntervalSteps = config.trainFrequency * environments;
    state.parameters.set(model.initialParameters(generator.fork()));
    schedule.target.set(state.parameters);
    this.actionGenerator = generator.fork();
    this.drawGenerator = generator.fork();
    this.buffer = new ReplayBuffer(environment, environments, {
      capacity: config.replayCapacity,
      discount: config.discount,
      returnSteps: config.returnSteps,
      ...(config.prioritisedReplay ? { prioritised: { exponent: config.priorityExponent } } : {}),
    });
    const { observation: observations, nextObservation: nextObservations } = batch;
    this.minibatch = this.buffer.minibatch(config.batchSize, { observations, nextObservations });
    this.errors = new Float32Array(config.batchSize);
  }

  // -- act and collect --

  act(environments: VectorEnvironment, progress: LearningProgress): void {
    const { observations, masks, count } = environments;
    const { choices, actionGenerator, greedy } = this;
    const actions = environments.actions as Int32Array;
    this.buffer.start(observations, masks);
    const rate = this.explorationRate(progress);
    let values: Float32Array | null = null;
    for (let index = 0; index < count; index++) {
      if (rate > 0 && actionGenerator.uniform() < rate) {
        actions[index] = randomChoice(choices, masks, index, actionGenerator);
        continue;
      }
      values ??= this.values(observations);
      actions[index] = greedyChoice(values, choices, masks, index);
      greedy.sum += values[index * choices + actions[index]];
      greedy.count++;
    }
  }

  /** Q(s, ·) of what all environments show. */
  private values(observation: Float32Array): Float32Array {
    const { act, update } = this.programs;
    return act.runSync({ parameters: update.state.parameters, observation }).values as Float32Array;
  }

  private explorationRate({ step, totalSteps }: LearningProgress): number {
    return this.counters.steps < this.config.learningStarts ? 1 : explorationRateAt(this.config, step / totalSteps);
  }

  record(results: StepResults, environments: VectorEnvironment): void {
    const { targetUpdateInterval } = this.config;
    this.buffer.record(environments.actions, results, environments);
    const steps = this.counters.steps + environments.count;
    const due = Math.floor(steps / targetUpdateInterval) - Math.floor(this.counters.steps / targetUpdateInterval);
    this.counters = { ...this.counters, steps, targetUpdatesDue: this.counters.targetUpdatesDue + due };
  }

  // -- update --

  async learn(_environments: VectorEnvironment, progress: LearningProgress): Promise<Record<string, number> | null> {
    const { learningStarts, gradientSteps, learningRate, learningRateSchedule } = this.config;
    this.followTarget();
    await this.turns.give();
    if (this.counters.steps <= learningStarts) return null;
    const rate = scheduled(learningRate, learningRateSchedule, progress.remaining);
    const count = gradientSteps ?? this.learnIntervalSteps;
    let loss = 0;
    let gradientNorm = 0;
    for (let made = 0; made < count; made++) {
      const figures = this.update(rate, this.importanceExponent(progress));
      loss += figures.loss / count;
      gradientNorm += figures.gradientNorm / count;
      if (made + 1 < count) await this.turns.give();
    }
    return {
      loss,
      gradientNorm,
      learningRate: rate,
      explorationRate: this.explorationRate(progress),
      ...(this.config.prioritisedReplay ? { importanceExponent: this.importanceExponent(progress) } : {}),
      ...this.greedyFigures(),
    };
  }

  /** Makes the updates of the target network that are due: k of them go 1 − (1 − τ)ᵏ of the way. */
  private followTarget(): void {
    const { targetUpdatesDue } = this.counters;
    if (targetUpdatesDue === 0) return;
    const { update, follow } = this.programs;
    const { parameters } = update.state;
    const { target } = update.schedule;
    const rate = Float32Array.of(1 - (1 - this.config.targetRate) ** targetUpdatesDue);
    target.set(follow ? follow.runSync({ target, parameters, rate }).followed : parameters);
    this.counters = { ...this.counters, targetUpdatesDue: 0 };
  }

  /** One gradient step. @throws CoxswainError TRAINING_DIVERGED when the loss or the gradient is not finite. */
  private update(learningRate: number, importanceExponent: number): { loss: number; gradientNorm: number } {
    const { minibatch, buffer, errors, config } = this;
    const { update } = this.programs;
    const { updates } = this.counters;
    buffer.sample(minibatch, this.drawGenerator, importanceExponent);
    this.fillFacts(update.batch.facts);
    const { stepSize, epsilon } = adamSchedule(updates, 1, learningRate, config.adamEpsilon);
    update.schedule.stepSize.set(stepSize);
    update.schedule.epsilon.set(epsilon);
    update.runSync();
    this.counters = { ...this.counters, updates: updates + 1 };
    if ((updates + 1) % cleaningInterval === 0) {
      dropVanishedMoments(update.state.firstMoment);
      dropVanishedMoments(update.state.secondMoment);
    }
    const figures = { loss: this.takeErrors(update.outputs.errors), gradientNorm: update.outputs.gradientNorm[0] };
    assertFinite(figures, updates + 1);
    buffer.setPriorities(minibatch, errors);
    return figures;
  }

  /** Writes what the update reads of each sample but for the observations: see {@link DqnModel.updateSpec}. */
  private fillFacts(facts: Float32Array): void {
    const { choices, minibatch } = this;
    const { size, rewards, discounts, weights, actions, nextMasks } = minibatch;
    const width = facts.length / size;
    for (let row = 0; row < size; row++) {
      const start = row * width;
      facts[start] = rewards[row];
      facts[start + 1] = discounts[row];
      facts[start + 2] = weights[row] / size;
      for (let choice = 0; choice < choices; choice++) facts[start + 3 + choice] = actions[row] === choice ? 1 : 0;
      if (!this.model.masked) continue;
      for (let choice = 0; choice < choices; choice++) {
        facts[start + 3 + choices + choice] = nextMasks[row * choices + choice] === 0 ? maskedLogit : 0;
      }
    }
  }

  /** Keeps each sample's error. @returns the loss that they make. */
  private takeErrors(errors: Float32Array): number {
    const { choices, minibatch } = this;
    const { size, actions, weights } = minibatch;
    let loss = 0;
    for (let row = 0; row < size; row++) {
      const error = errors[row * choices + actions[row]];
      const distance = Math.abs(error);
      this.errors[row] = error;
      loss += weights[row] * (distance < 1 ? 0.5 * error * error : distance - 0.5);
    }
    return loss / size;
  }

  /** β, which rises linearly to 1. */
  private importanceExponent({ remaining }: LearningProgress): number {
    return 1 - (1 - this.config.importanceExponent) * remaining;
  }

  private greedyFigures(): Record<string, number> {
    const { sum, count } = this.greedy;
    this.greedy.sum = this.greedy.count = 0;
    return count > 0 ? { meanQ: sum / count } : {};
  }

  // -- save and load --

  weights(): PolicyWeights {
    return { parameters: this.programs.update.state.parameters.slice(), normalisation: null };
  }

  save(): AgentState {
    const replay = this.buffer.save();
    const { values, arrays } = this.snapshot();
    return { arrays: { ...arrays, ...replay.arrays }, values: { ...values, replay: replay.values } };
  }

  load({ arrays, values }: AgentState): void {
    const { replay, ...others } = values as StateValues;
    this.buffer.load(arrays, replay);
    this.restore({ arrays: arrays as unknown as Mark['arrays'], values: others });
  }

  mark(): void {
    this.buffer.mark();
    this.marked = this.snapshot();
  }

  rewind(): void {
    if (!this.marked) return;
    this.buffer.rewind();
    this.restore(this.marked);
  }

  /** A copy of everything but the replay. */
  private snapshot(): Mark {
    const { packedState, schedule } = this.programs.update;
    const { size } = this.model.layout;
    const parameters = new Float32Array(2 * size);
    parameters.set(packedState.subarray(0, size));
    parameters.set(schedule.target, size);
    const { actionGenerator, drawGenerator, counters } = this;
    return {
      arrays: { parameters, moments: packedState.slice(size) },
      values: { ...counters, actions: actionGenerator.saveState(), draws: drawGenerator.saveState() },
    };
  }

  private restore({ arrays: { parameters, moments }, values }: Mark): void {
    const { packedState, schedule } = this.programs.update;
    const { size } = this.model.layout;
    const { actions, draws, ...counters } = values;
    packedState.set(parameters.subarray(0, size));
    packedState.set(moments, size);
    schedule.target.set(parameters.subarray(size));
    this.actionGenerator.loadState(actions);
    this.drawGenerator.loadState(draws);
    this.counters = counters;
    this.greedyFigures();
  }

  async dispose(): Promise<void> {
    const { act, update, follow } = this.programs;
    await Promise.all([act.dispose(), update.dispose(), follow?.dispose()]);
  }
}

/** The learner's state but for its replay. `parameters` are the network's and then the target network's. */
interface Mark {
  readonly arrays: { readonly parameters: Float32Array; readonly moments: Float32Array };
  readonly values: Omit<StateValues, 'replay'>;
}

function assertFinite(figures: Readonly<Record<string, number>>, update: number): void {
  for (const [name, value] of Object.entries(figures)) {
    if (Number.isFinite(value)) continue;
    throw new CoxswainError('TRAINING_DIVERGED', `DQN diverged: ${figureNames[name]} is ${value} at update ${update}.`);
  }
}

const figureNames: Readonly<Record<string, string>> = { loss: 'the loss', gradientNorm: 'the gradient norm' };
