import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../contracts/errors.ts';
import { builtOn } from '../../tensor/built-on.ts';
import type { LoadedModel } from '../../tensor/loaded-model.ts';
import { compile } from '../../tensor/program.ts';
import { rmspropUpdate } from '../../tensor/rmsprop.ts';
import type { InputSpec, Tensors } from '../../tensor/trace.ts';
import { ActorCritic, compileActing } from '../actor-critic.ts';
import { endActors, startActors } from '../actors/actor.ts';
import type { Actor } from '../actors/actor.ts';
import type { ActorPosition, ActorReport, ActorSetup, GradientReport } from '../actors/protocol.ts';
import { advantageLossFigures, advantageLossGradient } from '../advantage-loss.ts';
import type { Agent, AgentState, IterationMetrics, PolicyWeights, Progress } from '../agent.ts';
import { checkSpaces } from '../algorithm.ts';
import type { AgentSetup, Algorithm, EnvironmentRecipe } from '../algorithm.ts';
import type { EnvironmentDescription } from '../environment.ts';
import { flag, hyperparameter, integer, listOf, number, oneOf, parseHyperparameters } from '../hyperparameters.ts';
import type { ConfigOf } from '../hyperparameters.ts';
import { MeanFigures } from '../mean-figures.ts';
import type { PolicyArchitecture } from '../policy-architecture.ts';
import type { GeneratorState } from '../random.ts';
import { recentEpisodes } from '../vector-environment.ts';
import type { VectorEnvironment, VectorEnvironmentState } from '../vector-environment.ts';

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
    'One trunk of hidden layers under the policy and the value, as in the paper, instead of a network for each.',
  ),
  deterministic: hyperparameter<boolean>(
    true,
    flag,
    'Gradients are applied in turn, actor by actor, so that the same seed gives the same weights. false applies each when it arrives: no actor waits for a slower one, and no two trainings are alike.',
  ),
  stepsPerUpdate: hyperparameter(5, integer(1, 100_000), 'Steps of an actor for each of its gradients (t_max).'),
  iterationSteps: hyperparameter(
    2048,
    integer(1, 10_000_000),
    'Environment steps, summed over all actors, after which the training reports and can be checkpointed; rounded up to whole rollouts of all actors. Take fewer for slow environments.',
  ),
  learningRate: hyperparameter(3e-3, number(0, 1, { above: true }), "RMSprop's step size."),
  learningRateSchedule: hyperparameter<'constant' | 'linear'>(
    'linear',
    oneOf('constant', 'linear'),
    'linear lets the learning rate fall to 0 at the end of the training.',
  ),
  discount: hyperparameter(0.99, number(0, 1), 'Discount per step.'),
  entropyCoefficient: hyperparameter(0.01, number(0, 10), 'Weight β of the entropy bonus.'),
  valueCoefficient: hyperparameter(0.5, number(0, 100), 'Weight of the value loss.'),
  maxGradientNorm: hyperparameter(
    40,
    number(0, Infinity, { above: true }),
    'Gradients longer than this are shortened to it.',
  ),
  rmspropDecay: hyperparameter(0.99, number(0, 0.999999), "RMSprop's α: how much of the mean of squares stays."),
  rmspropEpsilon: hyperparameter(0.01, number(0, 10, { above: true }), "RMSprop's ε, added under the root."),
  initialLogDeviation: hyperparameter(
    0,
    number(-20, 2),
    'ln of the deviation of every element of a continuous action at the start.',
  ),
  actorPatienceSeconds: hyperparameter(
    120,
    number(0.1, 86_400),
    'An actor that takes longer for a rollout is taken for hung, which ends the training.',
  ),
};

/**
 * The hyperparameters of A3C (Mnih et al., "Asynchronous Methods for Deep Reinforcement Learning", 2016). t_max, discount,
 * entropy weight, RMSprop's decay and the falling learning rate are the paper's (section 5.1 and supplement, section 8),
 * and the learning rate is in the range that it draws from. A gradient is of one actor's few steps: with A2C's short limit
 * and small ε the value's gradient pushes everything else aside, and CartPole is not learned.
 */
export type A3cConfig = ConfigOf<typeof hyperparameters>;

// ---- state -----------------------------------------------------------------------------------------------------------

