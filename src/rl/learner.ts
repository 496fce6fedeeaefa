import type { AgentState, PolicyWeights, Progress } from './agent.ts';
import type { PolicyArchitecture } from './policy-architecture.ts';
import type { StepResults, VectorEnvironment } from './vector-environment.ts';

/** Where a training stands, as a learner sees it. */
export interface LearningProgress extends Progress {
  /** The share of the training still to come when this round of acting began, from 1 to 0: what schedules follow. */
  readonly remaining: number;
}

/**
 * What an algorithm has to be: it acts, takes in what followed, and learns, in rounds of `learnIntervalSteps` steps.
 *
 * 1. For each step of all environments `act` writes `environments.actions`, then `record` sees the results; after
 *    `learnIntervalSteps` environment steps follows one `learn`.
 * 2. State changes follow from the state before, from what the environments did, and from the generator given at
 *    creation: nothing else, so that the same seed gives the same weights.
 * 3. `save` → JSON and arrays → `load` into a fresh learner of the same configuration goes on bit for bit. `save` shares
 *    no memory with the learner and `load` takes none over.
 * 4. What is thrown ends the training, which goes back to the state before the round; only `load`, `rewind` and
 *    `dispose` follow.
 */
export interface Learner {
  readonly policy: PolicyArchitecture;
  /** Environment steps of a round, summed over all environments; a multiple of their number. */
  readonly learnIntervalSteps: number;
  /**
   * Steps after which a training should report, checkpoint and see a cancellation; rounded up to whole rounds. Choose it
   * for some tens of milliseconds to a second. Default: every round.
   */
  readonly reportIntervalSteps?: number;
  /**
   * Chooses what each environment does next: reads `environments.observations` and `.masks`, fills `.actions`. A promise
   * is waited for; without one nothing is.
   */
  act(environments: VectorEnvironment, progress: LearningProgress): Promise<void> | void;
  /**
   * Takes in what the step brought. `environments.observations` now holds what is to be acted on next: after the end of an
   * episode the first observation of the next one. The results' arrays are overwritten by the next step.
   */
  record(results: StepResults, environments: VectorEnvironment): void;
  /**
   * Learns from what was recorded.
   * @returns figures by name, each finite (docs/metrics.md explains the usual ones), or null when nothing was learned yet.
   */
  learn(
    environments: VectorEnvironment,
    progress: LearningProgress,
  ): Promise<Readonly<Record<string, number>> | null> | Readonly<Record<string, number>> | null;
  /** The weights that act, as a copy. */
  weights(): PolicyWeights;
  save(): AgentState;
  load(state: AgentState): void;
  /**
   * Remembers the present state cheaply, for learners whose `save` copies much (a replay). Default: `save`.
   * Both or none of `mark` and `rewind` must be there.
   */
  mark?(): void;
  /** Returns to the state of the last `mark`. Default: `load` of what was saved. */
  rewind?(): void;
  /** Frees compiled programs. */
  dispose?(): Promise<void>;
}
