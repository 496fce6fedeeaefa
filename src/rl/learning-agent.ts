import { CoxswainError } from '../contracts/errors.ts';
import type { Agent, AgentState, IterationMetrics, PolicyWeights, Progress } from './agent.ts';
import type { EnvironmentDescription } from './environment.ts';
import type { Learner, LearningProgress } from './learner.ts';
import { MeanFigures } from './mean-figures.ts';
import type { PolicyArchitecture } from './policy-architecture.ts';
import type { VectorEnvironment } from './vector-environment.ts';

/**
 * Drives a {@link Learner} and holds it to its contract: what it throws, or returns wrongly, is an error that names the
 * algorithm and the call.
 */
export class LearningAgent implements Agent {
  readonly policy: PolicyArchitecture;
  readonly iterationSteps: number;
  private readonly name: string;
  private readonly learner: Learner;
  private marked: AgentState | null = null;

  /** @throws CoxswainError ALGORITHM_INVALID when the learner's step counts do not fit together. */
  constructor(
    name: string,
    learner: Learner,
    { environment, environments }: { environment: EnvironmentDescription; environments: number },
  ) {
    this.name = name;
    this.learner = learner;
    this.policy = learner.policy;
    const { learnIntervalSteps, reportIntervalSteps = learnIntervalSteps } = learner;
    if (!(Number.isInteger(learnIntervalSteps) && learnIntervalSteps > 0 && learnIntervalSteps % environments === 0)) {
      throw this.broken(
        `learnIntervalSteps is ${learnIntervalSteps}; it must be a multiple of the ${environments} environments of ${environment.name}`,
      );
    }
    if ((learner.mark === undefined) !== (learner.rewind === undefined)) {
      throw this.broken('mark and rewind must be both there or both absent');
    }
    this.iterationSteps = Math.ceil(reportIntervalSteps / learnIntervalSteps) * learnIntervalSteps;
  }

  async iterate(environments: VectorEnvironment, { step, totalSteps }: Progress): Promise<IterationMetrics> {
    const measures = new MeanFigures();
    const learning = new MeanFigures();
    const progress = { step, totalSteps, remaining: 1 };
    let rewards = 0;
    while (progress.step < step + this.iterationSteps) {
      progress.remaining = Math.max(0, 1 - progress.step / totalSteps);
      rewards += await this.round(environments, progress, measures);
      const figures = await this.called('learn', () => this.learner.learn(environments, progress));
      if (figures) learning.add(this.checked(figures));
    }
    return { rewardMean: rewards / this.iterationSteps, measures: measures.means(), learning: learning.means() };
  }

  /** Acts for `learnIntervalSteps` steps. @returns the sum of the rewards. */
  private async round(
    environments: VectorEnvironment,
    progress: { -readonly [Name in keyof LearningProgress]: LearningProgress[Name] },
    measures: MeanFigures,
  ): Promise<number> {
    const { learner } = this;
    const { count } = environments;
    const end = progress.step + learner.learnIntervalSteps;
    let rewards = 0;
    while (progress.step < end) {
      try {
        const acting = learner.act(environments, progress);
        if (acting) await acting;
      } catch (error) {
        throw this.explained('act', error);
      }
      environments.checkActions(this.name);
      const results = environments.step();
      for (let index = 0; index < count; index++) {
        rewards += results.rewards[index];
        measures.add(results.measures[index]);
      }
      progress.step += count;
      try {
        learner.record(results, environments);
      } catch (error) {
        throw this.explained('record', error);
      }
    }
    return rewards;
  }

  weights(): PolicyWeights {
    const weights = this.learner.weights();
    const { size } = this.policy.layout;
    if (!(weights.parameters instanceof Float32Array) || weights.parameters.length !== size) {
      throw this.broken(`weights() must give a Float32Array of ${size} parameters, as the policy's layout says`);
    }
    return weights;
  }

  saveState(): AgentState {
    const state = this.learner.save();
    if (!(state.arrays.parameters instanceof Float32Array)) {
      throw this.broken('save() must give all weights as a Float32Array named parameters');
    }
    return state;
  }

  loadState(state: AgentState): void {
    this.learner.load(state);
  }

  mark(): void {
    if (this.learner.mark) this.learner.mark();
    else this.marked = this.saveState();
  }

  goBack(): void {
    if (this.learner.rewind) this.learner.rewind();
    else if (this.marked) this.learner.load(this.marked);
  }

  async dispose(): Promise<void> {
    await this.learner.dispose?.();
  }

  private async called<T>(name: string, call: () => Promise<T> | T): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw this.explained(name, error);
    }
  }

  private checked(figures: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
    for (const name in figures) {
      if (Number.isFinite(figures[name])) continue;
      throw new CoxswainError('TRAINING_DIVERGED', `${this.name} diverged: ${name} is ${figures[name]}.`);
    }
    return figures;
  }

  /** Our own errors say what is wrong already; others come from the algorithm's code. */
  private explained(call: string, error: unknown): unknown {
    if (error instanceof CoxswainError) return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new CoxswainError('ALGORITHM_INVALID', `${this.name}: ${call} threw: ${reason}`, { cause: error });
  }

  private broken(rule: string): CoxswainError {
    return new CoxswainError('ALGORITHM_INVALID', `${this.name}: ${rule}.`);
  }
}
