import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../contracts/errors.ts';
import { builtOn } from '../../tensor/built-on.ts';
import type { DeviceName } from '../../tensor/device.ts';
import type { LoadedModel, Values } from '../../tensor/loaded-model.ts';
import { compile } from '../../tensor/program.ts';
import { rmspropUpdate } from '../../tensor/rmsprop.ts';
import type { InputSpec, Tensors } from '../../tensor/trace.ts';
import { ActorCritic, compileActing } from '../actor-critic.ts';
import { advantageLossFigures, advantageLossGradient } from '../advantage-loss.ts';
import { explainedVariance, normalised } from '../advantages.ts';
import type { AgentState, PolicyWeights } from '../agent.ts';
import { defineAlgorithm } from '../algorithm.ts';
import type { AgentSetup } from '../algorithm.ts';
import type { EnvironmentDescription } from '../environment.ts';
import { flag, hyperparameter, integer, listOf, number, oneOf } from '../hyperparameters.ts';
import type { ConfigOf } from '../hyperparameters.ts';
import type { Learner, LearningProgress } from '../learner.ts';
import type { PolicyArchitecture } from '../policy-architecture.ts';
import { RolloutCollector } from '../rollout-collector.ts';
import type { ActingPrograms, CollectorState } from '../rollout-collector.ts';
import { scheduled } from '../schedules.ts';
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
  stepsPerUpdate: hyperparameter(5, integer(1, 100_000), 'Steps of each environment between two updates.'),
  learningRate: hyperparameter(7e-4, number(0, 1, { above: true }), "RMSprop's step size."),
  learningRateSchedule: hyperparameter<'constant' | 'linear'>(
    'constant',
    oneOf('constant', 'linear'),
    'linear lets the learning rate fall to 0 at the end of the training.',
  ),
  discount: hyperparameter(0.99, number(0, 1), 'Discount per step.'),
  gaeLambda: hyperparameter(
    1,
    number(0, 1),
    'λ of generalised advantage estimation; 1 gives the n-step advantages of the paper.',
  ),
  normaliseAdvantages: hyperparameter<boolean>(false, flag, 'Advantages of each update to mean 0 and deviation 1.'),
  entropyCoefficient: hyperparameter(0, number(0, 10), 'Weight of the entropy bonus.'),
  valueCoefficient: hyperparameter(0.5, number(0, 100), 'Weight of the value loss.'),
  maxGradientNorm: hyperparameter(
    0.5,
    number(0, Infinity, { above: true }),
    'Gradients longer than this are shortened to it.',
  ),
  rmspropDecay: hyperparameter(0.99, number(0, 0.999999), "RMSprop's α: how much of the mean of squares stays."),
  rmspropEpsilon: hyperparameter(1e-5, number(0, 1, { above: true }), "RMSprop's ε, added outside the root."),
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
  initialLogDeviation: hyperparameter(
    0,
    number(-20, 2),
    'ln of the deviation of every element of a continuous action at the start.',
  ),
};

/**
 * The hyperparameters of A2C, the synchronous form of A3C (Mnih et al., "Asynchronous Methods for Deep Reinforcement
 * Learning", 2016). The defaults are stable-baselines3's.
 */
export type A2cConfig = ConfigOf<typeof hyperparameters>;

/** Environment steps after which a training reports: many updates, some tens of milliseconds. */
const reportIntervalSteps = 2048;

// ---- state -----------------------------------------------------------------------------------------------------------

/** The part of the state that is not in arrays; JSON. */
interface StateValues extends CollectorState {
  readonly updates: number;
}

/** Advantage actor-critic: one gradient step after every few steps of all environments, with RMSprop. */
export const a2c = defineAlgorithm({
  name: 'a2c',
  summary: 'Advantage actor-critic: one update after every few steps; quick, noisier than PPO.',
  actionSpaces: ['discrete', 'multi-discrete', 'box'],
  masks: true,
  hyperparameters,
  async create(config, setup) {
    const model = new A2cModel(config, setup.environment);
    const acting = await compileActing(model.networks, setup.device);
    return builtOn(acting, async () => {
      const program = await compileUpdate(model, setup.device);
      return builtOn({ program }, () => new A2c(config, setup, model, acting, program));
    });
  },
});

function compileUpdate(model: A2cModel, device: DeviceName): Promise<LoadedModel> {
  return compile((inputs) => model.update(inputs), model.updateInputs, device);
}

// ---- model and loss --------------------------------------------------------------------------------------------------

/** The networks and the update that is compiled from them. */
export class A2cModel {
  readonly config: A2cConfig;
  readonly networks: ActorCritic;

  constructor(config: A2cConfig, environment: EnvironmentDescription) {
    this.config = config;
    this.networks = new ActorCritic(config, environment);
  }

  /** Inputs of {@link update}: the state, the samples, and the learning rate. */
  get updateInputs(): Record<string, InputSpec> {
    const flat = { shape: [this.networks.layout.size] };
    const samples = { ...this.networks.sampleInputs, target: { shape: [] }, advantage: { shape: [] } };
    const batch = Object.entries(samples).map(([name, { shape }]) => [name, { shape: ['batch', ...shape] }]);
    return { parameters: flat, squares: flat, learningRate: { shape: [] }, ...Object.fromEntries(batch) };
  }