/** The part of the state that is not in arrays; JSON. */
interface StateValues {
  readonly updates: number;
  /** What draws the actions of each actor. */
  readonly actions: readonly GeneratorState[];
}

/** Everything that changes, between two iterations. */
interface State extends StateValues {
  readonly parameters: Float32Array;
  readonly squares: Float32Array;
}

/**
 * Asynchronous advantage actor-critic: an actor process for each environment sends gradients to one optimiser with shared
 * statistics, and goes on with the weights that it gets back. An iteration is the same number of rollouts for each actor.
 * Between two iterations the training's own environments hold where the actors' stand, so checkpoints, episodes and
 * evaluations are those of any other algorithm. Everything is computed on the CPU.
 */
export const a3c: Algorithm<A3cConfig> = {
  name: 'a3c',
  summary: 'Asynchronous advantage actor-critic: an actor process for each environment; for slow environments.',
  actionSpaces: ['discrete', 'multi-discrete', 'box'],
  masks: true,
  needsGraph: false,
  hyperparameters,
  configure: (given = {}) => parseHyperparameters('hyperparameters of a3c', given, hyperparameters),
  async createAgent(config, setup) {
    checkSpaces(a3c, setup.environment);
    const model = new A3cModel(config, setup.environment);
    const recipe = recipeOf(setup);
    const programs = await compilePrograms(model);
    return builtOn({ update: programs.update }, () => new A3c(config, setup, model, programs, recipe));
  },
};

/** @throws CoxswainError ENVIRONMENT_INVALID when there is none. */
function recipeOf({ recipe, environment }: AgentSetup): EnvironmentRecipe {
  if (recipe) return recipe;
  throw new CoxswainError(
    'ENVIRONMENT_INVALID',
    `${environment.name}: a3c acts in processes of its own, and this training does not say how they can make the environment. Give createTraining a recipe (module, factory, options), or choose a2c.`,
  );
}

// ---- model and loss --------------------------------------------------------------------------------------------------

/** The networks, and the gradient and the update that are compiled from them. */
export class A3cModel {
  readonly config: A3cConfig;
  readonly networks: ActorCritic;

  constructor(config: A3cConfig, environment: EnvironmentDescription) {
    this.config = config;
    this.networks = new ActorCritic(config, environment);
  }

  /** Inputs of {@link gradient}: all weights and the samples of a rollout. */
  get gradientInputs(): Record<string, InputSpec> {
    const samples = { ...this.networks.sampleInputs, target: { shape: [] }, advantage: { shape: [] } };
    const batch = Object.entries(samples).map(([name, { shape }]) => [name, { shape: ['batch', ...shape] }]);
    return { parameters: { shape: [this.networks.layout.size] }, ...Object.fromEntries(batch) };
  }

  /** The gradient of one rollout, not shortened, and the figures of {@link advantageLossFigures}. */
  gradient({ parameters, ...batch }: Tensors): Tensors {
    const { gradient, figures } = advantageLossGradient(this.networks, parameters, batch, this.config);
    return { gradient, figures: tf.stack([...figures]) };
  }

  /** Inputs of {@link update}. */
  get updateInputs(): Record<string, InputSpec> {
    const flat = { shape: [this.networks.layout.size] };
    return { parameters: flat, squares: flat, gradient: flat, learningRate: { shape: [] } };
  }

  /** RMSprop with statistics that all actors share (Mnih et al. 2016, section 4 and equation S2–S3). */
  update({ parameters, squares, gradient, learningRate }: Tensors): Tensors {
    const { rmspropDecay: decay, rmspropEpsilon: epsilon, maxGradientNorm: maxNorm } = this.config;
    const { gradientNorm, ...next } = rmspropUpdate({ parameters, squares }, gradient, learningRate, {
      decay,
      epsilon,
      epsilonPlacement: 'inside-root',
      maxNorm,
    });
    return { newParameters: next.parameters, newSquares: next.squares, gradientNorm };
  }
}

/** What runs here, and the ONNX files of what the actors run. */
interface Programs {
  readonly update: LoadedModel;
  readonly files: ActorSetup['programs'];
}

async function compilePrograms(model: A3cModel): Promise<Programs> {
  const acting = await compileActing(model.networks, 'cpu');
  const gradient = await builtOn(acting, () => compile((inputs) => model.gradient(inputs), model.gradientInputs));
  const { act, value } = acting;
  const files = { act: act.model, value: value.model, gradient: gradient.model };
  await Promise.all([act.dispose(), value.dispose(), gradient.dispose()]);
  return { files, update: await compile((inputs) => model.update(inputs), model.updateInputs) };
}

