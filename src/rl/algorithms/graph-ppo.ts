import * as tf from '@tensorflow/tfjs-core';

import { adamSchedule, adamUpdate, dropVanishedMoments } from '../../tensor/adam.ts';
import type { AdamState } from '../../tensor/adam.ts';
import { builtOn } from '../../tensor/built-on.ts';
import type { DeviceName } from '../../tensor/device.ts';
import type { LoadedModel, Values } from '../../tensor/loaded-model.ts';
import { ParameterLayout } from '../../tensor/parameters.ts';
import { compile } from '../../tensor/program.ts';
import type { InputSpec, Tensors } from '../../tensor/trace.ts';
import { compileUpdateLoop } from '../../tensor/update-loop.ts';
import type { IterationInputs, IterationOutputs, UpdateLoop, UpdateLoopInputs } from '../../tensor/update-loop.ts';
import { actionDistribution } from '../action-distribution.ts';
import type { ActionDistribution } from '../action-distribution.ts';
import { fillPenalties } from '../action-sampling.ts';
import { explainedVariance, generalisedAdvantages, normalisedByMinibatch } from '../advantages.ts';
import type { AgentState, PolicyWeights } from '../agent.ts';
import { defineAlgorithm } from '../algorithm.ts';
import type { AgentSetup } from '../algorithm.ts';
import { clippedSurrogate, clippedValueErrors } from '../clipped-surrogate.ts';
import type { EnvironmentDescription } from '../environment.ts';
import { GraphArrangement, graphLayoutOf } from '../graph/graph-arrangement.ts';
import type { GraphArrays } from '../graph/graph-arrangement.ts';
import { GraphNetwork } from '../graph/graph-network.ts';
import { GraphNormaliser, normalised, statisticsLayout } from '../graph/graph-normaliser.ts';
import type { GraphStatisticsState } from '../graph/graph-normaliser.ts';
import { GraphRollout } from '../graph/graph-rollout.ts';
import { flag, hyperparameter, integer, number, oneOf, optional } from '../hyperparameters.ts';
import type { ConfigOf } from '../hyperparameters.ts';
import type { Learner, LearningProgress } from '../learner.ts';
import { RewardScaler } from '../normalisation.ts';
import type { RewardScalerState } from '../normalisation.ts';
import type { CategoricalArchitecture } from '../policy-architecture.ts';
import type { Generator, GeneratorState } from '../random.ts';
import { assertFinitePhase, meansOverUpdates, shuffledMinibatches } from '../update-phase.ts';
import { inLine, scheduled } from '../schedules.ts';
import type { StepResults, VectorEnvironment } from '../vector-environment.ts';

// ---- configuration ---------------------------------------------------------------------------------------------------

const hyperparameters = {
  width: hyperparameter(32, integer(1, 1024), 'Numbers that describe a node between two layers.'),
  attentionWidth: hyperparameter(16, integer(1, 1024), 'Numbers of a query, a key and a value of the attention.'),
  messageRounds: hyperparameter(
    2,
    integer(0, 8),
    'Rounds of attention along the edges; 0 keeps every node to itself. The last one reads the memories.',
  ),
  memoryWidth: hyperparameter(
    16,
    integer(0, 1024),
    'Numbers that a node remembers from step to step; 0 for no memory.',
  ),
  unrollSteps: hyperparameter(
    4,
    integer(1, 1024),
    'Consecutive steps through which gradients flow from what is remembered to how it came to be remembered.',
  ),
  rolloutSteps: hyperparameter(
    2048,
    integer(1, 10_000_000),
    'Environment steps per update phase, summed over all environments; a multiple of environments × unrollSteps.',
  ),
  minibatchSize: hyperparameter(
    64,
    integer(1, 10_000_000),
    'Graphs per gradient step, a multiple of unrollSteps; the last minibatch of an epoch may be smaller.',
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
    "Ends a phase once a minibatch's approximate divergence exceeds 1.5 × this, after the step on this minibatch; null never does.",
  ),
  adamEpsilon: hyperparameter(1e-5, number(0, 1, { above: true }), "Adam's ε."),
  normaliseObservations: hyperparameter<boolean>(
    true,
    flag,
    'Features of the nodes and edges that are there, and of the graph, to running mean 0 and deviation 1, clipped at ±10.',
  ),
  scaleRewards: hyperparameter<boolean>(
    true,
    flag,
    'Rewards divided by the running deviation of the discounted return, clipped at ±10.',
  ),
  initialNoopProbability: hyperparameter<number | null>(
    null,
    optional(number(0, 0.999999, { above: true })),
    "Probability that choice 0 (do nothing) of every head has at the start when nothing is masked, set by the bias of the heads' last layer; null starts uniform.",
  ),
};

