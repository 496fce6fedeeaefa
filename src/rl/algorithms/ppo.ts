import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../contracts/errors.ts';
import { adamSchedule, adamUpdate } from '../../tensor/adam.ts';
import type { DeviceName } from '../../tensor/device.ts';
import { logSoftmax } from '../../tensor/operations.ts';
import { ParameterLayout } from '../../tensor/parameters.ts';
import { compile } from '../../tensor/program.ts';
import type { LoadedModel, Values } from '../../tensor/loaded-model.ts';
import type { InputSpec, Tensors } from '../../tensor/trace.ts';
import { compileUpdateLoop } from '../../tensor/update-loop.ts';
import type { IterationInputs, IterationOutputs, UpdateLoop, UpdateLoopInputs } from '../../tensor/update-loop.ts';
import { fillPenalties, sampleAction } from '../action-sampling.ts';
import { explainedVariance, generalisedAdvantages, normalisedByMinibatch } from '../advantages.ts';
import type { AgentState, PolicyWeights } from '../agent.ts';
import { defineAlgorithm } from '../algorithm.ts';
import type { AgentSetup } from '../algorithm.ts';
import type { EnvironmentDescription } from '../environment.ts';
import { flag, hyperparameter, integer, listOf, number, oneOf, optional } from '../hyperparameters.ts';
import type { ConfigOf } from '../hyperparameters.ts';
import type { Learner, LearningProgress } from '../learner.ts';
import { initialisePerceptron, perceptron, perceptronLayout } from '../networks.ts';
import type { PerceptronShape } from '../networks.ts';
import { ObservationNormaliser, RewardScaler } from '../normalisation.ts';
import type { RewardScalerState } from '../normalisation.ts';
import type { PolicyArchitecture } from '../policy-architecture.ts';
import type { Generator, GeneratorState } from '../random.ts';
import { RolloutBuffer } from '../rollout-buffer.ts';
import type { StatisticsState } from '../running-statistics.ts';
import { actionLayoutOf, spaceSize } from '../spaces.ts';
import type { ActionLayout } from '../spaces.ts';
import type { StepResults, VectorEnvironment } from '../vector-environment.ts';

// ---- configuration ---------------------------------------------------------------------------------------------------

const hyperparameters = {
  hiddenSizes: hyperparameter<readonly number[]>(
    [64, 64],
    listOf(integer(1, 4096), 1, 8),
    'Widths of the hidden layers of both networks (policy and value share nothing).',
  ),
  activation: hyperparameter<'tanh' | 'relu'>('tanh', oneOf('tanh', 'relu'), 'Activation of the hidden layers.'),
  rolloutSteps: hyperparameter(
    2048,
    integer(1, 10_000_000),
    'Environment steps per update phase, summed over all environments.',
  ),
  minibatchSize: hyperparameter(
    64,
    integer(1, 10_000_000),
    'Samples per gradient step; the last minibatch of an epoch may be smaller.',
  ),
  epochs: hyperparameter(10, integer(1, 1000), 'Passes over each rollout.'),
  learningRate: hyperparameter(3e-4, number(0, 1, { above: true }), "Adam's step size."),
  learningRateSchedule: hyperparameter<'constant' | 'linear'>(
    'constant',
    oneOf('constant', 'linear'),
    'linear lets the learning rate fall to 0 at the end of the training.',
  ),
  discount: hyperparameter(0.99, number(0, 1), 'Discount per step.'),
  gaeLambda: hyperparameter(0.95, number(0, 1), 'λ of generalised advantage estimation.'),
  clipRange: hyperparameter(0.2, number(0, 10, { above: true }), 'ε of the clipped objective.'),
  valueClipRange: hyperparameter<number | null>(
    null,
    optional(number(0, Infinity, { above: true })),
    "Limit of the value's change per phase; null does not clip it.",
  ),
  normaliseAdvantages: hyperparameter<boolean>(true, flag, 'Advantages of each minibatch to mean 0 and deviation 1.'),
  entropyCoefficient: hyperparameter(0, number(0, 10), 'Weight of the entropy bonus at the start.'),
  finalEntropyCoefficient: hyperparameter<number | null>(
    null,
    optional(number(0, 10)),
    'Weight of the entropy bonus at the end of the training, linear in between; null keeps it constant.',
  ),
  valueCoefficient: hyperparameter(0.5, number(0, 100), 'Weight of the value loss.'),
  maxGradientNorm: hyperparameter(
    0.5,
    number(0, Infinity, { above: true }),
    'Gradients longer than this are shortened to it.',
  ),
  targetKl: hyperparameter<number | null>(
    null,
    optional(number(0, Infinity, { above: true })),
    "Ends a phase once a minibatch's approximate divergence exceeds 1.5 × this; null never does.",
  ),
  adamEpsilon: hyperparameter(1e-5, number(0, 1, { above: true }), "Adam's ε."),
  normaliseObservations: hyperparameter<boolean>(
    false,
    flag,
    'Observations to running mean 0 and deviation 1, clipped at ±10.',
  ),
  scaleRewards: hyperparameter<boolean>(
    false,
    flag,
    'Rewards divided by the running deviation of the discounted return, clipped at ±10.',
  ),
  initialNoopProbability: hyperparameter<number | null>(
    null,
    optional(number(0, 0.999999, { above: true })),
    "Probability that choice 0 (do nothing) of every head has at the start when nothing is masked, set by the bias of the policy's last layer; null starts uniform.",
  ),
};

