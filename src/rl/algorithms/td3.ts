import * as tf from '@tensorflow/tfjs-core';

import { adamSchedule, adamUpdate } from '../../tensor/adam.ts';
import type { AdamState } from '../../tensor/adam.ts';
import { builtOn } from '../../tensor/built-on.ts';
import type { LoadedModel } from '../../tensor/loaded-model.ts';
import type { ParameterLayout } from '../../tensor/parameters.ts';
import { compile } from '../../tensor/program.ts';
import type { InputSpec, Tensors } from '../../tensor/trace.ts';
import { actionNoise } from '../action-noise.ts';
import type { ActionNoise } from '../action-noise.ts';
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
    [400, 300],
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
  learningRate: hyperparameter(1e-3, number(0, 1, { above: true }), "Adam's step size for all networks."),
  learningRateSchedule: hyperparameter<'constant' | 'linear'>(
    'constant',
    oneOf('constant', 'linear'),
    'linear lets the learning rate fall to 0 at the end of the training.',
  ),
  discount: hyperparameter(0.99, number(0, 1), 'Discount per step.'),
  targetRate: hyperparameter(
    0.005,
    number(0, 1, { above: true }),
    'τ: share of the way to the networks that their targets go at each update of the policy.',
  ),
  policyDelay: hyperparameter(
    2,
    integer(1, 1000),
    'Updates of the critics for each one of the policy and of the targets.',
  ),
  targetNoiseDeviation: hyperparameter(
    0.2,
    number(0, 10),
    "σ of the noise on the target policy's actions, in an action's range of [−1, 1].",
  ),
  targetNoiseLimit: hyperparameter(0.5, number(0, 10), 'Where this noise is cut off, above and below.'),
  actionNoise: hyperparameter<'none' | 'normal' | 'ornstein-uhlenbeck'>(
    'normal',
    oneOf('none', 'normal', 'ornstein-uhlenbeck'),
    'What is added to actions in training. stable-baselines3 adds nothing by default, which leaves nothing to explore with.',
  ),
  noiseDeviation: hyperparameter(0.1, number(0, 10), "σ of this noise, in an action's range of [−1, 1]."),
  noiseReversion: hyperparameter(
    0.15,
    number(0, 1000),
    'θ of the Ornstein–Uhlenbeck process: how fast it returns to 0.',
  ),
  noiseTimeStep: hyperparameter(
    0.01,
    number(0, 1000, { above: true }),
    'Time that the Ornstein–Uhlenbeck process takes a step for.',
  ),
};

/**
 * The hyperparameters of TD3 (Fujimoto et al., "Addressing Function Approximation Error in Actor-Critic Methods", 2018).
 * The defaults are those of stable-baselines3 but for the noise, which is the paper's (section 6.1).
 */
export type Td3Config = ConfigOf<typeof hyperparameters>;

/** Adam's ε. */
const adamEpsilon = 1e-8;

/** DDPG with twin critics, a delayed policy and smoothed targets. */
export const td3 = defineAlgorithm({
  name: 'td3',
  summary: 'Twin delayed DDPG: off-policy for continuous actions with a deterministic policy; steadier than DDPG.',
  actionSpaces: ['box'],
  masks: false,
  hyperparameters,
  conflicts: replayConflicts,
  async create(config, setup) {
    const model = new Td3Model(config, setup.environment);
    return builtOn(await compilePrograms(model, setup), (programs) => new Td3(config, setup, model, programs));
  },
});

// ---- model and update ------------------------------------------------------------------------------------------------

/** The networks, and everything that is compiled from them. Actions are in [−1, 1] here. */
export class Td3Model {
  readonly config: Td3Config;
  readonly space: BoxSpace;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly policyShape: PerceptronShape;
  readonly criticShape: PerceptronShape;
  readonly policyLayout: ParameterLayout;
  readonly criticLayout: ParameterLayout;
  /** What {@link update} carries. */
  readonly layout: UpdateLayout;