/** The hyperparameters of graph PPO; those that PPO has too have its defaults, but for the normalisation. */
export type GraphPpoConfig = ConfigOf<typeof hyperparameters>;

// ---- state -----------------------------------------------------------------------------------------------------------

/** The programs that graph PPO runs. */
interface Programs {
  /** Probabilities, value and memory for one step of some environments. */
  readonly act: LoadedModel;
  /** A whole phase of minibatch updates. */
  readonly update: UpdateLoop;
}

/** The part of the state that is not in arrays; JSON. */
interface StateValues {
  readonly updates: number;
  readonly actions: GeneratorState;
  readonly minibatches: GeneratorState;
  readonly observations: GraphStatisticsState | null;
  readonly rewards: RewardScalerState | null;
}

/**
 * Proximal policy optimisation for graphs whose nodes come and go: a policy with one masked head for each node slot, on
 * an encoder with message passing and a memory for every node ({@link GraphNetwork}).
 */
export const graphPpo = defineAlgorithm({
  name: 'graph-ppo',
  summary: 'PPO on a changing graph: message passing, a memory for each node, one head for each.',
  actionSpaces: ['multi-discrete'],
  masks: true,
  needsGraph: true,
  hyperparameters,
  conflicts({ rolloutSteps, minibatchSize, unrollSteps }, environments) {
    const broken: string[] = [];
    if (rolloutSteps % (environments * unrollSteps) !== 0) {
      broken.push(
        `rolloutSteps: found ${rolloutSteps}; allowed: a multiple of the number of environments (${environments}) × unrollSteps (${unrollSteps}).`,
      );
    }
    if (minibatchSize % unrollSteps !== 0) {
      broken.push(`minibatchSize: found ${minibatchSize}; allowed: a multiple of unrollSteps (${unrollSteps}).`);
    }
    return broken;
  },
  async create(config, setup) {
    const model = new GraphPpoModel(config, setup.environment);
    const programs = await compilePrograms(model, setup.device);
    return builtOn(programs, () => new GraphPpo(config, setup, model, programs));
  },
});

/** Compiles both or, when one fails, keeps none. */
async function compilePrograms(model: GraphPpoModel, device: DeviceName): Promise<Programs> {
  // Acting stays on the CPU: its batches are too small for a card.
  const act = await compile((inputs) => model.act(inputs), model.actInputs, 'cpu');
  const iteration = (inputs: IterationInputs): IterationOutputs => model.update(inputs);
  return builtOn({ act }, async () => ({
    act,
    update: await compileUpdateLoop({ ...model.updateInputs, iteration }, device),
  }));
}

// ---- model and loss --------------------------------------------------------------------------------------------------

/** The network, and everything that is compiled from it. */
export class GraphPpoModel {
  readonly config: GraphPpoConfig;
  readonly arrangement: GraphArrangement;
  readonly network: GraphNetwork;
  readonly distribution: ActionDistribution;

  constructor(config: GraphPpoConfig, environment: EnvironmentDescription) {
    const { width, attentionWidth, messageRounds, memoryWidth } = config;
    this.config = config;
    this.arrangement = new GraphArrangement(graphLayoutOf(environment));
    this.distribution = actionDistribution(environment);
    this.network = new GraphNetwork({
      ...this.arrangement.sizes,
      width,
      attentionWidth,
      rounds: messageRounds,
      memoryWidth,
      choices: this.distribution.layout!.width,
    });
  }

