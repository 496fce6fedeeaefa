import type { Normalisation } from './normalisation.ts';
import type { PolicyArchitecture } from './policy-architecture.ts';
import type { VectorEnvironment } from './vector-environment.ts';

/** The weights that act: a flat vector in the order of the architecture's layout, and the normalisation before it. */
export interface PolicyWeights {
  readonly parameters: Float32Array;
  readonly normalisation: Normalisation | null;
}

/** Arrays of a state that a checkpoint keeps bit for bit. */
export type StateArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Everything that an agent needs to go on. */
export interface AgentState {
  /** Numbers that must keep every bit, by name. `parameters` (Float32Array) holds all weights: equal ones mean equal trainings. */
  readonly arrays: { readonly parameters: Float32Array } & Readonly<Record<string, StateArray>>;
  /** The rest, as JSON. */
  readonly values: unknown;
}

/** Where a training stands. */
export interface Progress {
  /** Environment steps done, summed over all environments. */
  readonly step: number;
  /** Environment steps of the whole training. */
  readonly totalSteps: number;
}

/** Figures of one iteration. */
export interface IterationMetrics {
  /** Mean reward per step, before any scaling. */
  readonly rewardMean: number;
  /** Mean over the iteration's steps of each of the environment's `measures`. */
  readonly measures: Readonly<Record<string, number>>;
  /** What the algorithm knows of its learning, by name: means over the iteration's updates. Empty while nothing is learned. */
  readonly learning: Readonly<Record<string, number>>;
}

/**
 * What a training drives: it acts and learns for some steps at a time.
 *
 * 1. `iterate` leaves the agent's state as a function of its state before and of what the environments did.
 * 2. `saveState` shares no memory with the agent; `loadState` takes no memory over.
 * 3. After an error of `iterate` only `goBack`, `loadState` and `dispose` may follow.
 */
export interface Agent {
  readonly policy: PolicyArchitecture;
  /** Environment steps of one iteration, summed over all environments. */
  readonly iterationSteps: number;
  /**
   * Acts for {@link iterationSteps} steps and learns.
   * @throws CoxswainError TRAINING_DIVERGED
   */
  iterate(environments: VectorEnvironment, progress: Progress): Promise<IterationMetrics>;
  weights(): PolicyWeights;
  saveState(): AgentState;
  loadState(state: AgentState): void;
  /** Remembers the present state for {@link goBack}; cheap, also where the state is large. */
  mark(): void;
  /** Returns to the state of the last {@link mark}. */
  goBack(): void;
  dispose(): Promise<void>;
}