/**
 * The hyperparameters of PPO (Schulman et al., "Proximal Policy Optimization Algorithms", 2017). The defaults are those
 * that stable-baselines3 trains CartPole with.
 */
export type PpoConfig = ConfigOf<typeof hyperparameters>;

// ---- state -----------------------------------------------------------------------------------------------------------

/** The three programs that PPO runs. */
interface Programs {
  /** Probabilities of all choices for some observations. */
  readonly act: LoadedModel;
  /** Values of some observations. */
  readonly value: LoadedModel;
  /** A whole phase of minibatch updates. */
  readonly update: UpdateLoop;
}

/** The part of the state that is not in arrays; JSON. */
interface StateValues {
  readonly updates: number;
  readonly actions: GeneratorState;
  readonly minibatches: GeneratorState;
  readonly observations: StatisticsState | null;
  readonly rewards: RewardScalerState | null;
}

/** Proximal policy optimisation for discrete and multi-discrete actions, with action masks. */
export const ppo = defineAlgorithm({
  name: 'ppo',
  summary: 'Proximal policy optimisation: robust, on-policy; the default for scaling.',
  actionSpaces: ['discrete', 'multi-discrete'],
  masks: true,
  hyperparameters,
  conflicts({ rolloutSteps }, environments) {
    if (rolloutSteps % environments === 0) return [];
    return [
      `rolloutSteps: found ${rolloutSteps}; allowed: a multiple of the number of environments (${environments}).`,
    ];
  },
  async create(config, setup) {
    const model = new PpoModel(config, setup.environment);
    return new Ppo(config, setup, model, await compilePrograms(model, setup.device));
  },
});

/** Compiles all or, when one fails, keeps none. */
async function compilePrograms(model: PpoModel, device: DeviceName): Promise<Programs> {
  // Acting stays on the CPU: its batches are too small for a card.
  const act = await compile((inputs) => model.act(inputs), model.actInputs, 'cpu');
  try {
    const update = await compileUpdateLoop(
      { ...model.updateInputs, iteration: (inputs) => model.update(inputs) },
      device,
    );
    return { act, update, value: await compile((inputs) => model.value(inputs), model.valueInputs, device) };
  } catch (error) {
    await act.dispose();
    throw error;
  }
}

// ---- model and loss --------------------------------------------------------------------------------------------------

/** The networks, and everything that is compiled from them. */
export class PpoModel {
  readonly config: PpoConfig;
  readonly actions: ActionLayout;
  readonly policyShape: PerceptronShape;
  readonly valueShape: PerceptronShape;
  readonly policyLayout: ParameterLayout;
  readonly valueLayout: ParameterLayout;
  /** True when some logits must be masked: by the environment or because heads are padded. */
  readonly masked: boolean;
  private readonly layout: ParameterLayout;