  /** What acts, for export: it takes observations as they come and normalises by what is among its weights. */
  get policy(): CategoricalArchitecture {
    const { arrangement, network } = this;
    const { nodes, memoryWidth } = network.shape;
    const layouts = [network.policyLayout, ...(this.config.normaliseObservations ? [this.statistics] : [])];
    return {
      kind: 'categorical',
      observationSize: arrangement.observationSize,
      layout: new ParameterLayout(Object.assign({}, ...layouts.map(({ shapes }) => shapes))),
      actions: this.distribution.layout!,
      memorySize: memoryWidth > 0 ? nodes * (memoryWidth + 1) : 0,
      outputs: (weights, { observation, memory }) => {
        const arranged = arrangement.arranged(observation);
        const graph = this.config.normaliseObservations ? normalised(weights, arranged) : arranged;
        return this.outputsOfOne(weights, graph, memory);
      },
    };
  }

  /** Where the statistics of the normalisation lie behind the policy's weights. */
  private get statistics(): ParameterLayout {
    return statisticsLayout(this.network.shape);
  }

  /** One step. `memory` [batch, N × memoryWidth + N]: what each slot's node remembers, then who it was. */
  private outputsOfOne(
    weights: Tensors,
    graph: Tensors,
    memory: tf.Tensor | undefined,
  ): { logits: tf.Tensor; values: tf.Tensor; memory?: tf.Tensor } {
    const { nodes, memoryWidth } = this.network.shape;
    const batch = graph.identities.shape[0];
    const sequences = Object.fromEntries(Object.entries(graph).map(([name, array]) => [name, tf.expandDims(array, 1)]));
    if (!memory) return this.network.outputs(weights, sequences);
    const [states, before] = tf.split(memory, [nodes * memoryWidth, nodes], 1);
    const outputs = this.network.outputs(weights, {
      ...sequences,
      before: tf.expandDims(before, 1),
      memory: tf.reshape(states, [batch, nodes, memoryWidth]),
    });
    const next = tf.reshape(outputs.memory!, [batch, nodes * memoryWidth]);
    return { ...outputs, memory: tf.concat([next, graph.identities], 1) };
  }

  /** The weights at the start, all of them. */
  initialParameters(generator: Generator): Float32Array {
    const parameters = this.network.initialParameters(generator);
    const { initialNoopProbability } = this.config;
    const { choices } = this.network.shape;
    if (initialNoopProbability !== null && choices > 1) {
      const odds = initialNoopProbability / (1 - initialNoopProbability);
      this.network.layout.view(parameters, 'heads.output.bias')[0] = Math.log(odds * (choices - 1));
    }
    return parameters;
  }

  /** The policy's weights as a view of all weights. */
  policyPart(parameters: Float32Array): Float32Array {
    return parameters.subarray(0, this.network.policyLayout.size);
  }

  /** Inputs of {@link act}: all weights, and for each row a graph as the network sees it, masks and memory. */
  get actInputs(): Record<string, InputSpec> {
    const { nodes, memoryWidth } = this.network.shape;
    return {
      parameters: { shape: [this.network.layout.size] },
      ...this.arrangement.inputs(['batch']),
      ...(this.distribution.masked ? { penalty: { shape: ['batch', this.distribution.outputs] } } : {}),
      ...(memoryWidth > 0 ? { memory: { shape: ['batch', nodes * (memoryWidth + 1)] } } : {}),
    };
  }

  /** What actions are drawn from, values, and the memories after this step. */
  act({ parameters, penalty, memory, ...graph }: Tensors): Tensors {
    const weights = this.network.layout.split(parameters);
    const { logits, values, memory: next } = this.outputsOfOne(weights, graph, memory);
    const drawn = this.distribution.statistics(logits, weights, penalty);
    return { ...drawn, values, ...(next ? { next_memory: next } : {}) };
  }

