import * as tf from '@tensorflow/tfjs-core';

import { adamSchedule, adamUpdate } from '../../tensor/adam.ts';
import type { AdamState, AdamStep } from '../../tensor/adam.ts';
import { builtOn } from '../../tensor/built-on.ts';
import type { LoadedModel } from '../../tensor/loaded-model.ts';
import type { ParameterLayout } from '../../tensor/parameters.ts';
import { compile } from '../../tensor/program.ts';
import type { InputSpec, Tensors } from '../../tensor/trace.ts';
import { ActionScaling, drawUniformly } from '../action-scaling.ts';
import { defineAlgorithm } from '../algorithm.ts';
import type { AgentSetup } from '../algorithm.ts';
import type { BoxSpace, EnvironmentDescription } from '../environment.ts';
import { hyperparameter, integer, listOf, number, oneOf, optional } from '../hyperparameters.ts';
import type { ConfigOf } from '../hyperparameters.ts';
import { initialiseUniformly, perceptron, perceptronLayout } from '../networks.ts';
import type { PerceptronShape } from '../networks.ts';
import { OffPolicyLearner } from '../off-policy-learner.ts';
import { OffPolicyState } from '../off-policy-state.ts';
import type { PolicyArchitecture } from '../policy-architecture.ts';
import type { Generator } from '../random.ts';
import { ReplayBuffer, replayConflicts } from '../replay/replay-buffer.ts';
import type { Minibatch } from '../replay/replay-buffer.ts';
import { softUpdate } from '../soft-update.ts';
import { spaceSize } from '../spaces.ts';
import { UpdateLayout, UpdateState, adamState, nextState } from '../update-state.ts';
import type { Vectors } from '../update-state.ts';
import type { StepResults, VectorEnvironment } from '../vector-environment.ts';

// ---- configuration ---------------------------------------------------------------------------------------------------