  constructor(config: PpoConfig, environment: EnvironmentDescription) {
    const { hiddenSizes, activation } = config;
    const inputs = spaceSize(environment.observationSpace);
    this.config = config;
    this.actions = actionLayoutOf(environment);
    this.masked = environment.actionMaskSize > 0 || this.actions.padded;
    this.policyShape = { inputs, hiddenSizes, activation, outputs: this.actions.logits };
    this.valueShape = { inputs, hiddenSizes, activation, outputs: 1 };
    this.policyLayout = perceptronLayout('policy', this.policyShape);
    this.valueLayout = perceptronLayout('value', this.valueShape);
    this.layout = new ParameterLayout({ ...this.policyLayout.shapes, ...this.valueLayout.shapes });
  }

  /** What acts, for export. */
  get policy(): PolicyArchitecture {
    return {
      kind: 'categorical',
      observationSize: this.policyShape.inputs,
      layout: this.policyLayout,
      actions: this.actions,
      outputs: (weights, { observation }) => ({ logits: perceptron('policy', this.policyShape, weights, observation) }),
    };
  }

  /** Orthogonal weights; a last layer of almost zero makes the first policy uniform but for `initialNoopProbability`. */
  initialParameters(generator: Generator): Float32Array {
    const parameters = new Float32Array(this.layout.size);
    const policy = this.policyPart(parameters);
    initialisePerceptron('policy', this.policyShape, policy, 0.01, generator);
    initialisePerceptron('value', this.valueShape, this.valuePart(parameters), 1, generator);
    const { initialNoopProbability } = this.config;
    if (initialNoopProbability !== null) {
      const bias = this.policyLayout.view(policy, 'policy.output.bias');
      this.actions.choices.forEach((count, head) => {
        const odds = initialNoopProbability / (1 - initialNoopProbability);
        bias[head * this.actions.width] = count > 1 ? Math.log(odds * (count - 1)) : 0;
      });
    }
    return parameters;
  }

  /** The policy's weights as a view of all weights. */
  policyPart(parameters: Float32Array): Float32Array {
    return parameters.subarray(0, this.policyLayout.size);
  }

  /** The value network's weights as a view of all weights. */
  valuePart(parameters: Float32Array): Float32Array {
    return parameters.subarray(this.policyLayout.size);
  }

  /** Inputs of {@link act}: the policy's weights, and for each row what is seen and what is forbidden. */
  get actInputs(): Record<string, InputSpec> {
    return {
      parameters: { shape: [this.policyLayout.size] },
      observation: { shape: ['batch', this.policyShape.inputs] },
      ...(this.masked ? { penalty: { shape: ['batch', this.actions.logits] } } : {}),
    };
  }

  /** Probabilities of all choices, heads × width for each row. */
  act({ parameters, observation, penalty }: Tensors): Tensors {
    const logProbabilities = this.logProbabilities(this.policyLayout.split(parameters), observation, penalty);
    return { probabilities: tf.exp(logProbabilities) };
  }

  /** Inputs of {@link value}: the value network's weights and observations. */
  get valueInputs(): Record<string, InputSpec> {
    return {
      parameters: { shape: [this.valueLayout.size] },
      observation: { shape: ['batch', this.valueShape.inputs] },
    };
  }

  /** The value of each observation. */
  value({ parameters, observation }: Tensors): Tensors {
    return { values: this.values(this.valueLayout.split(parameters), observation) };
  }

  /** What {@link update} carries, samples and follows. */
  get updateInputs(): {
    state: Record<string, InputSpec>;
    samples: Record<string, InputSpec>;
    picks: Record<string, InputSpec>;
    schedule: Record<string, InputSpec>;
  } {
    const { heads, width, logits } = this.actions;
    const flat = { shape: [this.layout.size] };
    const scalar = { shape: [] };
    return {
      state: { parameters: flat, firstMoment: flat, secondMoment: flat },
      samples: {
        observation: { shape: [this.policyShape.inputs] },
        action: { shape: heads > 1 ? [heads, width] : [width] },
        logProbability: scalar,
        target: scalar,
        ...(this.masked ? { penalty: { shape: [logits] } } : {}),
        ...(this.config.valueClipRange === null ? {} : { value: scalar }),
      },
      picks: { advantage: scalar },
      schedule: {
        stepSize: scalar,
        epsilon: scalar,
        ...(this.hasEntropyBonus ? { entropyCoefficient: scalar } : {}),
      },
    };
  }