  /** What {@link update} carries, samples and follows. A sample is a sequence of `unrollSteps` consecutive steps. */
  get updateInputs(): {
    state: Record<string, InputSpec>;
    samples: Record<string, InputSpec>;
    picks: Record<string, InputSpec>;
    schedule: Record<string, InputSpec>;
  } {
    const { unrollSteps, valueClipRange } = this.config;
    const { layout, shape } = this.network;
    const { outputs, sampleShape, masked } = this.distribution;
    const flat = { shape: [layout.size] };
    const each = { shape: [unrollSteps] };
    const remembered = {
      before: { shape: [unrollSteps, shape.nodes] },
      memory: { shape: [shape.nodes, shape.memoryWidth] },
    };
    return {
      state: { parameters: flat, firstMoment: flat, secondMoment: flat },
      samples: {
        ...this.arrangement.inputs([unrollSteps]),
        ...(shape.memoryWidth > 0 ? remembered : {}),
        action: { shape: [unrollSteps, ...sampleShape] },
        logProbability: each,
        target: each,
        ...(masked ? { penalty: { shape: [unrollSteps, outputs] } } : {}),
        ...(valueClipRange === null ? {} : { value: each }),
      },
      picks: { advantage: each },
      schedule: {
        stepSize: { shape: [] },
        epsilon: { shape: [] },
        ...(this.hasEntropyBonus ? { entropyCoefficient: { shape: [] } } : {}),
      },
    };
  }

  /** One minibatch: the loss, its gradient, and Adam. */
  update({ state, batch, schedule }: IterationInputs): IterationOutputs {
    let figures: Tensors = {};
    const { grads } = tf.valueAndGrads((parameters: tf.Tensor) => {
      const { loss, ...others } = this.loss(this.network.layout.split(parameters), batch, schedule);
      // TF.js disposes of what is made in here unless it is kept.
      figures = Object.fromEntries(Object.entries(others).map(([name, figure]) => [name, tf.keep(figure)]));
      return loss as tf.Scalar;
    })([state.parameters]);
    const { maxGradientNorm, targetKl } = this.config;
    const { stepSize, epsilon } = schedule;
    const { gradientNorm, ...next } = adamUpdate(
      state as unknown as AdamState,
      grads[0],
      { stepSize, epsilon },
      maxGradientNorm,
    );
    return {
      state: next as unknown as Tensors,
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
    const { clipRange, valueClipRange, valueCoefficient } = this.config;
    const { logits, values } = this.network.outputs(weights, batch);
    const { outputs, sampleShape } = this.distribution;
    const each = (name: string): tf.Tensor => tf.reshape(batch[name], [-1]);
    const { logProbability, entropy } = this.distribution.evaluate(
      logits,
      weights,
      tf.reshape(batch.action, [-1, ...sampleShape]),
      batch.penalty && tf.reshape(batch.penalty, [-1, outputs]),
    );
    const { objective, divergence, clipped } = clippedSurrogate(
      logProbability,
      each('logProbability'),
      each('advantage'),
      clipRange,
    );
    const former = valueClipRange === null ? undefined : each('value');
    const policyLoss = tf.neg(tf.mean(objective));
    const valueLoss = tf.mean(clippedValueErrors(values, each('target'), former, valueClipRange));
    const withValue = tf.add(policyLoss, tf.mul(valueLoss, valueCoefficient));
    return {
      loss: this.hasEntropyBonus ? tf.sub(withValue, tf.mul(entropy, schedule.entropyCoefficient)) : withValue,
      policyLoss,
      valueLoss,
      entropy,
      approxKl: tf.mean(divergence),
      clipFraction: tf.mean(clipped),
    };
  }
}

// ---- learner ---------------------------------------------------------------------------------------------------------

/** What the network is drawn towards, in the layout of the rollout. */
interface Targets {
  readonly advantages: Float32Array;
  readonly returns: Float32Array;
}

class GraphPpo implements Learner {
  readonly policy: CategoricalArchitecture;
  readonly learnIntervalSteps: number;
  private readonly config: GraphPpoConfig;
  private readonly model: GraphPpoModel;
  private readonly programs: Programs;
  private readonly rollout: GraphRollout;
  private readonly actionGenerator: Generator;
  private readonly minibatchGenerator: Generator;
  private readonly normaliser: GraphNormaliser | null;
  private readonly scaler: RewardScaler | null;
  /** The graphs that are acted on, one an environment. */
  private readonly graphs: GraphArrays;
  private readonly penalties: Float32Array;
  /** One row an environment: what each slot's node remembers, then who it was; zeros at the start of an episode. */
  private memory: Float32Array;
  private parameters: Float32Array;
  private firstMoment: Float32Array;
  private secondMoment: Float32Array;
  /** Minibatch updates made so far: Adam's t. */
  private updates = 0;
  /** Steps of each environment in the present rollout. */
  private steps = 0;

