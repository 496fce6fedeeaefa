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
import type { Agent, AgentState, IterationMetrics, PolicyArchitecture, PolicyWeights } from '../agent.ts';
import type { EnvironmentDescription } from '../environment.ts';
import { flag, integer, listOf, number, oneOf, optional, parseHyperparameters } from '../hyperparameters.ts';
import type { Rules } from '../hyperparameters.ts';
import { initialisePerceptron, perceptron, perceptronLayout } from '../networks.ts';
import type { PerceptronShape } from '../networks.ts';
import { ObservationNormaliser, RewardScaler } from '../normalisation.ts';
import type { RewardScalerState } from '../normalisation.ts';
import type { Generator, GeneratorState } from '../random.ts';
import { RolloutBuffer } from '../rollout-buffer.ts';
import type { StatisticsState } from '../running-statistics.ts';
import { actionLayoutOf, spaceSize } from '../spaces.ts';
import type { ActionLayout } from '../spaces.ts';
import type { VectorEnvironment } from '../vector-environment.ts';

// ---- configuration ---------------------------------------------------------------------------------------------------

/**
 * The hyperparameters of PPO (Schulman et al., "Proximal Policy Optimization Algorithms", 2017). The defaults are those
 * that stable-baselines3 trains CartPole with.
 */
export interface PpoConfig {
  readonly algorithm: 'ppo';
  /** Widths of the hidden layers of both networks (policy and value share nothing). Default [64, 64]. */
  readonly hiddenSizes: readonly number[];
  /** Default tanh. */
  readonly activation: 'tanh' | 'relu';
  /** Environment steps per update phase, summed over all environments. Default 2048. */
  readonly rolloutSteps: number;
  /** Samples per gradient step; the last minibatch of an epoch may be smaller. Default 64. */
  readonly minibatchSize: number;
  /** Passes over each rollout. Default 10. */
  readonly epochs: number;
  /** Adam's step size. Default 3e-4. */
  readonly learningRate: number;
  /** `linear` lets the learning rate fall to 0 at `totalSteps`. Default constant. */
  readonly learningRateSchedule: 'constant' | 'linear';
  /** Discount per step. Default 0.99. */
  readonly discount: number;
  /** λ of generalised advantage estimation. Default 0.95. */
  readonly gaeLambda: number;
  /** ε of the clipped objective. Default 0.2. */
  readonly clipRange: number;
  /** Limit of the value's change per phase; null does not clip it. Default null. */
  readonly valueClipRange: number | null;
  /** Advantages of each minibatch to mean 0 and deviation 1. Default true. */
  readonly normaliseAdvantages: boolean;
  /** Weight of the entropy bonus at the start. Default 0. */
  readonly entropyCoefficient: number;
  /** Weight of the entropy bonus at `totalSteps`, linear in between; null keeps it constant. Default null. */
  readonly finalEntropyCoefficient: number | null;
  /** Weight of the value loss. Default 0.5. */
  readonly valueCoefficient: number;
  /** Gradients longer than this are shortened to it. Default 0.5. */
  readonly maxGradientNorm: number;
  /** Ends a phase once a minibatch's approximate divergence exceeds 1.5 × this; null never does. Default null. */
  readonly targetKl: number | null;
  /** Adam's ε. Default 1e-5. */
  readonly adamEpsilon: number;
  /** Observations to running mean 0 and deviation 1, clipped at ±10. Default false. */
  readonly normaliseObservations: boolean;
  /** Rewards divided by the running deviation of the discounted return, clipped at ±10. Default false. */
  readonly scaleRewards: boolean;
  /**
   * Probability that choice 0 (do nothing) of every head has at the start when nothing is masked, set by the bias of the
   * policy's last layer; null starts uniform. Default null.
   */
  readonly initialNoopProbability: number | null;
}