  /** One minibatch: the loss, its gradient, and Adam. */
  update({ state, batch, schedule }: IterationInputs): IterationOutputs {
    let figures: Tensors = {};
    const { grads } = tf.valueAndGrads((parameters: tf.Tensor) => {
      const { loss, ...others } = this.loss(this.layout.split(parameters), batch, schedule);
      // TF.js disposes of what is made in here unless it is kept.
      figures = Object.fromEntries(Object.entries(others).map(([name, figure]) => [name, tf.keep(figure)]));
      return loss as tf.Scalar;
    })([state.parameters]);
    const { maxGradientNorm, targetKl } = this.config;
    const adamState = state as { parameters: tf.Tensor; firstMoment: tf.Tensor; secondMoment: tf.Tensor };
    const { gradientNorm, ...next } = adamUpdate(
      adamState,
      grads[0],
      { stepSize: schedule.stepSize, epsilon: schedule.epsilon },
      maxGradientNorm,
    );
    return {
      state: next,
      outputs: { ...figures, gradientNorm },
      ...(targetKl === null ? {} : { goOn: tf.lessEqual(figures.approxKl, 1.5 * targetKl) }),
    };
  }

  /** Whether the loss has an entropy term at some time of the training. */
  get hasEntropyBonus(): boolean {
    return this.config.entropyCoefficient > 0 || (this.config.finalEntropyCoefficient ?? 0) > 0;
  }

  /** The clipped surrogate objective, the value loss and the entropy bonus (Schulman et al. 2017, equations 7 and 9). */
  private loss(weights: Tensors, batch: Tensors, schedule: Tensors): Tensors {
    const { observation, penalty, action, logProbability, advantage } = batch;
    const { clipRange, valueCoefficient } = this.config;
    const logProbabilities = this.logProbabilities(weights, observation, penalty);
    const axes = logProbabilities.shape.map((_, axis) => axis).slice(1);
    const logRatio = tf.sub(tf.sum(tf.mul(logProbabilities, action), axes), logProbability);
    const ratio = tf.exp(logRatio);
    // min(rA, clip(r, 1−ε, 1+ε) A) = min(rA, A + ε|A|), whose gradient needs fewer operations.
    const limit = tf.add(advantage, tf.mul(tf.abs(advantage), clipRange));
    const policyLoss = tf.neg(tf.mean(tf.minimum(tf.mul(ratio, advantage), limit)));
    const valueLoss = this.valueLoss(this.values(weights, observation), batch);
    const count = tf.scalar(observation.shape[0]);
    const entropy = tf.neg(tf.div(tf.sum(tf.mul(tf.exp(logProbabilities), logProbabilities)), count));
    const withValue = tf.add(policyLoss, tf.mul(valueLoss, valueCoefficient));
    const change = tf.sub(ratio, 1);
    return {
      loss: this.hasEntropyBonus ? tf.sub(withValue, tf.mul(entropy, schedule.entropyCoefficient)) : withValue,
      policyLoss,
      valueLoss,
      entropy,
      approxKl: tf.mean(tf.sub(change, logRatio)),
      clipFraction: tf.mean(tf.cast(tf.greater(tf.abs(change), clipRange), 'float32')),
    };
  }

  /** Mean squared error; with clipping the worse of the errors of the value and of the clipped value. */
  private valueLoss(values: tf.Tensor, { target, value }: Tensors): tf.Tensor {
    const { valueClipRange } = this.config;
    const errors = tf.square(tf.sub(target, values));
    if (valueClipRange === null) return tf.mean(errors);
    const change = tf.clipByValue(tf.sub(values, value), -valueClipRange, valueClipRange);
    return tf.mean(tf.maximum(errors, tf.square(tf.sub(target, tf.add(value, change)))));
  }