  constructor(
    config: GraphPpoConfig,
    { environments, generator }: AgentSetup,
    model: GraphPpoModel,
    programs: Programs,
  ) {
    const { arrangement, distribution, policy } = model;
    this.config = config;
    this.model = model;
    this.programs = programs;
    this.policy = policy;
    this.learnIntervalSteps = config.rolloutSteps;
    this.parameters = model.initialParameters(generator.fork());
    this.firstMoment = new Float32Array(this.parameters.length);
    this.secondMoment = new Float32Array(this.parameters.length);
    this.actionGenerator = generator.fork();
    this.minibatchGenerator = generator.fork();
    this.normaliser = config.normaliseObservations ? new GraphNormaliser(arrangement.sizes) : null;
    this.scaler = config.scaleRewards ? new RewardScaler(environments, config.discount) : null;
    this.graphs = arrangement.allocate(environments);
    this.penalties = new Float32Array(distribution.masked ? environments * distribution.outputs : 0);
    this.memory = new Float32Array(environments * policy.memorySize!);
    this.rollout = new GraphRollout(arrangement, {
      size: config.rolloutSteps,
      environments,
      sequenceSteps: config.unrollSteps,
      memoryWidth: config.memoryWidth,
      actionSize: distribution.outputs,
      masked: distribution.masked,
    });
  }

  // -- act and collect --

  async act(environments: VectorEnvironment): Promise<void> {
    const { rollout, model, steps } = this;
    const { actionSize } = environments;
    if (steps === 0) rollout.clear();
    this.see(environments);
    const { values, next_memory: memory, ...statistics } = await this.run(this.graphs, this.penalties, this.memory);
    for (let index = 0; index < environments.count; index++) {
      const place = rollout.place(steps, index);
      rollout.logProbabilities[place] = model.distribution.sample(
        statistics,
        index,
        this.actionGenerator,
        environments.actions.subarray(index * actionSize, (index + 1) * actionSize),
        rollout.actions,
        place,
      );
      rollout.values[place] = values[index];
      this.keep(place, index);
    }
    if (memory) this.memory = memory as Float32Array;
  }

  /** Arranges what the environments show, counts it in the statistics, and normalises it. */
  private see({ observations, observationSize, count, masks }: VectorEnvironment): void {
    const { arrangement, distribution } = this.model;
    for (let index = 0; index < count; index++) {
      arrangement.arrange(observations, index * observationSize, this.graphs, index);
    }
    this.normaliser?.add(this.graphs, 0, count);
    this.normaliser?.apply(this.graphs, 0, count);
    if (distribution.masked) fillPenalties(distribution.layout!, masks, this.penalties);
  }

  private run(graphs: GraphArrays, penalty: Float32Array, memory: Float32Array): Promise<Record<string, Values>> {
    return this.programs.act.run({ parameters: this.parameters, ...graphs, penalty, memory });
  }

  /** Keeps what environment `index` showed, allowed and remembered. */
  private keep(place: number, index: number): void {
    const { rollout, penalties } = this;
    const { outputs } = this.model.distribution;
    rollout.see(place, this.graphs, index);
    rollout.penalties?.set(penalties.subarray(index * outputs, (index + 1) * outputs), place * outputs);
    if (this.config.memoryWidth > 0) rollout.recall(place, this.memoryOf(index));
  }

  private memoryOf(environment: number): Float32Array {
    const size = this.policy.memorySize!;
    return this.memory.subarray(environment * size, (environment + 1) * size);
  }

