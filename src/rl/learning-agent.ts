import { CoxswainError } from '../contracts/errors.ts';
import type { Agent, AgentState, IterationMetrics, PolicyWeights, Progress } from './agent.ts';
import { isStateArray } from './checkpoint.ts';
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

  /** @throws CoxswainError ALGORITHM_INVALID when the learner lacks a part or its step counts do not fit together. */
  constructor(
    name: string,
    learner: Learner,
    { environment, environments }: { environment: EnvironmentDescription; environments: number },
  ) {
    this.name = name;
    this.learner = learner;
    const lack = lackOf(learner);
    if (lack) throw this.broken(lack);
    this.policy = learner.policy;
    const { learnIntervalSteps, reportIntervalSteps = learnIntervalSteps } = learner;
    if (!(Number.isInteger(learnIntervalSteps) && learnIntervalSteps > 0 && learnIntervalSteps % environments === 0)) {
      throw this.broken(
        `learnIntervalSteps is ${learnIntervalSteps}; it must be a multiple of the ${environments} environments of ${environment.name}`,
      );
    }
    if (!(Number.isInteger(reportIntervalSteps) && reportIntervalSteps > 0)) {
      throw this.broken(`reportIntervalSteps is ${reportIntervalSteps}; it must be a whole number from 1`);
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
      const figures = await this.learned(environments, progress);
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
        throw algorithmError(this.name, 'act', error);
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
        throw algorithmError(this.name, 'record', error);
      }
    }
    return rewards;
  }

  weights(): PolicyWeights {
    const weights = this.called('weights', () => this.learner.weights());
    const { size } = this.policy.layout;
    if (!(weights?.parameters instanceof Float32Array) || weights.parameters.length !== size) {
      throw this.broken(`weights() must give a Float32Array of ${size} parameters, as the policy's layout says`);
    }
    return weights;
  }

  saveState(): AgentState {
    const state = this.called('save', () => this.learner.save());
    const arrays: Readonly<Record<string, unknown>> = state?.arrays ?? {};
    if (!(arrays.parameters instanceof Float32Array)) {
      throw this.broken('save() must give all weights as a Float32Array named parameters');
    }
    const wrong = Object.keys(arrays).find((name) => !isStateArray(arrays[name]));
    if (wrong !== undefined) {
      throw this.broken(
        `save() gives ${wrong} among its arrays; each must be a Float32Array, Float64Array, Int32Array or Uint8Array`,
      );
    }
    return state;
  }

  loadState(state: AgentState): void {
    this.called('load', () => this.learner.load(state));
  }

  mark(): void {
    const { learner } = this;
    if (learner.mark) this.called('mark', () => learner.mark!());
    else this.marked = this.saveState();
  }

  goBack(): void {
    const { learner } = this;
    if (learner.rewind) this.called('rewind', () => learner.rewind!());
    else if (this.marked) this.loadState(this.marked);
  }

  async dispose(): Promise<void> {
    await this.learner.dispose?.();
  }

  private async learned(environments: VectorEnvironment, progress: LearningProgress): Promise<Figures | null> {
    try {
      return await this.learner.learn(environments, progress);
    } catch (error) {
      throw algorithmError(this.name, 'learn', error);
    }
  }

  private called<T>(name: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw algorithmError(this.name, name, error);
    }
  }

  private checked(figures: Figures): Figures {
    if (typeof figures !== 'object') throw this.broken('learn must give figures by name, or null');
    for (const name in figures) {
      const figure: unknown = figures[name];
      if (typeof figure !== 'number') throw this.broken(`learn must give numbers, and ${name} is ${String(figure)}`);
      if (Number.isFinite(figure)) continue;
      throw new CoxswainError('TRAINING_DIVERGED', `${this.name} diverged: ${name} is ${figure}.`);
    }
    return figures;
  }

  private broken(rule: string): CoxswainError {
    return new CoxswainError('ALGORITHM_INVALID', `${this.name}: ${rule}.`);
  }
}

/** What `learn` gives. */
type Figures = Readonly<Record<string, number>>;

/**
 * What the user is told when a call of an algorithm threw: our own errors say what is wrong already, others come from the
 * algorithm's code.
 */
export function algorithmError(algorithm: string, call: string, error: unknown): CoxswainError {
  if (error instanceof CoxswainError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CoxswainError('ALGORITHM_INVALID', `${algorithm}: ${call} threw: ${reason}`, { cause: error });
}

const calls = ['act', 'record', 'learn', 'weights', 'save', 'load'] as const;

/** What something that should be a learner lacks, as a rule; null when nothing. */
function lackOf(learner: Partial<Learner> | undefined | null): string | null {
  if (typeof learner !== 'object' || learner === null) return 'create must give a learner';
  const missing = calls.find((name) => typeof learner[name] !== 'function');
  if (missing) return `${missing} must be a function`;
  const { kind, layout, outputs } = (learner.policy ?? {}) as Partial<PolicyArchitecture>;
  const complete = (kind === 'categorical' || kind === 'continuous') && layout && typeof outputs === 'function';
  return complete ? null : 'policy must have a kind (categorical or continuous), a layout of weights and outputs';
}
