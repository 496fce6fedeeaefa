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
    'Widths of the hidden layers of the policy and of the critic.',
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
    'τ: share of the way to the networks that their targets go at each update.',
  ),
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
 * The hyperparameters of DDPG (Lillicrap et al., "Continuous control with deep reinforcement learning", 2016). The
 * defaults are those of stable-baselines3 but for the noise; as there, and unlike in the paper, actions enter the critic's
 * first layer, and nothing is normalised or decays.
 */
export type DdpgConfig = ConfigOf<typeof hyperparameters>;

/** Adam's ε. */
const adamEpsilon = 1e-8;

/** Deep deterministic policy gradient. */
export const ddpg = defineAlgorithm({
  name: 'ddpg',
  summary: 'Deep deterministic policy gradient: the plain form of TD3, kept for comparison.',
  actionSpaces: ['box'],
  masks: false,
  hyperparameters,
  conflicts: replayConflicts,
  async create(config, setup) {
    const model = new DdpgModel(config, setup.environment);
    return builtOn(await compilePrograms(model, setup), (programs) => new Ddpg(config, setup, model, programs));
  },
});

// ---- model and update ------------------------------------------------------------------------------------------------

/** The networks, and everything that is compiled from them. Actions are in [−1, 1] here. */
export class DdpgModel {
  readonly config: DdpgConfig;
  readonly space: BoxSpace;
  readonly observationSize: number;
  readonly actionSize: number;
  readonly policyShape: PerceptronShape;
  readonly criticShape: PerceptronShape;
  readonly policyLayout: ParameterLayout;
  readonly criticLayout: ParameterLayout;
  /** What {@link update} carries. */
  readonly layout: UpdateLayout;