  record({ rewards, terminated, truncated, lastObservations }: StepResults): void {
    const { rollout } = this;
    for (let index = 0; index < rewards.length; index++) {
      const place = rollout.place(this.steps, index);
      const over = terminated[index] === 1 || truncated[index] === 1;
      const last = lastObservations[index];
      rollout.rewards[place] = this.scaler ? this.scaler.scale(index, rewards[index], over) : rewards[index];
      rollout.ends[place] = Number(over);
      if (last) rollout.cutOffs.push({ place, graph: this.arranged(last), memory: this.memoryOf(index).slice() });
      if (over) this.memoryOf(index).fill(0);
    }
    this.steps++;
  }

  /** One observation as the network sees it. */
  private arranged(observation: Float32Array): GraphArrays {
    const graph = this.model.arrangement.allocate(1);
    this.model.arrangement.arrange(observation, 0, graph, 0);
    this.normaliser?.apply(graph, 0, 1);
    return graph;
  }

  // -- targets --

  /** Values of what follows the rollout in each environment, and of what follows the steps at which episodes were cut off. */
  private async followingValues(
    environments: VectorEnvironment,
  ): Promise<{ nextValues: Float32Array; endValues: Float32Array }> {
    const { arrangement, distribution } = this.model;
    const { cutOffs, size } = this.rollout;
    const { count, observations, observationSize } = environments;
    const rows = count + cutOffs.length;
    const graphs = arrangement.allocate(rows);
    const memory = new Float32Array(rows * this.policy.memorySize!);
    memory.set(this.memory);
    for (let index = 0; index < count; index++) {
      arrangement.arrange(observations, index * observationSize, graphs, index);
    }
    this.normaliser?.apply(graphs, 0, count);
    cutOffs.forEach((cutOff, index) => {
      arrangement.copy(cutOff.graph, 0, graphs, count + index);
      memory.set(cutOff.memory, (count + index) * this.policy.memorySize!);
    });
    // Masks decide which actions are drawn, not what a graph is worth.
    const penalty = new Float32Array(distribution.masked ? rows * distribution.outputs : 0);
    const { values } = await this.run(graphs, penalty, memory);
    const endValues = new Float32Array(size);
    cutOffs.forEach(({ place }, index) => (endValues[place] = values[count + index]));
    return { nextValues: values.subarray(0, count) as Float32Array, endValues };
  }

  /** Advantages and returns, environment by environment. */
  private async targets(environments: VectorEnvironment): Promise<Targets> {
    const { discount, gaeLambda } = this.config;
    const { steps, values, rewards, ends, size } = this.rollout;
    const { nextValues, endValues } = await this.followingValues(environments);
    const targets = { advantages: new Float32Array(size), returns: new Float32Array(size) };
    for (let index = 0; index < environments.count; index++) {
      const [from, to] = [this.rollout.place(0, index), this.rollout.place(steps, index)];
      const part = generalisedAdvantages(
        {
          environments: 1,
          rewards: rewards.subarray(from, to),
          values: values.subarray(from, to),
          ends: ends.subarray(from, to),
          endValues: endValues.subarray(from, to),
          nextValues: nextValues.subarray(index, index + 1),
        },
        discount,
        gaeLambda,
      );
      targets.advantages.set(part.advantages, from);
      targets.returns.set(part.returns, from);
    }
    return targets;
  }

  // -- update --

  async learn(environments: VectorEnvironment, { remaining }: LearningProgress): Promise<Record<string, number>> {
    const { learningRate, learningRateSchedule } = this.config;
    const targets = await this.targets(environments);
    const rate = scheduled(learningRate, learningRateSchedule, remaining);
    const { state, outputs } = await this.programs.update.run(this.updateInputs(targets, rate, remaining));
    assertFinitePhase('Graph PPO', outputs, state.parameters, this.updates);
    this.parameters = state.parameters as Float32Array;
    this.firstMoment = state.firstMoment as Float32Array;
    this.secondMoment = state.secondMoment as Float32Array;
    dropVanishedMoments(this.firstMoment);
    dropVanishedMoments(this.secondMoment);
    this.updates += outputs.policyLoss.length;
    this.steps = 0;
    return {
      ...meansOverUpdates(outputs),
      learningRate: rate,
      explainedVariance: explainedVariance(this.rollout.values, targets.returns),
      minibatches: outputs.policyLoss.length,
    };
  }