  /** One update: the loss, its gradient, and RMSprop. `figures` are those of {@link figureNames}. */
  update({ parameters, squares, learningRate, ...batch }: Tensors): Tensors {
    const { rmspropDecay: decay, rmspropEpsilon: epsilon, maxGradientNorm: maxNorm } = this.config;
    const { gradient, figures } = advantageLossGradient(this.networks, parameters, batch, this.config);
    const { gradientNorm, ...next } = rmspropUpdate({ parameters, squares }, gradient, learningRate, {
      decay,
      epsilon,
      epsilonPlacement: 'outside-root',
      maxNorm,
    });
    return { newParameters: next.parameters, newSquares: next.squares, figures: tf.stack([...figures, gradientNorm]) };
  }
}

/** Names of the figures of an update, in their order. */
const figureNames = [...advantageLossFigures, 'gradientNorm'] as const;

// ---- learner ---------------------------------------------------------------------------------------------------------

class A2c implements Learner {
  readonly policy: PolicyArchitecture;
  readonly learnIntervalSteps: number;
  readonly reportIntervalSteps = reportIntervalSteps;
  private readonly config: A2cConfig;
  private readonly model: A2cModel;
  private readonly collector: RolloutCollector;
  private readonly program: LoadedModel;
  private readonly learningRate = new Float32Array(1);
  private parameters: Float32Array;
  private squares: Float32Array;
  private updates = 0;

  constructor(
    config: A2cConfig,
    { environments, generator }: AgentSetup,
    model: A2cModel,
    acting: ActingPrograms,
    program: LoadedModel,
  ) {
    this.config = config;
    this.model = model;
    this.program = program;
    this.policy = model.networks.policy;
    this.learnIntervalSteps = config.stepsPerUpdate * environments;
    this.parameters = model.networks.initialParameters(generator.fork());
    this.squares = new Float32Array(this.parameters.length);
    const settings = { ...config, rolloutSteps: this.learnIntervalSteps };
    this.collector = new RolloutCollector(model.networks, acting, settings, environments, generator.fork());
    this.collector.use(this.parameters);
  }

  // -- act and collect --

  act(environments: VectorEnvironment): Promise<void> | void {
    return this.collector.act(environments);
  }

  record(results: StepResults): void {
    this.collector.record(results);
  }

  // -- targets and update --

  learn(environments: VectorEnvironment, { remaining }: LearningProgress): Record<string, number> {
    const { learningRate, learningRateSchedule, normaliseAdvantages } = this.config;
    const { observations, actions, penalties } = this.collector.buffer;
    const { values, advantages, returns } = this.collector.targets(environments);
    const rate = scheduled(learningRate, learningRateSchedule, remaining);
    this.learningRate[0] = rate;
    const results = this.program.runSync({
      parameters: this.parameters,
      squares: this.squares,
      learningRate: this.learningRate,
      observation: observations,
      action: actions,
      target: returns,
      advantage: normaliseAdvantages ? normalised(advantages) : advantages,
      ...(penalties ? { penalty: penalties } : {}),
    });
    const figures = this.checked(results.figures);
    this.parameters = results.newParameters as Float32Array;
    this.squares = results.newSquares as Float32Array;
    this.updates++;
    this.collector.use(this.parameters);
    this.collector.restart();
    return {
      ...figures,
      learningRate: rate,
      explainedVariance: explainedVariance(values, returns),
    };
  }

  /**
   * The figures by name. A finite gradient norm means that the new weights are finite too.
   * @throws CoxswainError TRAINING_DIVERGED
   */
  private checked(values: Values): Record<string, number> {
    const wrong = figureNames.findIndex((_, index) => !Number.isFinite(values[index]));
    if (wrong >= 0) {
      const what = `${figureNames[wrong]} is ${values[wrong]}`;
      throw new CoxswainError('TRAINING_DIVERGED', `A2C diverged: ${what} at update ${this.updates + 1}.`);
    }
    return Object.fromEntries(figureNames.map((name, index) => [name, values[index]]));
  }

  // -- save and load --

  weights(): PolicyWeights {
    return {
      parameters: this.model.networks.policyPart(this.parameters).slice(),
      normalisation: this.collector.normalisation,
    };
  }

  save(): AgentState {
    const values: StateValues = { ...this.collector.saveState(), updates: this.updates };
    return { arrays: { parameters: this.parameters.slice(), squares: this.squares.slice() }, values };
  }

  load({ arrays, values }: AgentState): void {
    const { updates, ...collector } = values as StateValues;
    this.parameters = arrays.parameters.slice();
    this.squares = (arrays.squares as Float32Array).slice();
    this.updates = updates;
    this.collector.loadState(collector);
    this.collector.use(this.parameters);
  }

  async dispose(): Promise<void> {
    await Promise.all([this.collector.dispose(), this.program.dispose()]);
  }
}