const defaults: PpoConfig = {
  algorithm: 'ppo',
  hiddenSizes: [64, 64],
  activation: 'tanh',
  rolloutSteps: 2048,
  minibatchSize: 64,
  epochs: 10,
  learningRate: 3e-4,
  learningRateSchedule: 'constant',
  discount: 0.99,
  gaeLambda: 0.95,
  clipRange: 0.2,
  valueClipRange: null,
  normaliseAdvantages: true,
  entropyCoefficient: 0,
  finalEntropyCoefficient: null,
  valueCoefficient: 0.5,
  maxGradientNorm: 0.5,
  targetKl: null,
  adamEpsilon: 1e-5,
  normaliseObservations: false,
  scaleRewards: false,
  initialNoopProbability: null,
};

const rules: Rules<PpoConfig> = {
  algorithm: oneOf('ppo'),
  hiddenSizes: listOf(integer(1, 4096), 1, 8),
  activation: oneOf('tanh', 'relu'),
  rolloutSteps: integer(1, 10_000_000),
  minibatchSize: integer(1, 10_000_000),
  epochs: integer(1, 1000),
  learningRate: number(0, 1, { above: true }),
  learningRateSchedule: oneOf('constant', 'linear'),
  discount: number(0, 1),
  gaeLambda: number(0, 1),
  clipRange: number(0, 10, { above: true }),
  valueClipRange: optional(number(0, Infinity, { above: true })),
  normaliseAdvantages: flag,
  entropyCoefficient: number(0, 10),
  finalEntropyCoefficient: optional(number(0, 10)),
  valueCoefficient: number(0, 100),
  maxGradientNorm: number(0, Infinity, { above: true }),
  targetKl: optional(number(0, Infinity, { above: true })),
  adamEpsilon: number(0, 1, { above: true }),
  normaliseObservations: flag,
  scaleRewards: flag,
  initialNoopProbability: optional(number(0, 0.999999, { above: true })),
};

/**
 * A complete configuration from a partial one.
 * @throws CoxswainError SPEC_INVALID for an unknown name (with the nearest valid one) or a value out of range.
 */
export function parsePpoConfig(input: unknown = {}): PpoConfig {
  return parseHyperparameters('hyperparameters of ppo', input, defaults, rules);
}

// ---- state -----------------------------------------------------------------------------------------------------------

/** What a PPO agent is set up with. */
export interface PpoOptions {
  readonly config: PpoConfig;
  readonly environment: EnvironmentDescription;
  /** Number of environments that it acts in side by side. */
  readonly environments: number;
  readonly generator: Generator;
  readonly device: DeviceName;
}

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

/**
 * Proximal policy optimisation for discrete and multi-discrete actions, with action masks.
 * @throws CoxswainError ENVIRONMENT_INVALID when the action space is not supported, SPEC_INVALID when the environments do
 * not divide the rollout, DEVICE_UNAVAILABLE.
 */
export async function createPpo(options: PpoOptions): Promise<Agent> {
  const { config, environment, environments, device } = options;
  if (config.rolloutSteps % environments !== 0) {
    throw new CoxswainError(
      'SPEC_INVALID',
      `rolloutSteps: found ${config.rolloutSteps}; allowed: a multiple of the number of environments (${environments}).`,
    );
  }
  const model = new PpoModel(config, environment);
  return new Ppo(options, model, await compilePrograms(model, device));
}

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

// ---- agent -----------------------------------------------------------------------------------------------------------

/** What the networks are drawn towards; in the layout of the rollout. */
interface Targets {
  readonly advantages: Float32Array;
  readonly returns: Float32Array;
}

/** Figures of an update phase. */
type LearningMetrics = Omit<IterationMetrics, 'rewardMean' | 'explainedVariance' | 'measures'>;

class Ppo implements Agent {
  readonly policy: PolicyArchitecture;
  readonly iterationSteps: number;
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