  constructor(config: DdpgConfig, { observationSpace, actionSpace }: EnvironmentDescription) {
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
    this.layout = new UpdateLayout({ policy, critic }, { targetPolicy: policy, targetCritic: critic });
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
    initialiseUniformly('critic', this.criticShape, state.critic, generator);
    state.targetPolicy.set(state.policy);
    state.targetCritic.set(state.critic);
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

  /** Inputs of {@link update}: the state, a minibatch, and scalars of this update. */
  get updateInputs(): Record<string, InputSpec> {
    const { batchSize } = this.config;
    const observation = { shape: [batchSize, this.observationSize] };
    const each = { shape: [batchSize] };
    const scalar = { shape: [] };
    return {
      ...this.layout.inputs,
      observation,
      action: { shape: [batchSize, this.actionSize] },
      reward: each,
      discount: each,
      nextObservation: observation,
      stepSize: scalar,
      epsilon: scalar,
    };
  }

  /** One update of the critic, then of the policy and of the targets (algorithm 1). Outputs: the next state, and figures. */
  update(inputs: Tensors): Tensors {
    const { loss, critic, meanValue } = this.criticUpdate(inputs, this.target(inputs));
    return {
      ...nextState('critic', critic),
      ...this.policyUpdate(inputs, critic.parameters),
      criticLoss: loss,
      meanValue,
      criticGradientNorm: critic.gradientNorm,
    };
  }

  /** y = r + γ Q′(s′, π′(s′)). */
  private target({ targetPolicy, targetCritic, nextObservation, reward, discount }: Tensors): tf.Tensor {
    const value = this.value(targetCritic, nextObservation, this.action(targetPolicy, nextObservation));
    return tf.add(reward, tf.mul(discount, value));
  }

  /** Mean squared error of the critic. */
  private criticUpdate(inputs: Tensors, target: tf.Tensor): CriticUpdate {
    const { observation, action, stepSize, epsilon } = inputs;
    let meanValue!: tf.Tensor;
    const { value: loss, grads } = tf.valueAndGrads((critic: tf.Tensor) => {
      const value = this.value(critic, observation, action);
      // TF.js disposes of what is made in here unless it is kept.
      meanValue = tf.keep(tf.mean(value));
      return tf.mean(tf.square(tf.sub(value, target))) as tf.Scalar;
    })([inputs.critic]);
    const critic = adamUpdate(adamState('critic', inputs), grads[0], { stepSize, epsilon }, null);
    return { loss, meanValue, critic };
  }

  /** The policy along the gradient of Q(s, π(s)) with the critic as it is now, and the targets after it. */
  private policyUpdate(inputs: Tensors, critic: tf.Tensor): Tensors {
    const { observation, stepSize, epsilon } = inputs;
    const { targetRate } = this.config;
    const { value: policyLoss, grads } = tf.valueAndGrads(
      (policy: tf.Tensor) =>
        tf.neg(tf.mean(this.value(critic, observation, this.action(policy, observation)))) as tf.Scalar,
    )([inputs.policy]);
    const policy = adamUpdate(adamState('policy', inputs), grads[0], { stepSize, epsilon }, null);
    return {
      ...nextState('policy', policy),
      'next.targetPolicy': softUpdate(inputs.targetPolicy, policy.parameters, targetRate),
      'next.targetCritic': softUpdate(inputs.targetCritic, critic, targetRate),
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

/** The critic after its update, and its loss and values before it. */
interface CriticUpdate {
  readonly loss: tf.Tensor;
  readonly meanValue: tf.Tensor;
  readonly critic: AdamState & { readonly gradientNorm: tf.Tensor };
}

// ---- learner ---------------------------------------------------------------------------------------------------------

/** The two programs that DDPG runs. */
interface Programs {
  readonly act: LoadedModel;
  readonly update: LoadedModel;
}

/** Compiles both or, when one fails, keeps none. */
async function compilePrograms(model: DdpgModel, { environments, device }: AgentSetup): Promise<Programs> {
  // Acting stays on the CPU: its batches are too small for a card.
  const act = await compile((inputs) => model.act(inputs), model.actInputs(environments), 'cpu');
  return builtOn({ act }, async () => ({
    act,
    update: await compile((inputs) => model.update(inputs), model.updateInputs, device),
  }));
}

class Ddpg extends OffPolicyLearner<DdpgConfig, Programs> {
  private readonly scaling: ActionScaling;
  private readonly noise: ActionNoise;
  private readonly minibatch: Minibatch;
  private readonly actionGenerator: Generator;
  private readonly minibatchGenerator: Generator;
  /** What each environment does next, in [−1, 1]. */
  private readonly units: Float32Array;

  constructor(
    config: DdpgConfig,
    { environment, environments, generator }: AgentSetup,
    model: DdpgModel,
    programs: Programs,
  ) {
    const { batchSize, replayCapacity: capacity, discount } = config;
    const vectors = new UpdateState(model.layout);
    model.initialise(vectors.present, generator.fork());
    const [actions, minibatches] = [generator.fork(), generator.fork()];
    const noise = actionNoise(config, environments, model.actionSize, actions);
    const replay = new ReplayBuffer(environment, environments, { capacity, discount });
    const state = new OffPolicyState(vectors, replay, { actions, minibatches, noise });
    super({ config, programs, policy: model.policy, environments, state });
    this.scaling = new ActionScaling(model.space);
    this.noise = noise;
    this.actionGenerator = actions;
    this.minibatchGenerator = minibatches;
    this.minibatch = replay.minibatch(batchSize);
    this.units = new Float32Array(environments * model.actionSize);
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
    const { minibatch } = this;
    const { replay, vectors } = this.state;
    replay.sample(minibatch, this.minibatchGenerator);
    const results = await this.programs.update.run(
      {
        ...vectors.present,
        observation: minibatch.observations,
        action: minibatch.actions,
        reward: minibatch.rewards,
        discount: minibatch.discounts,
        nextObservation: minibatch.nextObservations,
        ...adamSchedule(vectors.updates, 1, learningRate, adamEpsilon),
      },
      vectors.next,
    );
    vectors.turn();
    return Object.fromEntries(figureNames.map((name) => [name, results[name][0]]));
  }
}

/** The outputs of an update that are figures. */
const figureNames = ['criticLoss', 'meanValue', 'criticGradientNorm', 'policyLoss', 'policyGradientNorm'];
