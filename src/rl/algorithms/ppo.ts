import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../contracts/errors.ts';
import { adamSchedule, adamUpdate } from '../../tensor/adam.ts';
import type { AdamState } from '../../tensor/adam.ts';
import { builtOn } from '../../tensor/built-on.ts';
import type { Values } from '../../tensor/loaded-model.ts';
import { meansOf } from '../../tensor/operations.ts';
import type { InputSpec, Tensors } from '../../tensor/trace.ts';
import { compileUpdateLoop } from '../../tensor/update-loop.ts';
import type { IterationInputs, IterationOutputs, UpdateLoop, UpdateLoopInputs } from '../../tensor/update-loop.ts';
import { ActorCritic, compileActing } from '../actor-critic.ts';
import { explainedVariance, normalisedByMinibatch } from '../advantages.ts';
import type { AgentState, PolicyWeights } from '../agent.ts';
import { defineAlgorithm } from '../algorithm.ts';
import type { AgentSetup } from '../algorithm.ts';
import { clippedSurrogate, clippedValueErrors } from '../clipped-surrogate.ts';
import type { EnvironmentDescription } from '../environment.ts';
import { flag, hyperparameter, integer, listOf, number, oneOf, optional } from '../hyperparameters.ts';
import type { ConfigOf } from '../hyperparameters.ts';
import type { Learner, LearningProgress } from '../learner.ts';
import type { PolicyArchitecture } from '../policy-architecture.ts';
import type { Generator, GeneratorState } from '../random.ts';
import { RolloutCollector } from '../rollout-collector.ts';
import type { ActingPrograms, CollectorState, Targets } from '../rollout-collector.ts';
import { assertFinitePhase, meansOverUpdates, shuffledMinibatches } from '../update-phase.ts';
import { inLine, scheduled } from '../schedules.ts';
import type { StepResults, VectorEnvironment } from '../vector-environment.ts';

// ---- configuration ---------------------------------------------------------------------------------------------------

const hyperparameters = {
  hiddenSizes: hyperparameter<readonly number[]>(
    [64, 64],
    listOf(integer(1, 4096), 1, 8),
    'Widths of the hidden layers of the policy and of the value network.',
  ),
  activation: hyperparameter<'tanh' | 'relu'>('tanh', oneOf('tanh', 'relu'), 'Activation of the hidden layers.'),
  sharedNetwork: hyperparameter<boolean>(
    false,
    flag,
    'One trunk of hidden layers under the policy and the value, instead of a network for each.',
  ),
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
  clipRangeSchedule: hyperparameter<'constant' | 'linear'>(
    'constant',
    oneOf('constant', 'linear'),
    'linear lets the clip range fall to 0 at the end of the training.',
  ),
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
    "Ends a phase once a minibatch's approximate divergence exceeds 1.5 × this, after the step on this minibatch; null never does.",
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
    "Probability that choice 0 (do nothing) of every head has at the start when nothing is masked, set by the bias of the policy's last layer; null starts uniform. Discrete actions only.",
  ),
  initialLogDeviation: hyperparameter(
    0,
    number(-20, 2),
    'ln of the deviation of every element of a continuous action at the start.',
  ),
};

/**
 * The hyperparameters of PPO (Schulman et al., "Proximal Policy Optimization Algorithms", 2017). The defaults are those
 * that stable-baselines3 trains CartPole with.
 */
export type PpoConfig = ConfigOf<typeof hyperparameters>;

// ---- state -----------------------------------------------------------------------------------------------------------

/** The part of the state that is not in arrays; JSON. */
interface StateValues extends CollectorState {
  readonly updates: number;
  readonly minibatches: GeneratorState;
}