// ---- agent -----------------------------------------------------------------------------------------------------------

/** An iteration under way. */
interface Iteration {
  readonly progress: Progress;
  /** Rollouts of each actor. */
  readonly rounds: number;
  readonly figures: MeanFigures;
  /** Gradients applied in this iteration. */
  applied: number;
}

class A3c implements Agent {
  readonly policy: PolicyArchitecture;
  readonly iterationSteps: number;
  private readonly config: A3cConfig;
  private readonly model: A3cModel;
  private readonly programs: Programs;
  private readonly count: number;
  private readonly actorSetup: ActorSetup;
  private readonly learningRate = new Float32Array(1);
  private state: State;
  private marked: State;
  /** Null before the first iteration and after an error. */
  private actors: readonly Actor[] | null = null;

  constructor(
    config: A3cConfig,
    { environment, environments, generator }: AgentSetup,
    model: A3cModel,
    programs: Programs,
    recipe: EnvironmentRecipe,
  ) {
    const { stepsPerUpdate, iterationSteps, discount } = config;
    const { observationSize, policySize, criticStart } = model.networks;
    const round = stepsPerUpdate * environments;
    this.config = config;
    this.model = model;
    this.programs = programs;
    this.policy = model.networks.policy;
    this.count = environments;
    this.iterationSteps = Math.ceil(iterationSteps / round) * round;
    this.actorSetup = {
      recipe,
      environment,
      networks: { observationSize, policySize, criticStart },
      rolloutSteps: stepsPerUpdate,
      discount,
      programs: programs.files,
    };
    const parameters = model.networks.initialParameters(generator.fork());
    this.state = {
      parameters,
      squares: new Float32Array(parameters.length),
      updates: 0,
      actions: Array.from({ length: environments }, () => generator.fork().saveState()),
    };
    this.marked = this.state;
  }

  /** @throws CoxswainError TRAINING_DIVERGED, CHILD_PROCESS_FAILED when an actor died or hangs, and what one failed with. */
  async iterate(environments: VectorEnvironment, progress: Progress): Promise<IterationMetrics> {
    const rounds = this.iterationSteps / (this.config.stepsPerUpdate * this.count);
    const iteration = { progress, rounds, figures: new MeanFigures(), applied: 0 };
    try {
      this.actors ??= await startActors(this.count, this.actorSetup, 1000 * this.config.actorPatienceSeconds);
      const before = environments.saveState();
      const positions = this.positions(before);
      const reports = await (this.config.deterministic
        ? this.inTurn(this.actors, positions, iteration)
        : this.onArrival(this.actors, positions, iteration));
      environments.loadState(joined(before, reports));
      this.state = { ...this.state, actions: reports.map(({ position }) => position.actions) };
      return metricsOf(reports, this.iterationSteps, iteration.figures);
    } catch (error) {
      // Others may be in the middle of a rollout: all start anew with the next iteration.
      await this.endActors();
      throw error;
    }
  }

  // -- act: in the actors --

  private positions({ environments, seeds, running }: VectorEnvironmentState): ActorPosition[] {
    return this.state.actions.map((actions, index) => ({
      actions,
      environment: environments[index],
      seeds: seeds[index],
      running: running[index],
    }));
  }

  /**
   * Applies the gradients of all actors in turn. While one is waited for the others act, each with the weights that it was
   * given when its own gradient before was applied: what happens does not depend on who is faster.
   */
  private async inTurn(
    actors: readonly Actor[],
    positions: readonly ActorPosition[],
    iteration: Iteration,
  ): Promise<ActorReport[]> {
    const { parameters } = this.state;
    const pending = actors.map((actor, index) =>
      heard(actor.ask({ kind: 'begin', parameters, position: positions[index] })),
    );
    for (let round = 1; round <= iteration.rounds; round++) {
      for (const [index, actor] of actors.entries()) {
        this.apply(await pending[index], index, iteration);
        if (round === iteration.rounds) continue;
        pending[index] = heard(actor.ask({ kind: 'go-on', parameters: this.state.parameters }));
      }
    }
    return Promise.all(actors.map((actor) => actor.ask({ kind: 'finish' })));
  }

