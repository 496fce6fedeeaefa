import type { Generator } from './random.ts';

/** What an agent may see or do. Shapes are per environment, without a batch dimension. */
export type Space = BoxSpace | DiscreteSpace | MultiDiscreteSpace;

/** A vector or tensor of real numbers. `low` and `high` bound every element unless given per element. */
export interface BoxSpace {
  readonly kind: 'box';
  readonly shape: readonly number[];
  readonly low: number | readonly number[];
  readonly high: number | readonly number[];
}

/** One of `n` choices, 0 … n−1. */
export interface DiscreteSpace {
  readonly kind: 'discrete';
  readonly n: number;
}

/** Several choices at once; head i has `choices[i]` of them. */
export interface MultiDiscreteSpace {
  readonly kind: 'multi-discrete';
  readonly choices: readonly number[];
}

/** A row of the tables that every environment documents its observation and action with. */
export interface SpaceRow {
  readonly index: string;
  readonly name: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  readonly meaning: string;
}

/**
 * How the flat observation of an environment over a changing graph is laid out, part after part: node features
 * [nodes × nodeFeatures]; node identities [nodes]; edges [edges × edgeFeatures]; global features. `graphParts` of
 * graph-layout.ts gives the places.
 *
 * 1. A node slot whose identity is 0 is empty: its features are 0, and its head allows choice 0 only.
 * 2. Identities are whole numbers below 2²⁴. A node keeps its slot and its identity for as long as it is there; a slot is
 *    taken over only under a new identity. They count within one episode.
 * 3. Edge feature 0 is the source slot, 1 the target slot (both as numbers), 2 is 1 for an edge that is there and 0 for a
 *    row that is to be ignored. Rows come in any order.
 * 4. The heads of the action space are the node slots, one to one.
 */
export interface GraphLayout {
  readonly nodes: number;
  readonly nodeFeatures: number;
  readonly edges: number;
  readonly edgeFeatures: number;
  readonly globalFeatures: number;
}

/** Who an environment is: its spaces, its tables, and the length at which an episode is truncated. */
export interface EnvironmentDescription {
  readonly name: string;
  readonly observationSpace: BoxSpace;
  readonly actionSpace: Space;
  /** Number of mask bits: the sum of all heads' choices; 0 when the environment masks nothing. */
  readonly actionMaskSize: number;
  /** Steps after which an episode is truncated (not terminated); null when it never is. */
  readonly maxEpisodeSteps: number | null;
  readonly observationTable: readonly SpaceRow[];
  readonly actionTable: readonly SpaceRow[];
  /** Where the observation is a graph; absent where it is a plain vector. */
  readonly graph?: GraphLayout;
}

/** What a reset or a step gives back. The arrays belong to the environment and are overwritten by its next call. */
export interface Observation {
  /** Flat, `observationSpace.shape` elements. */
  readonly observation: Float32Array;
  /** `actionMaskSize` elements, 1 = allowed, heads one after the other; null when nothing is masked. */
  readonly actionMask: Uint8Array | null;
}

export interface Transition extends Observation {
  readonly reward: number;
  /** The episode reached an end state: the value of what follows is 0. */
  readonly terminated: boolean;
  /** The episode was cut off (time limit): the value of what follows is estimated, not 0. */
  readonly truncated: boolean;
  /** Measures of this step for reports, never for learning; the same keys at every step. */
  readonly measures: Readonly<Record<string, number>>;
}

/** A JSON value that holds everything an environment needs to go on exactly where it was. */
export type EnvironmentState = unknown;

/**
 * An environment, after dm_env's smallness.
 *
 * 1. The same seed and the same actions give the same episode, bit for bit.
 * 2. `step` before the first `reset` or after the end of an episode throws.
 * 3. `saveState` → JSON → `loadState` into a fresh instance continues bit for bit.
 * 4. After the end the observation is the last one of the episode (for bootstrapping); the caller resets.
 */
export interface Environment {
  readonly description: EnvironmentDescription;
  /** Starts an episode. @param seed uint32; everything random in the episode follows from it. */
  reset(seed: number): Observation;
  /** @param action one whole number per head (discrete: length 1), or the box's elements. */
  step(action: Int32Array | Float32Array): Transition;
  saveState(): EnvironmentState;
  loadState(state: EnvironmentState): Observation;
}

/** Makes environment number `index` of a training; the generator decides nothing but what `create` draws from it. */
export type EnvironmentFactory = (index: number, generator: Generator) => Environment;