/**
 * Proximal policy optimisation, with action masks where the environment has them. The details that Huang et al., "The 37
 * Implementation Details of Proximal Policy Optimization" (2022) find in the implementations that results are published
 * with are here: several environments side by side (1), orthogonal weights (2), Adam's ε of 1e-5 (3), falling rates (4),
 * generalised advantages (5), shuffled minibatches (6), advantages normalised by minibatch (7), clipping of policy (8) and
 * value (9), an entropy bonus (10), clipped gradients (11), the divergence as a figure and a stop (12), shared and separate
 * networks (13); for continuous actions normal variables (1), deviations that are weights (2), independent elements (3),
 * cut-off actions (5), normalised and clipped observations (6, 7), scaled and clipped rewards (8, 9). Unlike many of those,
 * an episode that is cut off counts the value of what would have followed.
 */
export const ppo = defineAlgorithm({
  name: 'ppo',
  summary: 'Proximal policy optimisation: robust, on-policy; the default for scaling.',
  actionSpaces: ['discrete', 'multi-discrete', 'box'],
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
    const acting = await compileActing(model.networks, setup.device);
    const iteration = (inputs: IterationInputs): IterationOutputs => model.update(inputs);
    return builtOn(acting, async () => {
      const loop = await compileUpdateLoop({ ...model.updateInputs, iteration }, setup.device);
      return builtOn({ loop }, () => new Ppo(config, setup, model, acting, loop));
    });
  },
});

// ---- model and loss --------------------------------------------------------------------------------------------------

/** The networks and the update that is compiled from them. */
export class PpoModel {
  readonly config: PpoConfig;
  readonly networks: ActorCritic;

  /** @throws CoxswainError ENVIRONMENT_INVALID, SPEC_INVALID when a hyperparameter does not go with the action space. */
  constructor(config: PpoConfig, environment: EnvironmentDescription) {
    this.config = config;
    this.networks = new ActorCritic(config, environment);
    if (config.initialNoopProbability !== null && !this.networks.distribution.layout) {
      throw new CoxswainError(
        'SPEC_INVALID',
        `initialNoopProbability: the actions of ${environment.name} are continuous and have no choice 0; leave it out.`,
      );
    }
  }

  /** Weights of {@link ActorCritic.initialParameters}, with the bias that `initialNoopProbability` asks for. */
  initialParameters(generator: Generator): Float32Array {
    const parameters = this.networks.initialParameters(generator);
    const { initialNoopProbability } = this.config;
    if (initialNoopProbability === null) return parameters;
    const { choices, width } = this.networks.distribution.layout!;
    const bias = this.networks.policyLayout.view(parameters, 'policy.output.bias');
    choices.forEach((count, head) => {
      const odds = initialNoopProbability / (1 - initialNoopProbability);
      bias[head * width] = count > 1 ? Math.log(odds * (count - 1)) : 0;
    });
    return parameters;
  }

  /** What {@link update} carries, samples and follows. */
  get updateInputs(): {
    state: Record<string, InputSpec>;
    samples: Record<string, InputSpec>;
    picks: Record<string, InputSpec>;
    schedule: Record<string, InputSpec>;
  } {
    const flat = { shape: [this.networks.layout.size] };
    const scalar = { shape: [] };
    const { observation, action, ...penalty } = this.networks.sampleInputs;
    return {
      state: { parameters: flat, firstMoment: flat, secondMoment: flat },
      samples: {
        observation,
        action,
        logProbability: scalar,
        target: scalar,
        ...penalty,
        ...(this.config.valueClipRange === null ? {} : { value: scalar }),
      },
      picks: { advantage: scalar },
      schedule: {
        stepSize: scalar,
        epsilon: scalar,
        ...(this.hasEntropyBonus ? { entropyCoefficient: scalar } : {}),
        ...(this.config.clipRangeSchedule === 'linear' ? { clipRange: scalar } : {}),
      },
    };
  }