  /** Applies each gradient when it arrives. */
  private onArrival(
    actors: readonly Actor[],
    positions: readonly ActorPosition[],
    iteration: Iteration,
  ): Promise<ActorReport[]> {
    const drive = async (actor: Actor, index: number): Promise<ActorReport> => {
      const { parameters } = this.state;
      let report = await actor.ask({ kind: 'begin', parameters, position: positions[index] });
      for (let round = 1; round < iteration.rounds; round++) {
        this.apply(report, index, iteration);
        report = await actor.ask({ kind: 'go-on', parameters: this.state.parameters });
      }
      this.apply(report, index, iteration);
      return actor.ask({ kind: 'finish' });
    };
    return Promise.all(actors.map(drive));
  }

  // -- update --

  private apply({ gradient, figures }: GradientReport, actor: number, iteration: Iteration): void {
    const { parameters, squares, updates } = this.state;
    const rate = this.rateAt(iteration);
    this.learningRate[0] = rate;
    const results = this.programs.update.runSync({ parameters, squares, gradient, learningRate: this.learningRate });
    const named = {
      ...Object.fromEntries(advantageLossFigures.map((name, index) => [name, figures[index]])),
      gradientNorm: results.gradientNorm[0],
    };
    for (const [name, value] of Object.entries(named)) {
      if (Number.isFinite(value)) continue;
      const what = `${name} is ${value} at update ${updates + 1}, by actor ${actor}`;
      throw new CoxswainError('TRAINING_DIVERGED', `A3C diverged: ${what}.`);
    }
    this.state = {
      ...this.state,
      parameters: results.newParameters as Float32Array,
      squares: results.newSquares as Float32Array,
      updates: updates + 1,
    };
    iteration.applied++;
    iteration.figures.add({ ...named, learningRate: rate });
  }

  private rateAt({ progress: { step, totalSteps }, applied }: Iteration): number {
    const { learningRate, learningRateSchedule, stepsPerUpdate } = this.config;
    if (learningRateSchedule === 'constant') return learningRate;
    return learningRate * Math.max(0, 1 - (step + applied * stepsPerUpdate) / totalSteps);
  }

  // -- save and load --

  weights(): PolicyWeights {
    return { parameters: this.model.networks.policyPart(this.state.parameters).slice(), normalisation: null };
  }

  saveState(): AgentState {
    const { parameters, squares, ...values } = this.state;
    return { arrays: { parameters: parameters.slice(), squares: squares.slice() }, values };
  }

  loadState({ arrays, values }: AgentState): void {
    const squares = (arrays.squares as Float32Array).slice();
    this.state = { ...(values as StateValues), parameters: arrays.parameters.slice(), squares };
  }

  /** Cheap: an update makes new arrays and leaves the old ones as they are. */
  mark(): void {
    this.marked = this.state;
  }

  goBack(): void {
    this.state = this.marked;
  }

  async dispose(): Promise<void> {
    await Promise.all([this.endActors(), this.programs.update.dispose()]);
  }

  private async endActors(): Promise<void> {
    const actors = this.actors ?? [];
    this.actors = null;
    await endActors(actors);
  }
}

/** Keeps a promise whose turn has not come from ending the process when it fails. */
function heard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** The state of the training's environments after the actors' steps. */
function joined(before: VectorEnvironmentState, reports: readonly ActorReport[]): VectorEnvironmentState {
  const finished = reports.flatMap((report) => report.finished).sort((a, b) => a.step - b.step);
  const episodes = finished.map(({ return: sum, length }) => ({ return: sum, length }));
  return {
    environments: reports.map(({ position }) => position.environment),
    seeds: reports.map(({ position }) => position.seeds),
    running: reports.map(({ position }) => position.running),
    recent: [...before.recent, ...episodes].slice(-recentEpisodes),
    episodes: before.episodes + episodes.length,
  };
}

/** The figures of an iteration of so many steps. */
function metricsOf(reports: readonly ActorReport[], steps: number, learning: MeanFigures): IterationMetrics {
  const measures = new MeanFigures();
  for (const report of reports) measures.add(report.measures);
  const rewards = reports.reduce((sum, report) => sum + report.rewards, 0);
  return { rewardMean: rewards / steps, measures: measures.means(), learning: learning.means() };
}