  constructor(config: Td3Config, { observationSpace, actionSpace }: EnvironmentDescription) {
    const { hiddenSizes, activation } = config;
    this.config = config;
    this.space = actionSpace as BoxSpace;
    this.observationSize = spaceSize(observationSpace);
    this.actionSize = spaceSize(actionSpace);
    const hidden = { hiddenSizes, activation };
    this.policyShape = { ...hidden, inputs: this.observationSize, outputs: this.actionSize };
    this.criticShape = { ...hidden, inputs: this.observationSize + this.actionSize, outputs: 1 };
    this.policyLayout = perceptronLayout('policy', this.policyShape);
    this.criticLayout = perceptronLayout('critic', this.criticShape);
    const [policy, critic] = [this.policyLayout.size, this.criticLayout.size];
    this.layout = new UpdateLayout(
      { policy, critic1: critic, critic2: critic },
      { targetPolicy: policy, target1: critic, target2: critic },
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
      outputs: (weights, { observation }) => ({ mean: perceptron('policy', this.policyShape, weights, observation) }),
    };
  }

  /** Fills a state at the beginning of a training; the targets are copies. */
  initialise(state: Vectors, generator: Generator): void {
    initialiseUniformly('policy', this.policyShape, state.policy, generator);
    initialiseUniformly('critic', this.criticShape, state.critic1, generator);
    initialiseUniformly('critic', this.criticShape, state.critic2, generator);
    state.targetPolicy.set(state.policy);
    state.target1.set(state.critic1);
    state.target2.set(state.critic2);
  }

  /** Inputs of {@link act}: the policy's weights and what each environment shows. */
  actInputs(environments: number): Record<string, InputSpec> {
    return {
      policy: { shape: [this.policyLayout.size] },
      observation: { shape: [environments, this.observationSize] },
    };
  }