  /** [batch, heads, width], or [batch, width] for one head. */
  private logProbabilities(weights: Tensors, observation: tf.Tensor, penalty: tf.Tensor | undefined): tf.Tensor {
    const { heads, width } = this.actions;
    const logits = perceptron('policy', this.policyShape, weights, observation);
    const allowed = penalty ? tf.add(logits, penalty) : logits;
    return logSoftmax(heads > 1 ? tf.reshape(allowed, [observation.shape[0], heads, width]) : allowed);
  }

  /** [batch] */
  private values(weights: Tensors, observation: tf.Tensor): tf.Tensor {
    return tf.reshape(perceptron('value', this.valueShape, weights, observation), [observation.shape[0]]);
  }
}

// ---- learner ---------------------------------------------------------------------------------------------------------

/** What the networks are drawn towards; in the layout of the rollout. */
interface Targets {
  readonly advantages: Float32Array;
  readonly returns: Float32Array;
}

class Ppo implements Learner {
  readonly policy: PolicyArchitecture;
  readonly learnIntervalSteps: number;
  private readonly config: PpoConfig;
  private readonly model: PpoModel;
  private readonly programs: Programs;
  private readonly buffer: RolloutBuffer;
  private readonly actionGenerator: Generator;
  private readonly minibatchGenerator: Generator;
  private readonly normaliser: ObservationNormaliser | null;
  private readonly scaler: RewardScaler | null;
  private parameters: Float32Array;
  private firstMoment: Float32Array;
  private secondMoment: Float32Array;
  /** Minibatch updates made so far: Adam's t. */
  private updates = 0;
  /** Samples of the present rollout. */
  private filled = 0;

  constructor(config: PpoConfig, { environments, generator }: AgentSetup, model: PpoModel, programs: Programs) {
    const { inputs } = model.policyShape;
    this.config = config;
    this.model = model;
    this.programs = programs;
    this.policy = model.policy;
    this.learnIntervalSteps = config.rolloutSteps;
    this.parameters = model.initialParameters(generator.fork());
    this.firstMoment = new Float32Array(this.parameters.length);
    this.secondMoment = new Float32Array(this.parameters.length);
    this.actionGenerator = generator.fork();
    this.minibatchGenerator = generator.fork();
    this.normaliser = config.normaliseObservations ? new ObservationNormaliser(inputs) : null;
    this.scaler = config.scaleRewards ? new RewardScaler(environments, config.discount) : null;
    this.buffer = new RolloutBuffer(config.rolloutSteps, environments, inputs, model.actions, model.masked);
  }

  // -- act and collect --

  async act(environments: VectorEnvironment): Promise<void> {
    const { logits, heads } = this.model.actions;
    if (this.filled === 0) this.buffer.clear();
    const probabilities = await this.probabilities(environments, this.filled);
    const actions = environments.actions as Int32Array;
    for (let index = 0; index < environments.count; index++) {
      const action = actions.subarray(index * heads, (index + 1) * heads);
      const { actions: layout } = this.model;
      const logProbability = sampleAction(layout, probabilities, index * logits, this.actionGenerator, action);
      this.storeAction(this.filled + index, action, logProbability);
    }
  }

  /** Normalises the observations into the buffer and gives the probabilities of all choices. */
  private async probabilities(environments: VectorEnvironment, start: number): Promise<Float32Array> {
    const { inputs } = this.model.policyShape;
    const { logits } = this.model.actions;
    const end = start + environments.count;
    const observation = this.buffer.observations.subarray(start * inputs, end * inputs);
    this.see(environments.observations, observation);
    const penalty = this.buffer.penalties?.subarray(start * logits, end * logits);
    if (penalty) fillPenalties(this.model.actions, environments.masks, penalty);
    const { probabilities } = await this.programs.act.run({
      parameters: this.model.policyPart(this.parameters),
      observation,
      ...(penalty ? { penalty } : {}),
    });
    return probabilities as Float32Array;
  }

