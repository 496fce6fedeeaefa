import * as tf from '@tensorflow/tfjs-core';

import { adamSchedule, adamUpdate } from '../../tensor/adam.ts';
import type { AdamState, AdamStep } from '../../tensor/adam.ts';
import { builtOn } from '../../tensor/built-on.ts';
import type { LoadedModel } from '../../tensor/loaded-model.ts';
import { logSoftmax } from '../../tensor/operations.ts';
import type { ParameterLayout } from '../../tensor/parameters.ts';
import { compile } from '../../tensor/program.ts';
import type { InputSpec, Tensors } from '../../tensor/trace.ts';
import { fillPenalties, sampleAction } from '../action-sampling.ts';
import { defineAlgorithm } from '../algorithm.ts';
import type { AgentSetup } from '../algorithm.ts';
import type { EnvironmentDescription } from '../environment.ts';
import { randomChoice } from '../epsilon-greedy.ts';
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
import { actionLayoutOf, spaceSize } from '../spaces.ts';
import type { ActionLayout } from '../spaces.ts';
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
  targetEntropyRatio: hyperparameter(
    0.5,
    number(0, 1),
    'Entropy that α is adjusted to, as a share of that of the uniform policy over the allowed choices.',
  ),
};

/**
 * The hyperparameters of SAC for discrete actions (Christodoulou, "Soft Actor-Critic for Discrete Action Settings", 2019).
 * The defaults are those of SAC for continuous actions. The paper's share of the entropy, 0.98, makes α grow without end
 * where a policy so close to chance cannot earn much (on CartPole it passes 20 000), so the default is lower.
 */
export type SacDiscreteConfig = ConfigOf<typeof hyperparameters>;

/** Adam's ε. */
const adamEpsilon = 1e-8;
/** Soft actor-critic for one choice among several. */
export const sacDiscrete = defineAlgorithm({
  name: 'sac-discrete',
  summary: 'Soft actor-critic for discrete actions: off-policy, sample-efficient, explores by its own entropy.',
  actionSpaces: ['discrete'],
  masks: true,
  hyperparameters,
  conflicts: replayConflicts,
  async create(config, setup) {
    const model = new SacDiscreteModel(config, setup.environment);
    return builtOn(await compilePrograms(model, setup), (programs) => new SacDiscrete(config, setup, model, programs));
  },
});

// ---- model and update ------------------------------------------------------------------------------------------------

/** The networks, and everything that is compiled from them. Critics give the values of all choices at once. */
export class SacDiscreteModel {
  readonly config: SacDiscreteConfig;
  readonly observationSize: number;
  readonly actions: ActionLayout;
  /** True when the environment forbids choices. */
  readonly masked: boolean;
  readonly policyShape: PerceptronShape;
  readonly criticShape: PerceptronShape;
  readonly policyLayout: ParameterLayout;
  readonly criticLayout: ParameterLayout;
  /** What {@link update} carries. */
  readonly layout: UpdateLayout;