  /** The policy's actions without noise. */
  act({ policy, observation }: Tensors): Tensors {
    return { action: this.action(policy, observation) };
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
      nextNoise: action,
      stepSize: scalar,
      epsilon: scalar,
      policyStepSize: scalar,
      policyEpsilon: scalar,
    };
  }

  /**
   * One update of the critics and, `withPolicy`, of the policy and of the targets (algorithm 1). Outputs: the next state,
   * and figures.
   */
  update(inputs: Tensors, withPolicy: boolean): Tensors {
    const { loss, critic1, critic2, meanValue } = this.criticUpdate(inputs, this.target(inputs));
    return {
      ...nextState('critic1', critic1),
      ...nextState('critic2', critic2),
      ...(withPolicy ? this.policyUpdate(inputs, critic1.parameters, critic2.parameters) : unchanged(inputs)),
      criticLoss: loss,
      meanValue,
      criticGradientNorm: tf.maximum(critic1.gradientNorm, critic2.gradientNorm),
    };
  }

  /** y = r + γ min Q′(s′, a′), a′ = clip(π′(s′) + clip(ε, −c, c), −1, 1) (equations 10 and 14). */
  private target(inputs: Tensors): tf.Tensor {
    const { nextObservation, nextNoise, reward, discount } = inputs;
    const { targetNoiseDeviation, targetNoiseLimit } = this.config;
    const noise = tf.clipByValue(tf.mul(nextNoise, targetNoiseDeviation), -targetNoiseLimit, targetNoiseLimit);
    const action = tf.clipByValue(tf.add(this.action(inputs.targetPolicy, nextObservation), noise), -1, 1);
    const value = tf.minimum(
      this.value(inputs.target1, nextObservation, action),
      this.value(inputs.target2, nextObservation, action),
    );
    return tf.add(reward, tf.mul(discount, value));
  }

  /** Mean squared errors of both critics. */
  private criticUpdate(inputs: Tensors, target: tf.Tensor): CriticUpdate {
    const { observation, action, stepSize, epsilon } = inputs;
    let meanValue!: tf.Tensor;
    const error = (value: tf.Tensor): tf.Tensor => tf.mean(tf.square(tf.sub(value, target)));
    const { value: loss, grads } = tf.valueAndGrads((critic1: tf.Tensor, critic2: tf.Tensor) => {
      const value = this.value(critic1, observation, action);
      // TF.js disposes of what is made in here unless it is kept.
      meanValue = tf.keep(tf.mean(value));
      return tf.add(error(value), error(this.value(critic2, observation, action))) as tf.Scalar;
    })([inputs.critic1, inputs.critic2]);
    return {
      loss,
      meanValue,
      critic1: adamUpdate(adamState('critic1', inputs), grads[0], { stepSize, epsilon }, null),
      critic2: adamUpdate(adamState('critic2', inputs), grads[1], { stepSize, epsilon }, null),
    };
  }

  /** The policy along the gradient of Q₁(s, π(s)) with the critic as it is now, and the targets after it. */
  private policyUpdate(inputs: Tensors, critic1: tf.Tensor, critic2: tf.Tensor): Tensors {
    const { observation, policyStepSize: stepSize, policyEpsilon: epsilon } = inputs;
    const { targetRate } = this.config;
    const { value: policyLoss, grads } = tf.valueAndGrads(
      (policy: tf.Tensor) =>
        tf.neg(tf.mean(this.value(critic1, observation, this.action(policy, observation)))) as tf.Scalar,
    )([inputs.policy]);
    const policy = adamUpdate(adamState('policy', inputs), grads[0], { stepSize, epsilon }, null);
    return {
      ...nextState('policy', policy),
      'next.targetPolicy': softUpdate(inputs.targetPolicy, policy.parameters, targetRate),
      'next.target1': softUpdate(inputs.target1, critic1, targetRate),
      'next.target2': softUpdate(inputs.target2, critic2, targetRate),
      policyLoss,
      policyGradientNorm: policy.gradientNorm,
    };
  }

  /** π(s) [batch, elements], in [−1, 1]. */
  private action(policy: tf.Tensor, observation: tf.Tensor): tf.Tensor {
    return tf.tanh(perceptron('policy', this.policyShape, this.policyLayout.split(policy), observation));
  }

  /** Q(s, a) [batch] */
  private value(critic: tf.Tensor, observation: tf.Tensor, action: tf.Tensor): tf.Tensor {
    const weights = this.criticLayout.split(critic);
    const seen = tf.concat([observation, action], 1);
    return tf.reshape(perceptron('critic', this.criticShape, weights, seen), [observation.shape[0]]);
  }
}

/** What an update of the critics alone leaves as it is. */
function unchanged(inputs: Tensors): Tensors {
  const { targetPolicy, target1, target2 } = inputs;
  return {
    ...nextState('policy', adamState('policy', inputs)),
    'next.targetPolicy': targetPolicy,
    'next.target1': target1,
    'next.target2': target2,
  };
}

/** The critics after their update, and their loss and values before it. */
interface CriticUpdate {
  readonly loss: tf.Tensor;
  readonly meanValue: tf.Tensor;
  readonly critic1: AdamState & { readonly gradientNorm: tf.Tensor };
  readonly critic2: AdamState & { readonly gradientNorm: tf.Tensor };
}

// ---- learner ---------------------------------------------------------------------------------------------------------

/** The programs that TD3 runs. */
interface Programs {
  readonly act: LoadedModel;
  /** An update of the critics alone. */
  readonly updateCritics: LoadedModel;
  /** An update of everything. */
  readonly updateAll: LoadedModel;
}

/** Compiles all or, when one fails, keeps none. */
async function compilePrograms(model: Td3Model, { environments, device }: AgentSetup): Promise<Programs> {
  const { updateInputs } = model;
  const compiled = await Promise.allSettled([
    // Acting stays on the CPU: its batches are too small for a card.
    compile((inputs) => model.act(inputs), model.actInputs(environments), 'cpu'),
    compile((inputs) => model.update(inputs, false), updateInputs, device),
    compile((inputs) => model.update(inputs, true), updateInputs, device),
  ]);
  const failed = compiled.find((result) => result.status === 'rejected');
  const programs = compiled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (failed) {
    await Promise.all(programs.map((program) => program.dispose()));
    throw failed.reason;
  }
  const [act, updateCritics, updateAll] = programs;
  return { act, updateCritics, updateAll };
}