const hyperparameters = {
  hiddenSizes: hyperparameter<readonly number[]>(
    [256, 256],
    listOf(integer(1, 4096), 1, 8),
    'Widths of the hidden layers of the policy and of both critics.',
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
  trainFrequency: hyperparameter(1, integer(1, 1_000_000), 'Steps of each environment between two rounds of updates.'),
  gradientSteps: hyperparameter<number | null>(
    1,
    optional(integer(1, 1_000_000)),
    'Updates of a round; null makes as many as the round had environment steps.',
  ),
  batchSize: hyperparameter(256, integer(1, 1_000_000), 'Transitions of each update, drawn from the replay.'),
  learningRate: hyperparameter(3e-4, number(0, 1, { above: true }), "Adam's step size for all networks."),
  learningRateSchedule: hyperparameter<'constant' | 'linear'>(
    'constant',
    oneOf('constant', 'linear'),
    'linear lets the learning rate fall to 0 at the end of the training.',
  ),
  discount: hyperparameter(0.99, number(0, 1), 'Discount per step.'),
  targetRate: hyperparameter(
    0.005,
    number(0, 1, { above: true }),
    'τ: share of the way to the critics that the target critics go at each update of theirs.',
  ),
  targetUpdateInterval: hyperparameter(1, integer(1, 1_000_000), 'Updates between two of the target critics.'),
  entropyCoefficient: hyperparameter<number | null>(
    null,
    optional(number(0, 1000, { above: true })),
    'α: what a nat of entropy is worth in reward; null adjusts it so that the entropy stays at its target.',
  ),
  initialEntropyCoefficient: hyperparameter(1, number(0, 1000, { above: true }), 'Where α begins when it is adjusted.'),
  targetEntropy: hyperparameter<number | null>(
    null,
    optional(number(-10_000, 10_000)),
    'Entropy in nats that α is adjusted to; null is −1 for each element of an action.',
  ),
};

/**
 * The hyperparameters of SAC (Haarnoja et al., "Soft Actor-Critic Algorithms and Applications", 2018). The defaults are
 * those of stable-baselines3, which are the paper's (table 1).
 */
export type SacConfig = ConfigOf<typeof hyperparameters>;

/** Adam's ε. */
const adamEpsilon = 1e-8;
/** Bounds of the logarithm of the policy's deviation. */
const logDeviations = { low: -20, high: 2 };

/** Soft actor-critic for continuous actions. */
export const sac = defineAlgorithm({
  name: 'sac',
  summary: 'Soft actor-critic: off-policy for continuous actions, sample-efficient, explores by its own entropy.',
  actionSpaces: ['box'],
  masks: false,
  hyperparameters,
  conflicts: replayConflicts,
  async create(config, setup) {
    const model = new SacModel(config, setup.environment);
    return builtOn(await compilePrograms(model, setup), (programs) => new Sac(config, setup, model, programs));
  },
});

// ---- model and update ------------------------------------------------------------------------------------------------

/** The networks, and everything that is compiled from them. Actions are in [−1, 1] here. */
export class SacModel {
  readonly config: SacConfig;
  readonly space: BoxSpace;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly policyShape: PerceptronShape;
  readonly criticShape: PerceptronShape;
  readonly policyLayout: ParameterLayout;
  readonly criticLayout: ParameterLayout;
  /** What {@link update} carries. */
  readonly layout: UpdateLayout;

  constructor(config: SacConfig, { observationSpace, actionSpace }: EnvironmentDescription) {
    const { hiddenSizes, activation } = config;
    this.config = config;
    this.space = actionSpace as BoxSpace;
    this.observationSize = spaceSize(observationSpace);
    this.actionSize = spaceSize(actionSpace);
    const hidden = { hiddenSizes, activation };
    this.policyShape = { ...hidden, inputs: this.observationSize, outputs: 2 * this.actionSize };
    this.criticShape = { ...hidden, inputs: this.observationSize + this.actionSize, outputs: 1 };
    this.policyLayout = perceptronLayout('policy', this.policyShape);
    this.criticLayout = perceptronLayout('critic', this.criticShape);
    const critic = this.criticLayout.size;
    this.layout = new UpdateLayout(
      { policy: this.policyLayout.size, critic1: critic, critic2: critic, logEntropyCoefficient: 1 },
      { target1: critic, target2: critic },
    );
  }

  /** What acts, for export. */
  get policy(): PolicyArchitecture {
    return {
      kind: 'continuous',
      space: this.space,
      bounding: 'squash',
      observationSize: this.observationSize,
      layout: this.policyLayout,
      outputs: (weights, { observation }) => this.distribution(weights, observation),
    };
  }

  /** Fills a state at the beginning of a training; the targets are copies of the critics. */
  initialise(state: Vectors, generator: Generator): void {
    const { entropyCoefficient, initialEntropyCoefficient } = this.config;
    initialiseUniformly('policy', this.policyShape, state.policy, generator);
    initialiseUniformly('critic', this.criticShape, state.critic1, generator);
    initialiseUniformly('critic', this.criticShape, state.critic2, generator);
    state.target1.set(state.critic1);
    state.target2.set(state.critic2);
    state.logEntropyCoefficient[0] = Math.log(entropyCoefficient ?? initialEntropyCoefficient);
  }

  /** Inputs of {@link act}: the policy's weights and what each environment shows. */
  actInputs(environments: number): Record<string, InputSpec> {
    return {
      policy: { shape: [this.policyLayout.size] },
      observation: { shape: [environments, this.observationSize] },
    };
  }

  /** Mean and logarithm of the deviation of each element before it is squashed. */
  act({ policy, observation }: Tensors): Tensors {
    return this.distribution(this.policyLayout.split(policy), observation);
  }

  /** Inputs of {@link update}: the state, a minibatch, normal draws, and scalars of this update. */
  get updateInputs(): Record<string, InputSpec> {
    const { batchSize } = this.config;
    const observation = { shape: [batchSize, this.observationSize] };
    const action = { shape: [batchSize, this.actionSize] };
    const each = { shape: [batchSize] };
    const scalar = { shape: [] };
    return {
      ...this.layout.inputs,
      observation,
      action,
      reward: each,
      discount: each,
      nextObservation: observation,
      noise: action,
      nextNoise: action,
      stepSize: scalar,
      epsilon: scalar,
      targetRate: scalar,
    };
  }

  /** One update of the critics, then of the policy, of α and of the targets. Outputs: the next state, and figures. */
  update(inputs: Tensors): Tensors {
    const entropyCoefficient = tf.reshape(tf.exp(inputs.logEntropyCoefficient), []);
    const critics = this.criticUpdate(inputs, this.target(inputs, entropyCoefficient));
    const policy = this.policyUpdate(inputs, critics, entropyCoefficient);
    const entropy = tf.neg(tf.mean(policy.logProbability));
    return {
      ...nextState('critic1', critics.critic1),
      ...nextState('critic2', critics.critic2),
      ...nextState('policy', policy.next),
      ...this.entropyCoefficientUpdate(inputs, entropy),
      'next.target1': softUpdate(inputs.target1, critics.critic1.parameters, inputs.targetRate),
      'next.target2': softUpdate(inputs.target2, critics.critic2.parameters, inputs.targetRate),
      criticLoss: critics.loss,
      policyLoss: policy.loss,
      entropy,
      entropyCoefficient,
      meanValue: policy.meanValue,
      criticGradientNorm: tf.maximum(critics.critic1.gradientNorm, critics.critic2.gradientNorm),
      policyGradientNorm: policy.next.gradientNorm,
    };
  }

  /** y = r + γ (min Q′(s′, a′) − α ln π(a′|s′)), a′ ~ π(s′) (equations 3 and 5). */
  private target(inputs: Tensors, entropyCoefficient: tf.Tensor): tf.Tensor {
    const { nextObservation, reward, discount } = inputs;
    const { action, logProbability } = this.draw(inputs.policy, nextObservation, inputs.nextNoise);
    const value = tf.minimum(
      this.value(inputs.target1, nextObservation, action),
      this.value(inputs.target2, nextObservation, action),
    );
    const softValue = tf.sub(value, tf.mul(entropyCoefficient, logProbability));
    return tf.add(reward, tf.mul(discount, softValue));
  }

  /** ½ (Q − y)² of both critics (equation 5). */
  private criticUpdate(inputs: Tensors, target: tf.Tensor): CriticUpdate {
    const { observation, action } = inputs;
    const error = (critic: tf.Tensor): tf.Tensor =>
      tf.mean(tf.square(tf.sub(this.value(critic, observation, action), target)));
    const { value: loss, grads } = tf.valueAndGrads(
      (critic1: tf.Tensor, critic2: tf.Tensor) => tf.mul(tf.add(error(critic1), error(critic2)), 0.5) as tf.Scalar,
    )([inputs.critic1, inputs.critic2]);
    return {
      loss,
      critic1: adamUpdate(adamState('critic1', inputs), grads[0], inputs as Tensors & AdamStep, null),
      critic2: adamUpdate(adamState('critic2', inputs), grads[1], inputs as Tensors & AdamStep, null),
    };
  }

  /** α ln π(a|s) − min Q(s, a), a ~ π(s) by reparameterisation, with the critics as they are now (equation 9). */
  private policyUpdate(
    inputs: Tensors,
    { critic1, critic2 }: CriticUpdate,
    entropyCoefficient: tf.Tensor,
  ): PolicyUpdate {
    const { observation } = inputs;
    let logProbability!: tf.Tensor;
    let meanValue!: tf.Tensor;
    const { value: loss, grads } = tf.valueAndGrads((policy: tf.Tensor) => {
      const drawn = this.draw(policy, observation, inputs.noise);
      const value = tf.minimum(
        this.value(critic1.parameters, observation, drawn.action),
        this.value(critic2.parameters, observation, drawn.action),
      );
      // TF.js disposes of what is made in here unless it is kept.
      logProbability = tf.keep(drawn.logProbability);
      meanValue = tf.keep(tf.mean(value));
      return tf.mean(tf.sub(tf.mul(entropyCoefficient, logProbability), value)) as tf.Scalar;
    })([inputs.policy]);
    const next = adamUpdate(adamState('policy', inputs), grads[0], inputs as Tensors & AdamStep, null);
    return { loss, logProbability, meanValue, next };
  }

  /**
   * The gradient of −ln α · (ln π + H̄), whose sign and zero are those of the paper's equation 18; stable-baselines3 and
   * the authors' own code use it.
   */
  private entropyCoefficientUpdate(inputs: Tensors, entropy: tf.Tensor): Tensors {
    const name = 'logEntropyCoefficient';
    const state = adamState(name, inputs);
    if (this.config.entropyCoefficient !== null) return nextState(name, state);
    const gradient = tf.reshape(tf.sub(entropy, this.config.targetEntropy ?? -this.actionSize), [1]);
    return nextState(name, adamUpdate(state, gradient, inputs as Tensors & AdamStep, null));
  }

  /** Q(s, a) [batch] */
  private value(critic: tf.Tensor, observation: tf.Tensor, action: tf.Tensor): tf.Tensor {
    const weights = this.criticLayout.split(critic);
    const seen = tf.concat([observation, action], 1);
    return tf.reshape(perceptron('critic', this.criticShape, weights, seen), [observation.shape[0]]);
  }

  /** Mean and logarithm of the deviation [batch, elements]. */
  private distribution(weights: Tensors, observation: tf.Tensor): { mean: tf.Tensor; logDeviation: tf.Tensor } {
    const [mean, logDeviation] = tf.split(perceptron('policy', this.policyShape, weights, observation), 2, 1);
    return { mean, logDeviation: tf.clipByValue(logDeviation, logDeviations.low, logDeviations.high) };
  }

  /**
   * Actions tanh(u) with u = μ + σ ε, and ln π = Σ ln N(u; μ, σ) − ln(1 − tanh² u) (appendix C). The last term is
   * 2 (ln 2 − u − softplus(−2u)), which stays exact where tanh rounds to 1.
   */
  private draw(
    policy: tf.Tensor,
    observation: tf.Tensor,
    noise: tf.Tensor,
  ): { action: tf.Tensor; logProbability: tf.Tensor } {
    const { mean, logDeviation } = this.distribution(this.policyLayout.split(policy), observation);
    const unsquashed = tf.add(mean, tf.mul(tf.exp(logDeviation), noise));
    const logNormal = tf.sub(tf.mul(tf.square(noise), -0.5), tf.add(logDeviation, 0.5 * Math.log(2 * Math.PI)));
    const logSlope = tf.mul(tf.add(tf.add(unsquashed, tf.softplus(tf.mul(unsquashed, -2))), -Math.LN2), -2);
    return { action: tf.tanh(unsquashed), logProbability: tf.sum(tf.sub(logNormal, logSlope), 1) };
  }
}

/** The critics after their update, and their loss before it. */
interface CriticUpdate {
  readonly loss: tf.Tensor;
  readonly critic1: AdamState & { readonly gradientNorm: tf.Tensor };
  readonly critic2: AdamState & { readonly gradientNorm: tf.Tensor };
}

/** The policy after its update, and what it was updated by. */
interface PolicyUpdate {
  readonly loss: tf.Tensor;
  /** ln π(a|s) of each sample. */
  readonly logProbability: tf.Tensor;
  readonly meanValue: tf.Tensor;
  readonly next: AdamState & { readonly gradientNorm: tf.Tensor };
}

// ---- learner ---------------------------------------------------------------------------------------------------------

/** The two programs that SAC runs. */
interface Programs {
  readonly act: LoadedModel;
  readonly update: LoadedModel;
}

/** Compiles both or, when one fails, keeps none. */
async function compilePrograms(model: SacModel, { environments, device }: AgentSetup): Promise<Programs> {
  // Acting stays on the CPU: its batches are too small for a card.
  const act = await compile((inputs) => model.act(inputs), model.actInputs(environments), 'cpu');
  return builtOn({ act }, async () => ({
    act,
    update: await compile((inputs) => model.update(inputs), model.updateInputs, device),
  }));
}

class Sac extends OffPolicyLearner<SacConfig, Programs> {
  private readonly scaling: ActionScaling;
  private readonly minibatch: Minibatch;
  private readonly actionGenerator: Generator;
  /** Draws minibatches and the noise of updates. */
  private readonly updateGenerator: Generator;
  /** What each environment does next, in [−1, 1]. */
  private readonly units: Float32Array;
  private readonly noise: Float32Array;
  private readonly nextNoise: Float32Array;

  constructor(
    config: SacConfig,
    { environment, environments, generator }: AgentSetup,
    model: SacModel,
    programs: Programs,
  ) {
    const { batchSize, replayCapacity: capacity, discount } = config;
    const vectors = new UpdateState(model.layout);
    model.initialise(vectors.present, generator.fork());
    const [actions, updates] = [generator.fork(), generator.fork()];
    const replay = new ReplayBuffer(environment, environments, { capacity, discount });
    const state = new OffPolicyState(vectors, replay, { actions, updates });
    super({ config, programs, policy: model.policy, environments, state });
    this.scaling = new ActionScaling(model.space);
    this.actionGenerator = actions;
    this.updateGenerator = updates;
    this.minibatch = replay.minibatch(batchSize);
    this.units = new Float32Array(environments * model.actionSize);
    this.noise = new Float32Array(batchSize * model.actionSize);
    this.nextNoise = new Float32Array(batchSize * model.actionSize);
  }

  // -- act and collect --

  act({ observations, masks, actions }: VectorEnvironment): void {
    this.state.replay.start(observations, masks);
    if (this.state.steps < this.config.learningStarts) drawUniformly(this.units, this.actionGenerator);
    else this.drawActions(observations);
    this.scaling.toBox(this.units, actions as Float32Array);
  }

  private drawActions(observation: Float32Array): void {
    const { mean, logDeviation } = this.programs.act.runSync({
      policy: this.state.vectors.present.policy,
      observation,
    });
    for (let i = 0; i < this.units.length; i++) {
      this.units[i] = Math.tanh(mean[i] + Math.exp(logDeviation[i]) * this.actionGenerator.normal());
    }
  }

  record(results: StepResults, environments: VectorEnvironment): void {
    this.state.replay.record(this.units, results, environments);
    this.state.steps += environments.count;
  }

  // -- update --

  protected async update(learningRate: number): Promise<Record<string, number>> {
    const { targetRate, targetUpdateInterval } = this.config;
    const { minibatch, noise, nextNoise } = this;
    const { replay, vectors } = this.state;
    replay.sample(minibatch, this.updateGenerator);
    fillNormal(noise, this.updateGenerator);
    fillNormal(nextNoise, this.updateGenerator);
    const targetsMove = (vectors.updates + 1) % targetUpdateInterval === 0;
    const results = await this.programs.update.run(
      {
        ...vectors.present,
        observation: minibatch.observations,
        action: minibatch.actions,
        reward: minibatch.rewards,
        discount: minibatch.discounts,
        nextObservation: minibatch.nextObservations,
        noise,
        nextNoise,
        targetRate: Float32Array.of(targetsMove ? targetRate : 0),
        ...adamSchedule(vectors.updates, 1, learningRate, adamEpsilon),
      },
      vectors.next,
    );
    vectors.turn();
    return Object.fromEntries(figureNames.map((name) => [name, results[name][0]]));
  }
}

/** The outputs of an update that are figures. */
const figureNames = [
  'criticLoss',
  'policyLoss',
  'entropy',
  'entropyCoefficient',
  'meanValue',
  'criticGradientNorm',
  'policyGradientNorm',
];

function fillNormal(values: Float32Array, generator: Generator): void {
  for (let i = 0; i < values.length; i++) values[i] = generator.normal();
}