  constructor(config: SacDiscreteConfig, environment: EnvironmentDescription) {
    const { hiddenSizes, activation } = config;
    this.config = config;
    this.observationSize = spaceSize(environment.observationSpace);
    this.actions = actionLayoutOf(environment);
    this.masked = environment.actionMaskSize > 0;
    const shape = { hiddenSizes, activation, inputs: this.observationSize, outputs: this.actions.logits };
    this.policyShape = shape;
    this.criticShape = shape;
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
      kind: 'categorical',
      observationSize: this.observationSize,
      layout: this.policyLayout,
      actions: this.actions,
      outputs: (weights, { observation }) => ({ logits: perceptron('policy', this.policyShape, weights, observation) }),
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

  /** Inputs of {@link act}: the policy's weights, and what each environment shows and forbids. */
  actInputs(environments: number): Record<string, InputSpec> {
    return {
      policy: { shape: [this.policyLayout.size] },
      observation: { shape: [environments, this.observationSize] },
      ...(this.masked ? { penalty: { shape: [environments, this.actions.logits] } } : {}),
    };
  }

  /** Probabilities of all choices. */
  act({ policy, observation, penalty }: Tensors): Tensors {
    return { probabilities: tf.exp(this.logProbabilities(policy, observation, penalty)) };
  }

  /** Inputs of {@link update}: the state, a minibatch with actions as ones among zeros, and scalars of this update. */
  get updateInputs(): Record<string, InputSpec> {
    const { batchSize } = this.config;
    const observation = { shape: [batchSize, this.observationSize] };
    const choices = { shape: [batchSize, this.actions.logits] };
    const each = { shape: [batchSize] };
    const scalar = { shape: [] };
    return {
      ...this.layout.inputs,
      observation,
      action: choices,
      reward: each,
      discount: each,
      nextObservation: observation,
      ...(this.masked ? { penalty: choices, nextPenalty: choices } : {}),
      targetEntropy: scalar,
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
    return {
      ...nextState('critic1', critics.critic1),
      ...nextState('critic2', critics.critic2),
      ...nextState('policy', policy.next),
      ...this.entropyCoefficientUpdate(inputs, policy.entropy),
      'next.target1': softUpdate(inputs.target1, critics.critic1.parameters, inputs.targetRate),
      'next.target2': softUpdate(inputs.target2, critics.critic2.parameters, inputs.targetRate),
      criticLoss: critics.loss,
      policyLoss: policy.loss,
      entropy: policy.entropy,
      entropyCoefficient,
      meanValue: policy.meanValue,
      criticGradientNorm: tf.maximum(critics.critic1.gradientNorm, critics.critic2.gradientNorm),
      policyGradientNorm: policy.next.gradientNorm,
    };
  }

  /** y = r + γ π(s′)ᵀ (min Q′(s′) − α ln π(s′)) (equations 3 and 10). */
  private target(inputs: Tensors, entropyCoefficient: tf.Tensor): tf.Tensor {
    const { nextObservation, nextPenalty, reward, discount } = inputs;
    const logProbabilities = this.logProbabilities(inputs.policy, nextObservation, nextPenalty);
    const values = tf.minimum(
      this.values(inputs.target1, nextObservation),
      this.values(inputs.target2, nextObservation),
    );
    const softValues = tf.sub(values, tf.mul(entropyCoefficient, logProbabilities));
    return tf.add(reward, tf.mul(discount, tf.sum(tf.mul(tf.exp(logProbabilities), softValues), 1)));
  }

  /** ½ (Q(s)ₐ − y)² of both critics. */
  private criticUpdate(inputs: Tensors, target: tf.Tensor): CriticUpdate {
    const { observation, action } = inputs;
    const error = (critic: tf.Tensor): tf.Tensor =>
      tf.mean(tf.square(tf.sub(tf.sum(tf.mul(this.values(critic, observation), action), 1), target)));
    const { value: loss, grads } = tf.valueAndGrads(
      (critic1: tf.Tensor, critic2: tf.Tensor) => tf.mul(tf.add(error(critic1), error(critic2)), 0.5) as tf.Scalar,
    )([inputs.critic1, inputs.critic2]);
    return {
      loss,
      critic1: adamUpdate(adamState('critic1', inputs), grads[0], inputs as Tensors & AdamStep, null),
      critic2: adamUpdate(adamState('critic2', inputs), grads[1], inputs as Tensors & AdamStep, null),
    };
  }

  /** π(s)ᵀ (α ln π(s) − min Q(s)) with the critics as they are now (equation 12): no action is drawn. */
  private policyUpdate(inputs: Tensors, critics: CriticUpdate, entropyCoefficient: tf.Tensor): PolicyUpdate {
    const { observation, penalty } = inputs;
    const values = tf.minimum(
      this.values(critics.critic1.parameters, observation),
      this.values(critics.critic2.parameters, observation),
    );
    let entropy!: tf.Tensor;
    let meanValue!: tf.Tensor;
    const { value: loss, grads } = tf.valueAndGrads((policy: tf.Tensor) => {
      const logProbabilities = this.logProbabilities(policy, observation, penalty);
      const probabilities = tf.exp(logProbabilities);
      const mean = (weighted: tf.Tensor): tf.Tensor => tf.mean(tf.sum(tf.mul(probabilities, weighted), 1));
      // TF.js disposes of what is made in here unless it is kept.
      entropy = tf.keep(tf.neg(mean(logProbabilities)));
      meanValue = tf.keep(mean(values));
      return mean(tf.sub(tf.mul(entropyCoefficient, logProbabilities), values)) as tf.Scalar;
    })([inputs.policy]);
    const next = adamUpdate(adamState('policy', inputs), grads[0], inputs as Tensors & AdamStep, null);
    return { loss, entropy, meanValue, next };
  }

  /**
   * The gradient of −ln α · (ln π + H̄), whose sign and zero are those of the paper's equation 11.
   */
  private entropyCoefficientUpdate(inputs: Tensors, entropy: tf.Tensor): Tensors {
    const name = 'logEntropyCoefficient';
    const state = adamState(name, inputs);
    if (this.config.entropyCoefficient !== null) return nextState(name, state);
    const gradient = tf.reshape(tf.sub(entropy, inputs.targetEntropy), [1]);
    return nextState(name, adamUpdate(state, gradient, inputs as Tensors & AdamStep, null));
  }

  /** Q(s) [batch, choices] */
  private values(critic: tf.Tensor, observation: tf.Tensor): tf.Tensor {
    return perceptron('critic', this.criticShape, this.criticLayout.split(critic), observation);
  }

  /** ln π(s) [batch, choices]; forbidden choices have a probability of exactly 0. */
  private logProbabilities(policy: tf.Tensor, observation: tf.Tensor, penalty: tf.Tensor | undefined): tf.Tensor {
    const logits = perceptron('policy', this.policyShape, this.policyLayout.split(policy), observation);
    return logSoftmax(penalty ? tf.add(logits, penalty) : logits);
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
  readonly entropy: tf.Tensor;
  readonly meanValue: tf.Tensor;
  readonly next: AdamState & { readonly gradientNorm: tf.Tensor };
}

// ---- learner ---------------------------------------------------------------------------------------------------------

/** The two programs that SAC for discrete actions runs. */
interface Programs {
  readonly act: LoadedModel;
  readonly update: LoadedModel;
}

/** Compiles both or, when one fails, keeps none. */
async function compilePrograms(model: SacDiscreteModel, { environments, device }: AgentSetup): Promise<Programs> {
  // Acting stays on the CPU: its batches are too small for a card.
  const act = await compile((inputs) => model.act(inputs), model.actInputs(environments), 'cpu');
  return builtOn({ act }, async () => ({
    act,
    update: await compile((inputs) => model.update(inputs), model.updateInputs, device),
  }));
}

class SacDiscrete extends OffPolicyLearner<SacDiscreteConfig, Programs> {
  private readonly model: SacDiscreteModel;
  private readonly minibatch: Minibatch;
  private readonly actionGenerator: Generator;
  private readonly minibatchGenerator: Generator;
  /** What is forbidden now: 0 or −1e8 for each choice of each environment. */
  private readonly penalty: Float32Array;
  /** The same for a minibatch and for what followed it. */
  private readonly penalties: Float32Array;
  private readonly nextPenalties: Float32Array;
  /** The actions of a minibatch as ones among zeros. */
  private readonly chosen: Float32Array;

  constructor(
    config: SacDiscreteConfig,
    { environment, environments, generator }: AgentSetup,
    model: SacDiscreteModel,
    programs: Programs,
  ) {
    const { batchSize, replayCapacity: capacity, discount } = config;
    const vectors = new UpdateState(model.layout);
    model.initialise(vectors.present, generator.fork());
    const [actions, minibatches] = [generator.fork(), generator.fork()];
    const replay = new ReplayBuffer(environment, environments, { capacity, discount });
    const state = new OffPolicyState(vectors, replay, { actions, minibatches });
    super({ config, programs, policy: model.policy, environments, state });
    this.model = model;
    this.actionGenerator = actions;
    this.minibatchGenerator = minibatches;
    this.minibatch = replay.minibatch(batchSize);
    const { logits } = model.actions;
    this.penalty = new Float32Array(environments * logits);
    this.penalties = new Float32Array(batchSize * logits);
    this.nextPenalties = new Float32Array(batchSize * logits);
    this.chosen = new Float32Array(batchSize * logits);
  }

  // -- act and collect --

  act(environments: VectorEnvironment): void {
    const { observations, masks, count } = environments;
    const actions = environments.actions as Int32Array;
    this.state.replay.start(observations, masks);
    if (this.state.steps < this.config.learningStarts) {
      const { width } = this.model.actions;
      for (let row = 0; row < count; row++) actions[row] = randomChoice(width, masks, row, this.actionGenerator);
    } else {
      this.drawActions(environments, actions);
    }
  }

  private drawActions({ observations, masks, count }: VectorEnvironment, actions: Int32Array): void {
    const { actions: layout, masked } = this.model;
    if (masked) fillPenalties(layout, masks, this.penalty);
    const { probabilities } = this.programs.act.runSync({
      policy: this.state.vectors.present.policy,
      observation: observations,
      ...(masked ? { penalty: this.penalty } : {}),
    });
    for (let row = 0; row < count; row++) {
      const action = actions.subarray(row, row + 1);
      sampleAction(layout, probabilities as Float32Array, row * layout.logits, this.actionGenerator, action);
    }
  }

  record(results: StepResults, environments: VectorEnvironment): void {
    this.state.replay.record(environments.actions, results, environments);
    this.state.steps += environments.count;
  }

  // -- update --

  protected async update(learningRate: number): Promise<Record<string, number>> {
    const { targetRate, targetUpdateInterval } = this.config;
    const { minibatch } = this;
    const { replay, vectors } = this.state;
    replay.sample(minibatch, this.minibatchGenerator);
    const targetsMove = (vectors.updates + 1) % targetUpdateInterval === 0;
    const results = await this.programs.update.run(
      {
        ...vectors.present,
        observation: minibatch.observations,
        action: this.onesAmongZeros(minibatch.actions),
        reward: minibatch.rewards,
        discount: minibatch.discounts,
        nextObservation: minibatch.nextObservations,
        ...this.penaltiesOf(minibatch),
        targetEntropy: Float32Array.of(this.targetEntropy(minibatch)),
        targetRate: Float32Array.of(targetsMove ? targetRate : 0),
        ...adamSchedule(vectors.updates, 1, learningRate, adamEpsilon),
      },
      vectors.next,
    );
    vectors.turn();
    return Object.fromEntries(figureNames.map((name) => [name, results[name][0]]));
  }

  private onesAmongZeros(actions: Int32Array | Float32Array): Float32Array {
    const { logits } = this.model.actions;
    this.chosen.fill(0);
    for (let row = 0; row < actions.length; row++) this.chosen[row * logits + actions[row]] = 1;
    return this.chosen;
  }

  private penaltiesOf({ masks, nextMasks }: Minibatch): Record<string, Float32Array> {
    const { actions, masked } = this.model;
    if (!masked) return {};
    fillPenalties(actions, masks, this.penalties);
    fillPenalties(actions, nextMasks, this.nextPenalties);
    return { penalty: this.penalties, nextPenalty: this.nextPenalties };
  }

  /** H̄ = ratio · ln(allowed choices), on average over the minibatch; the paper has it for states that allow all. */
  private targetEntropy({ masks, size }: Minibatch): number {
    const { targetEntropyRatio } = this.config;
    const { logits } = this.model.actions;
    if (!this.model.masked) return targetEntropyRatio * Math.log(logits);
    let sum = 0;
    for (let row = 0; row < size; row++) {
      let allowed = 0;
      for (let choice = 0; choice < logits; choice++) allowed += masks[row * logits + choice];
      sum += Math.log(allowed);
    }
    return (targetEntropyRatio * sum) / size;
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