class Td3 extends OffPolicyLearner<Td3Config, Programs> {
  private readonly scaling: ActionScaling;
  private readonly noise: ActionNoise;
  private readonly minibatch: Minibatch;
  private readonly actionGenerator: Generator;
  /** Draws minibatches and the noise of updates. */
  private readonly updateGenerator: Generator;
  /** What each environment does next, in [−1, 1]. */
  private readonly units: Float32Array;
  private readonly nextNoise: Float32Array;

  constructor(
    config: Td3Config,
    { environment, environments, generator }: AgentSetup,
    model: Td3Model,
    programs: Programs,
  ) {
    const { batchSize, replayCapacity: capacity, discount } = config;
    const vectors = new UpdateState(model.layout);
    model.initialise(vectors.present, generator.fork());
    const [actions, updates] = [generator.fork(), generator.fork()];
    const noise = actionNoise(config, environments, model.actionSize, actions);
    const replay = new ReplayBuffer(environment, environments, { capacity, discount });
    const state = new OffPolicyState(vectors, replay, { actions, updates, noise });
    super({ config, programs, policy: model.policy, environments, state });
    this.scaling = new ActionScaling(model.space);
    this.noise = noise;
    this.actionGenerator = actions;
    this.updateGenerator = updates;
    this.minibatch = replay.minibatch(batchSize);
    this.units = new Float32Array(environments * model.actionSize);
    this.nextNoise = new Float32Array(batchSize * model.actionSize);
  }

  // -- act and collect --

  act({ observations, masks, actions }: VectorEnvironment): void {
    const { replay, steps, vectors } = this.state;
    replay.start(observations, masks);
    if (steps < this.config.learningStarts) {
      drawUniformly(this.units, this.actionGenerator);
    } else {
      const { action } = this.programs.act.runSync({ policy: vectors.present.policy, observation: observations });
      this.units.set(action);
      this.noise.addTo(this.units);
    }
    this.scaling.toBox(this.units, actions as Float32Array);
  }

  record(results: StepResults, environments: VectorEnvironment): void {
    const { terminated, truncated } = results;
    this.state.replay.record(this.units, results, environments);
    this.state.steps += environments.count;
    for (let index = 0; index < environments.count; index++) {
      if (terminated[index] || truncated[index]) this.noise.reset(index);
    }
  }

  // -- update --

  protected async update(learningRate: number): Promise<Record<string, number>> {
    const { policyDelay } = this.config;
    const { minibatch, nextNoise } = this;
    const { replay, vectors } = this.state;
    replay.sample(minibatch, this.updateGenerator);
    for (let i = 0; i < nextNoise.length; i++) nextNoise[i] = this.updateGenerator.normal();
    const policyUpdates = Math.floor(vectors.updates / policyDelay);
    const withPolicy = (vectors.updates + 1) % policyDelay === 0;
    const { stepSize: policyStepSize, epsilon: policyEpsilon } = adamSchedule(
      policyUpdates,
      1,
      learningRate,
      adamEpsilon,
    );
    const program = withPolicy ? this.programs.updateAll : this.programs.updateCritics;
    const results = await program.run(
      {
        ...vectors.present,
        observation: minibatch.observations,
        action: minibatch.actions,
        reward: minibatch.rewards,
        discount: minibatch.discounts,
        nextObservation: minibatch.nextObservations,
        nextNoise,
        ...adamSchedule(vectors.updates, 1, learningRate, adamEpsilon),
        policyStepSize,
        policyEpsilon,
      },
      vectors.next,
    );
    vectors.turn();
    const names = withPolicy ? [...criticFigures, ...policyFigures] : criticFigures;
    return Object.fromEntries(names.map((name) => [name, results[name][0]]));
  }
}

/** The outputs of an update that are figures. */
const criticFigures = ['criticLoss', 'meanValue', 'criticGradientNorm'];
const policyFigures = ['policyLoss', 'policyGradientNorm'];