  /** One minibatch: the loss, its gradient, and Adam. `means` are those of {@link meanNames}. */
  update({ state, batch, schedule }: IterationInputs): IterationOutputs {
    let figures: Readonly<Record<'terms' | 'entropy', readonly tf.Tensor[]>>;
    const { grads } = tf.valueAndGrads((parameters: tf.Tensor) => {
      const { loss, terms, entropy } = this.loss(parameters, batch, schedule);
      // TF.js disposes of what is made in here unless it is kept.
      figures = { terms: terms.map((term) => tf.keep(term)), entropy: [tf.keep(entropy)] };
      return loss as tf.Scalar;
    })([state.parameters]);
    const { maxGradientNorm, targetKl } = this.config;
    const {
      terms,
      entropy: [entropy],
    } = figures!;
    const { gradientNorm, ...next } = adamUpdate(
      state as unknown as AdamState,
      grads[0],
      { stepSize: schedule.stepSize, epsilon: schedule.epsilon },
      maxGradientNorm,
    );
    return {
      state: next,
      outputs: { means: meansOf(terms), entropy, gradientNorm },
      ...(targetKl === null
        ? {}
        : { goOn: tf.lessEqual(tf.mean(terms[meanNames.indexOf('approxKl')]), 1.5 * targetKl) }),
    };
  }

  /** Whether the loss has an entropy term at some time of the training. */
  get hasEntropyBonus(): boolean {
    return this.config.entropyCoefficient > 0 || (this.config.finalEntropyCoefficient ?? 0) > 0;
  }

  /** The clipped surrogate objective, the value loss and the entropy bonus (Schulman et al. 2017, equations 7 and 9). */
  private loss(
    parameters: tf.Tensor,
    batch: Tensors,
    schedule: Tensors,
  ): { loss: tf.Tensor; terms: readonly tf.Tensor[]; entropy: tf.Tensor } {
    const { valueCoefficient } = this.config;
    const { clipRange = this.config.clipRange } = schedule;
    const { logProbability, entropy, values } = this.networks.evaluate(parameters, batch);
    const { objective, divergence, clipped } = clippedSurrogate(
      logProbability,
      batch.logProbability,
      batch.advantage,
      clipRange,
    );
    const errors = clippedValueErrors(values, batch.target, batch.value, this.config.valueClipRange);
    const withValue = tf.add(tf.neg(tf.mean(objective)), tf.mul(tf.mean(errors), valueCoefficient));
    return {
      loss: this.hasEntropyBonus ? tf.sub(withValue, tf.mul(entropy, schedule.entropyCoefficient)) : withValue,
      terms: [tf.neg(objective), errors, divergence, clipped],
      entropy,
    };
  }
}

/** The figures of an update that are means over its samples, in their order. */
const meanNames = ['policyLoss', 'valueLoss', 'approxKl', 'clipFraction'] as const;

// ---- learner ---------------------------------------------------------------------------------------------------------

class Ppo implements Learner {
  readonly policy: PolicyArchitecture;
  readonly learnIntervalSteps: number;
  private readonly config: PpoConfig;
  private readonly model: PpoModel;
  private readonly collector: RolloutCollector;
  private readonly loop: UpdateLoop;
  private readonly minibatchGenerator: Generator;
  private parameters: Float32Array;
  private firstMoment: Float32Array;
  private secondMoment: Float32Array;
  /** Minibatch updates made so far: Adam's t. */
  private updates = 0;

  constructor(
    config: PpoConfig,
    { environments, generator }: AgentSetup,
    model: PpoModel,
    acting: ActingPrograms,
    loop: UpdateLoop,
  ) {
    this.config = config;
    this.model = model;
    this.loop = loop;
    this.policy = model.networks.policy;
    this.learnIntervalSteps = config.rolloutSteps;
    this.parameters = model.initialParameters(generator.fork());
    this.firstMoment = new Float32Array(this.parameters.length);
    this.secondMoment = new Float32Array(this.parameters.length);
    this.collector = new RolloutCollector(model.networks, acting, config, environments, generator.fork());
    this.collector.use(this.parameters);
    this.minibatchGenerator = generator.fork();
  }