  /** What a phase works on. Advantages are normalised here, since the minibatches are known before it begins. */
  private updateInputs({ advantages, returns }: Targets, learningRate: number, remaining: number): UpdateLoopInputs {
    const { normaliseAdvantages, valueClipRange, adamEpsilon, unrollSteps, memoryWidth } = this.config;
    const { minibatchSize, epochs } = this.config;
    const { graphs, before, memory, actions, logProbabilities, penalties, values } = this.rollout;
    // What is drawn is sequences of steps.
    const { order, batchSizes } = shuffledMinibatches(
      this.rollout.size / unrollSteps,
      minibatchSize / unrollSteps,
      epochs,
      this.minibatchGenerator,
    );
    const samples = stepsOf(order, unrollSteps);
    const graphsEach = batchSizes.map((size) => size * unrollSteps);
    const entropyCoefficient = new Float32Array(batchSizes.length).fill(this.entropyCoefficient(remaining));
    return {
      state: { parameters: this.parameters, firstMoment: this.firstMoment, secondMoment: this.secondMoment },
      samples: {
        ...graphs,
        ...(memoryWidth > 0 ? { before, memory } : {}),
        action: actions,
        logProbability: logProbabilities,
        target: returns,
        ...(penalties ? { penalty: penalties } : {}),
        ...(valueClipRange === null ? {} : { value: values }),
      },
      picks: {
        advantage: normaliseAdvantages
          ? normalisedByMinibatch(advantages, samples, graphsEach)
          : Float32Array.from(samples, (place) => advantages[place]),
      },
      schedule: {
        ...adamSchedule(this.updates, batchSizes.length, learningRate, adamEpsilon),
        ...(this.model.hasEntropyBonus ? { entropyCoefficient } : {}),
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

  /** The policy's weights and behind them the statistics that it normalises with. */
  weights(): PolicyWeights {
    const policy = this.model.policyPart(this.parameters);
    const parameters = new Float32Array(this.policy.layout.size);
    parameters.set(policy);
    if (this.normaliser) parameters.set(this.normaliser.current(), policy.length);
    return { parameters, normalisation: null };
  }

  save(): AgentState {
    const values: StateValues = {
      updates: this.updates,
      actions: this.actionGenerator.saveState(),
      minibatches: this.minibatchGenerator.saveState(),
      observations: this.normaliser?.saveState() ?? null,
      rewards: this.scaler?.saveState() ?? null,
    };
    return {
      arrays: {
        parameters: this.parameters.slice(),
        firstMoment: this.firstMoment.slice(),
        secondMoment: this.secondMoment.slice(),
        memory: this.memory.slice(),
      },
      values,
    };
  }

  load({ arrays, values }: AgentState): void {
    const { updates, actions, minibatches, observations, rewards } = values as StateValues;
    this.parameters = arrays.parameters.slice();
    this.firstMoment = (arrays.firstMoment as Float32Array).slice();
    this.secondMoment = (arrays.secondMoment as Float32Array).slice();
    this.memory = (arrays.memory as Float32Array).slice();
    this.updates = updates;
    this.steps = 0;
    this.actionGenerator.loadState(actions);
    this.minibatchGenerator.loadState(minibatches);
    if (observations) this.normaliser?.loadState(observations);
    if (rewards) this.scaler?.loadState(rewards);
  }

  async dispose(): Promise<void> {
    await Promise.all(Object.values(this.programs).map((program: LoadedModel | UpdateLoop) => program.dispose()));
  }
}

/** The samples of sequences of `steps` consecutive ones. */
function stepsOf(sequences: Int32Array, steps: number): Int32Array {
  return Int32Array.from(
    { length: sequences.length * steps },
    (_, i) => sequences[Math.floor(i / steps)] * steps + (i % steps),
  );
}
