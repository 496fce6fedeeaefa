import { CoxswainError, toCoxswainError } from '../../contracts/errors.ts';
import { loadModel } from '../../tensor/loaded-model.ts';
import type { LoadedModel } from '../../tensor/loaded-model.ts';
import { actionSampler } from '../action-sampler.ts';
import type { EnvironmentRecipe } from '../algorithm.ts';
import type { Environment, EnvironmentDescription } from '../environment.ts';
import { MeanFigures } from '../mean-figures.ts';
import { Generator } from '../random.ts';
import { RolloutCollector } from '../rollout-collector.ts';
import { sameSpaces } from '../spaces.ts';
import { VectorEnvironment } from '../vector-environment.ts';
import type { ActorPosition, ActorReport, ActorSetup, FromActor, GradientReport, ToActor } from './protocol.ts';

/**
 * The program of an actor process: it acts in an environment of its own and computes gradients. It keeps nothing between
 * iterations that the training does not give it again, and ends as soon as the channel to the training is gone.
 */
process.once('disconnect', () => process.exit(0));
// Ctrl-C reaches every process of a terminal; the training decides what becomes of its actors.
process.on('SIGINT', () => {});
process.on('message', (message: ToActor) => void answer(message));

let rolloutActor: RolloutActor | null = null;

async function answer(message: ToActor): Promise<void> {
  try {
    tell(await answerTo(message));
  } catch (error) {
    const { code, message: text } = toCoxswainError(error);
    tell({ kind: 'failed', code, message: text });
  }
}

function tell(message: FromActor): void {
  // A broken channel ends the process by its own event.
  process.send?.(message, () => {});
}

async function answerTo(message: ToActor): Promise<FromActor> {
  if (message.kind === 'set-up') {
    rolloutActor = await RolloutActor.create(message.setup);
    return { kind: 'ready' };
  }
  const actor = rolloutActor!;
  if (message.kind === 'finish') return { kind: 'finished', ...actor.finish() };
  if (message.kind === 'begin') actor.begin(message.position);
  return { kind: 'gradient', ...(await actor.rollout(message.parameters)) };
}

/** Acts in one environment. */
class RolloutActor {
  private readonly environments: VectorEnvironment;
  private readonly collector: RolloutCollector;
  private readonly gradient: LoadedModel;
  private readonly generator: Generator;
  private readonly rolloutSteps: number;
  private measures = new MeanFigures();
  private finished: { return: number; length: number; step: number }[] = [];
  private rewards = 0;
  private steps = 0;
  private running = { return: 0, length: 0 };

  static async create(setup: ActorSetup): Promise<RolloutActor> {
    const { act, value, gradient } = setup.programs;
    const environment = await makeEnvironment(setup.recipe, setup.environment);
    const programs = { act: await loadModel(act), value: await loadModel(value) };
    return new RolloutActor(setup, environment, programs, await loadModel(gradient));
  }

  private constructor(
    { networks, environment: description, rolloutSteps, discount }: ActorSetup,
    environment: Environment,
    programs: { act: LoadedModel; value: LoadedModel },
    gradient: LoadedModel,
  ) {
    // Both generators get their states from the training.
    this.environments = new VectorEnvironment([environment], new Generator(0));
    this.generator = new Generator(0);
    this.gradient = gradient;
    this.rolloutSteps = rolloutSteps;
    const model = { ...networks, distribution: actionSampler(description) };
    const settings = { rolloutSteps, discount, gaeLambda: 1, normaliseObservations: false, scaleRewards: false };
    this.collector = new RolloutCollector(model, programs, settings, 1, this.generator);
  }

  begin({ actions, environment, seeds, running }: ActorPosition): void {
    this.environments.loadState({
      environments: [environment],
      seeds: [seeds],
      running: [running],
      recent: [],
      episodes: 0,
    });
    this.generator.loadState(actions);
    this.running = { ...running };
    this.measures = new MeanFigures();
    this.finished = [];
    this.rewards = 0;
    this.steps = 0;
  }

  /** Acts for `rolloutSteps` steps with these weights. @returns the gradient that they ask for. */
  async rollout(parameters: Float32Array): Promise<GradientReport> {
    const { collector, environments } = this;
    collector.restart();
    collector.use(parameters);
    for (let step = 0; step < this.rolloutSteps; step++) {
      const acting = collector.act(environments);
      if (acting) await acting;
      const results = environments.step();
      collector.record(results);
      this.count(results.rewards[0], results.terminated[0] === 1 || results.truncated[0] === 1);
      this.measures.add(results.measures[0]);
    }
    const { advantages, returns } = collector.targets(environments);
    const { observations, actions, penalties } = collector.buffer;
    const results = this.gradient.runSync({
      parameters,
      observation: observations,
      action: actions,
      target: returns,
      advantage: advantages,
      ...(penalties ? { penalty: penalties } : {}),
    });
    return { gradient: results.gradient as Float32Array, figures: results.figures as Float32Array };
  }

  private count(reward: number, over: boolean): void {
    this.steps++;
    this.rewards += reward;
    this.running = { return: this.running.return + reward, length: this.running.length + 1 };
    if (!over) return;
    this.finished.push({ ...this.running, step: this.steps });
    this.running = { return: 0, length: 0 };
  }

  finish(): ActorReport {
    const { environments, seeds } = this.environments.saveState();
    const { rewards, finished, running } = this;
    return {
      position: { actions: this.generator.saveState(), environment: environments[0], seeds: seeds[0], running },
      rewards,
      measures: this.measures.means(),
      finished,
    };
  }
}

/** @throws CoxswainError ENVIRONMENT_INVALID when the recipe makes no environment, or another one. */
async function makeEnvironment(recipe: EnvironmentRecipe, expected: EnvironmentDescription): Promise<Environment> {
  const { module, factory, options } = recipe;
  const invalid = (what: string, cause?: unknown): CoxswainError =>
    new CoxswainError('ENVIRONMENT_INVALID', `The recipe of ${expected.name} ${what}.`, { cause });
  const exported = await import(module).catch((error: Error) => {
    throw invalid(`names a module that cannot be loaded: ${error.message}`, error);
  });
  const make: unknown = (exported as Record<string, unknown>)[factory];
  if (typeof make !== 'function') throw invalid(`names the function ${factory}, which ${module} does not export`);
  const environment = (await make(options)) as Environment;
  if (!sameSpaces(environment.description, expected)) {
    throw invalid(`makes an environment (${environment.description.name}) with other spaces`);
  }
  return environment;
}