  // -- act and collect --

  act(environments: VectorEnvironment): Promise<void> | void {
    return this.collector.act(environments);
  }

  record(results: StepResults): void {
    this.collector.record(results);
  }

  // -- update --

  async learn(environments: VectorEnvironment, { remaining }: LearningProgress): Promise<Record<string, number>> {
    const { learningRate, learningRateSchedule } = this.config;
    const targets = this.collector.targets(environments);
    const rate = scheduled(learningRate, learningRateSchedule, remaining);
    const { state, outputs } = await this.loop.run(this.updateInputs(targets, rate, remaining));
    const figures = byName(outputs);
    assertFinitePhase('PPO', figures, state.parameters, this.updates);
    this.parameters = state.parameters as Float32Array;
    this.firstMoment = state.firstMoment as Float32Array;
    this.secondMoment = state.secondMoment as Float32Array;
    this.updates += figures.policyLoss.length;
    this.collector.use(this.parameters);
    this.collector.restart();
    return {
      ...meansOverUpdates(figures),
      learningRate: rate,
      explainedVariance: explainedVariance(targets.values, targets.returns),
      minibatches: figures.policyLoss.length,
    };
  }

  /** What a phase works on. Advantages are normalised here, since the minibatches are known before it begins. */
  private updateInputs(
    { values, advantages, returns }: Targets,
    learningRate: number,
    remaining: number,
  ): UpdateLoopInputs {
    const { normaliseAdvantages, valueClipRange, adamEpsilon, clipRange, clipRangeSchedule } = this.config;
    const { observations, actions, logProbabilities, penalties } = this.collector.buffer;
    const { minibatchSize, epochs } = this.config;
    const { size } = this.collector.buffer;
    const { order, batchSizes } = shuffledMinibatches(size, minibatchSize, epochs, this.minibatchGenerator);
    const everywhere = (value: number): Float32Array => new Float32Array(batchSizes.length).fill(value);
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
        ...(this.model.hasEntropyBonus ? { entropyCoefficient: everywhere(this.entropyCoefficient(remaining)) } : {}),
        ...(clipRangeSchedule === 'linear' ? { clipRange: everywhere(clipRange * remaining) } : {}),
      },
      order,
      batchSizes,
    };
  }

  private entropyCoefficient(remaining: number): number {
    const { entropyCoefficient, finalEntropyCoefficient } = this.config;
    return inLine(entropyCoefficient, finalEntropyCoefficient, remaining);
  }

  // -- save and load --

  weights(): PolicyWeights {
    return {
      parameters: this.model.networks.policyPart(this.parameters).slice(),
      normalisation: this.collector.normalisation,
    };
  }

  save(): AgentState {
    const values: StateValues = {
      ...this.collector.saveState(),
      updates: this.updates,
      minibatches: this.minibatchGenerator.saveState(),
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
    const { updates, minibatches, ...collector } = values as StateValues;
    this.parameters = arrays.parameters.slice();
    this.firstMoment = (arrays.firstMoment as Float32Array).slice();
    this.secondMoment = (arrays.secondMoment as Float32Array).slice();
    this.updates = updates;
    this.minibatchGenerator.loadState(minibatches);
    this.collector.loadState(collector);
    this.collector.use(this.parameters);
  }

  async dispose(): Promise<void> {
    await Promise.all([this.collector.dispose(), this.loop.dispose()]);
  }
}

/** The figures of all updates by name. */
function byName({ means, ...others }: Record<string, Values>): Record<string, Values> {
  const count = meanNames.length;
  const columns = meanNames.map((name, column) => [
    name,
    Float32Array.from({ length: means.length / count }, (_, update) => means[update * count + column]),
  ]);
  return { ...(Object.fromEntries(columns) as Record<string, Values>), ...others };
}