  /** Observations as the network sees them; those that are acted on count in the statistics. */
  private see(observations: Float32Array, target: Float32Array): void {
    if (!this.normaliser) {
      target.set(observations);
      return;
    }
    const { inputs } = this.model.policyShape;
    for (let offset = 0; offset < observations.length; offset += inputs)
      this.normaliser.statistics.add(observations, offset);
    this.normaliser.apply(observations, target);
  }

  private storeAction(place: number, action: Int32Array, logProbability: number): void {
    const { logits, width } = this.model.actions;
    this.buffer.logProbabilities[place] = logProbability;
    action.forEach((choice, head) => (this.buffer.actions[place * logits + head * width + choice] = 1));
  }

  record({ rewards, terminated, truncated, lastObservations }: StepResults): void {
    for (let index = 0; index < rewards.length; index++) {
      const over = terminated[index] === 1 || truncated[index] === 1;
      const last = lastObservations[index];
      if (last) this.normaliser?.apply(last, last);
      const reward = this.scaler ? this.scaler.scale(index, rewards[index], over) : rewards[index];
      this.buffer.record(this.filled + index, reward, over, last);
    }
    this.filled += rewards.length;
  }

  // -- targets --

  /** Values of all observations of the rollout, of those after it, and of those at which episodes were cut off. */
  private async evaluate(
    environments: VectorEnvironment,
  ): Promise<{ values: Float32Array; nextValues: Float32Array; endValues: Float32Array }> {
    const { observations, truncations, size } = this.buffer;
    const following = environments.observations.slice();
    this.normaliser?.apply(following, following);
    const batch = joined([observations, following, ...truncations.map(({ observation }) => observation)]);
    const result = await this.programs.value.run({
      parameters: this.model.valuePart(this.parameters),
      observation: batch,
    });
    const values = result.values as Float32Array;
    const endValues = new Float32Array(size);
    truncations.forEach(({ place }, index) => (endValues[place] = values[size + environments.count + index]));
    return {
      values: values.subarray(0, size),
      nextValues: values.subarray(size, size + environments.count),
      endValues,
    };
  }

  // -- update --

  async learn(environments: VectorEnvironment, { remaining }: LearningProgress): Promise<Record<string, number>> {
    const { learningRate, learningRateSchedule, discount, gaeLambda } = this.config;
    const evaluated = await this.evaluate(environments);
    const { values } = evaluated;
    const targets = generalisedAdvantages({ ...this.buffer, ...evaluated }, discount, gaeLambda);
    const rate = learningRate * (learningRateSchedule === 'linear' ? remaining : 1);
    const { state, outputs } = await this.programs.update.run(this.updateInputs(values, targets, rate, remaining));
    assertFinite(outputs, state, this.updates);
    this.parameters = state.parameters as Float32Array;
    this.firstMoment = state.firstMoment as Float32Array;
    this.secondMoment = state.secondMoment as Float32Array;
    this.updates += outputs.policyLoss.length;
    this.filled = 0;
    return {
      policyLoss: mean(outputs.policyLoss),
      valueLoss: mean(outputs.valueLoss),
      entropy: mean(outputs.entropy),
      approxKl: mean(outputs.approxKl),
      clipFraction: mean(outputs.clipFraction),
      gradientNorm: mean(outputs.gradientNorm),
      learningRate: rate,
      explainedVariance: explainedVariance(values, targets.returns),
      minibatches: outputs.policyLoss.length,
    };
  }

  /** What a phase works on. Advantages are normalised here, since the minibatches are known before it begins. */
  private updateInputs(
    values: Float32Array,
    { advantages, returns }: Targets,
    learningRate: number,
    remaining: number,
  ): UpdateLoopInputs {
    const { normaliseAdvantages, valueClipRange, adamEpsilon } = this.config;
    const { observations, actions, logProbabilities, penalties } = this.buffer;
    const { order, batchSizes } = this.minibatches();
    const entropyCoefficient = new Float32Array(batchSizes.length).fill(this.entropyCoefficient(remaining));
    return {
      state: { parameters: this.parameters, firstMoment: this.firstMoment, secondMoment: this.secondMoment },
      samples: {
        observation: observations,
        action: actions,
        logProbability: logProbabilities,
        target: returns,
        ...(penalties ? { penalty: penalties } : {}),
        ...(valueClipRange === null ? {} : { value: values }),
      },
      picks: {
        advantage: normaliseAdvantages
          ? normalisedByMinibatch(advantages, order, batchSizes)
          : Float32Array.from(order, (place) => advantages[place]),
      },
      schedule: {
        ...adamSchedule(this.updates, batchSizes.length, learningRate, adamEpsilon),
        ...(this.model.hasEntropyBonus ? { entropyCoefficient } : {}),
      },
      order,
      batchSizes,
    };
  }

