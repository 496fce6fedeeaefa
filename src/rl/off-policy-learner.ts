import type { Disposable } from '../tensor/built-on.ts';
import type { AgentState, PolicyWeights } from './agent.ts';
import { EventLoopTurns } from './event-loop-turns.ts';
import type { Learner, LearningProgress } from './learner.ts';
import { MeanFigures } from './mean-figures.ts';
import type { OffPolicyState } from './off-policy-state.ts';
import type { PolicyArchitecture } from './policy-architecture.ts';
import { scheduled } from './schedules.ts';
import type { StepResults, VectorEnvironment } from './vector-environment.ts';

/** When updates are made, and at what rate. */
export interface UpdateSchedule {
  readonly learningStarts: number;
  readonly trainFrequency: number;
  readonly gradientSteps: number | null;
  readonly learningRate: number;
  readonly learningRateSchedule: 'constant' | 'linear';
}

/** What an off-policy learner is made of. */
export interface OffPolicyParts<Config, Programs> {
  readonly config: Config;
  /** Disposed of with the learner. */
  readonly programs: Programs;
  readonly policy: PolicyArchitecture;
  /** Number of environments that it acts in. */
  readonly environments: number;
  /** Its vectors hold the weights that act under the name `policy`. */
  readonly state: OffPolicyState;
}

/** Environment steps between two reports: some tenths of a second of updates. */
const reportSteps = 100;

/**
 * The rounds of an actor-critic that learns from a replay: some updates after every few steps, each on a minibatch of its
 * own, once more than `learningStarts` steps have been recorded. How to act, and what an update is, is the algorithm's.
 */
export abstract class OffPolicyLearner<
  Config extends UpdateSchedule,
  Programs extends { readonly [Name in keyof Programs]: Disposable },
> implements Learner {
  readonly policy: PolicyArchitecture;
  readonly learnIntervalSteps: number;
  readonly reportIntervalSteps = reportSteps;
  protected readonly config: Config;
  protected readonly programs: Programs;
  protected readonly state: OffPolicyState;
  private readonly turns = new EventLoopTurns();

  constructor({ config, programs, policy, environments, state }: OffPolicyParts<Config, Programs>) {
    this.config = config;
    this.programs = programs;
    this.policy = policy;
    this.learnIntervalSteps = config.trainFrequency * environments;
    this.state = state;
  }

  abstract act(environments: VectorEnvironment): void;

  abstract record(results: StepResults, environments: VectorEnvironment): void;

  /** One update on a new minibatch. @returns its figures. */
  protected abstract update(learningRate: number): Promise<Record<string, number>>;

  async learn(_environments: VectorEnvironment, progress: LearningProgress): Promise<Record<string, number> | null> {
    const { learningStarts, gradientSteps, learningRate, learningRateSchedule } = this.config;
    if (this.state.steps <= learningStarts) {
      await this.turns.give();
      return null;
    }
    const rate = scheduled(learningRate, learningRateSchedule, progress.remaining);
    const figures = new MeanFigures();
    const count = gradientSteps ?? this.learnIntervalSteps;
    for (let made = 0; made < count; made++) figures.add(await this.update(rate));
    return { ...figures.means(), learningRate: rate };
  }

  weights(): PolicyWeights {
    return { parameters: this.state.vectors.present.policy.slice(), normalisation: null };
  }

  save(): AgentState {
    return this.state.save();
  }

  load(state: AgentState): void {
    this.state.load(state);
  }

  mark(): void {
    this.state.mark();
  }

  rewind(): void {
    this.state.rewind();
  }

  async dispose(): Promise<void> {
    await Promise.all(Object.values<Disposable>(this.programs).map((program) => program.dispose()));
  }
}