  constructor({ config, environments, generator }: PpoOptions, model: PpoModel, programs: Programs) {
    const { inputs } = model.policyShape;
    this.config = config;
    this.model = model;
    this.programs = programs;
    this.policy = { network: model.policyShape, actions: model.actions };
    this.iterationSteps = config.rolloutSteps;
    this.parameters = model.initialParameters(generator.fork());
    this.firstMoment = new Float32Array(this.parameters.length);
    this.secondMoment = new Float32Array(this.parameters.length);
    this.actionGenerator = generator.fork();
    this.minibatchGenerator = generator.fork();
    this.normaliser = config.normaliseObservations ? new ObservationNormaliser(inputs) : null;
    this.scaler = config.scaleRewards ? new RewardScaler(environments, config.discount) : null;
    this.buffer = new RolloutBuffer(config.rolloutSteps, environments, inputs, model.actions, model.masked);
  }

  async iterate(environments: VectorEnvironment, remaining: number): Promise<IterationMetrics> {
    const rewardMean = await this.collect(environments);
    const values = await this.evaluate(environments);
    const targets = generalisedAdvantages({ ...this.buffer, ...values }, this.config.discount, this.config.gaeLambda);
    const learned = await this.learn(values.values, targets, remaining);
    return {
      ...learned,
      rewardMean,
      explainedVariance: explainedVariance(values.values, targets.returns),
      measures: this.buffer.measureMeans(),
    };
  }

  // -- act and collect --

  /** Fills the buffer. @returns the mean reward per step, unscaled. */
  private async collect(environments: VectorEnvironment): Promise<number> {
    const { count } = environments;
    const { logits, heads } = this.model.actions;
    this.buffer.clear();
    const action = new Int32Array(heads);
    let rewards = 0;
    for (let start = 0; start < this.buffer.size; start += count) {
      const probabilities = await this.probabilities(environments, start);
      for (let index = 0; index < count; index++) {
        const place = start + index;
        const logProbability = sampleAction(
          this.model.actions,
          probabilities,
          index * logits,
          this.actionGenerator,
          action,
        );
        this.storeAction(place, action, logProbability);
        rewards += this.step(environments, index, place, action);
      }
    }
    return rewards / this.buffer.size;
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

  private step(environments: VectorEnvironment, index: number, place: number, action: Int32Array): number {
    const result = environments.step(index, action);
    const { reward, terminated, truncated, lastObservation } = result;
    const scaled = this.scaler ? this.scaler.scale(index, reward, terminated || truncated) : reward;
    if (lastObservation && this.normaliser) this.normaliser.apply(lastObservation, lastObservation);
    this.buffer.record(place, result, scaled, lastObservation);
    return reward;
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

  private async learn(values: Float32Array, targets: Targets, remaining: number): Promise<LearningMetrics> {
    const { learningRate, learningRateSchedule } = this.config;
    const rate = learningRate * (learningRateSchedule === 'linear' ? remaining : 1);
    const { state, outputs } = await this.programs.update.run(this.updateInputs(values, targets, rate, remaining));
    assertFinite(outputs, state, this.updates);
    this.parameters = state.parameters as Float32Array;
    this.firstMoment = state.firstMoment as Float32Array;
    this.secondMoment = state.secondMoment as Float32Array;
    this.updates += outputs.policyLoss.length;
    return {
      policyLoss: mean(outputs.policyLoss),
      valueLoss: mean(outputs.valueLoss),
      entropy: mean(outputs.entropy),
      approxKl: mean(outputs.approxKl),
      clipFraction: mean(outputs.clipFraction),
      gradientNorm: mean(outputs.gradientNorm),
      learningRate: rate,
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

  saveState(): AgentState {
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

  loadState({ arrays, values }: AgentState): void {
    const { updates, actions, minibatches, observations, rewards } = values as StateValues;
    this.parameters = arrays.parameters.slice();
    this.firstMoment = arrays.firstMoment.slice();
    this.secondMoment = arrays.secondMoment.slice();
    this.updates = updates;
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