  /** A new order of all samples for every epoch; the last minibatch of an epoch takes what is left. */
  private minibatches(): { order: Int32Array; batchSizes: number[] } {
    const { epochs, minibatchSize } = this.config;
    const { size } = this.buffer;
    const order = new Int32Array(epochs * size);
    const batchSizes: number[] = [];
    for (let epoch = 0; epoch < epochs; epoch++) {
      const part = order.subarray(epoch * size, (epoch + 1) * size);
      for (let i = 0; i < size; i++) part[i] = i;
      this.minibatchGenerator.shuffle(part);
      for (let start = 0; start < size; start += minibatchSize) batchSizes.push(Math.min(minibatchSize, size - start));
    }
    return { order, batchSizes };
  }

  private entropyCoefficient(remaining: number): number {
    const { entropyCoefficient, finalEntropyCoefficient } = this.config;
    const final = finalEntropyCoefficient ?? entropyCoefficient;
    return final + (entropyCoefficient - final) * remaining;
  }

  // -- save and load --

  weights(): PolicyWeights {
    return {
      parameters: this.model.policyPart(this.parameters).slice(),
      normalisation: this.normaliser?.current() ?? null,
    };
  }

  save(): AgentState {
    const values: StateValues = {
      updates: this.updates,
      actions: this.actionGenerator.saveState(),
      minibatches: this.minibatchGenerator.saveState(),
      observations: this.normaliser?.statistics.saveState() ?? null,
      rewards: this.scaler?.saveState() ?? null,
    };
    return {
      arrays: {
        parameters: this.parameters.slice(),
        firstMoment: this.firstMoment.slice(),
        secondMoment: this.secondMoment.slice(),
      },
      values,
    };
  }

  load({ arrays, values }: AgentState): void {
    const { updates, actions, minibatches, observations, rewards } = values as StateValues;
    this.parameters = arrays.parameters.slice();
    this.firstMoment = (arrays.firstMoment as Float32Array).slice();
    this.secondMoment = (arrays.secondMoment as Float32Array).slice();
    this.updates = updates;
    this.filled = 0;
    this.actionGenerator.loadState(actions);
    this.minibatchGenerator.loadState(minibatches);
    if (observations) this.normaliser?.statistics.loadState(observations);
    if (rewards) this.scaler?.loadState(rewards);
  }

  async dispose(): Promise<void> {
    await Promise.all(Object.values(this.programs).map((program: LoadedModel | UpdateLoop) => program.dispose()));
  }
}

/** @throws CoxswainError TRAINING_DIVERGED naming the first figure that is not a finite number, and the update. */
function assertFinite(outputs: Record<string, Values>, state: Record<string, Values>, made: number): void {
  for (const [name, values] of Object.entries(outputs)) {
    const update = values.findIndex((value) => !Number.isFinite(value));
    if (update >= 0) throw diverged(`${figureNames[name] ?? name} is ${values[update]}`, made + update + 1);
  }
  const weight = state.parameters.findIndex((value) => !Number.isFinite(value));
  if (weight >= 0) throw diverged(`weight ${weight} is ${state.parameters[weight]}`, made + outputs.policyLoss.length);
}

const figureNames: Readonly<Record<string, string>> = {
  policyLoss: 'the policy loss',
  valueLoss: 'the value loss',
  gradientNorm: 'the gradient norm',
};

function diverged(what: string, update: number): CoxswainError {
  return new CoxswainError('TRAINING_DIVERGED', `PPO diverged: ${what} at minibatch update ${update}.`);
}

function mean(values: Values): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
