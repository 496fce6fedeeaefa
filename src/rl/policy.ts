import type { Generator } from './random.ts';

/**
 * What acts: a fixed policy, whether the weights of a training or an ONNX file. It keeps no state between calls.
 *
 * `observations` holds one or more raw (not normalised) observations one after the other; their number is the batch.
 * `actionMasks` holds as many masks, or is null when the environment masks nothing. The result has one row per
 * observation with one whole number per head, is newly allocated and belongs to the caller.
 */
export interface Policy {
  /** Elements of one observation. */
  readonly observationSize: number;
  /** Bits of one action mask: the sum of `choices`. */
  readonly actionMaskSize: number;
  /** Choices of each head; a discrete space is one head. */
  readonly choices: readonly number[];
  /** The most probable allowed choice of every head; ties go to the lowest index. */
  act(observations: Float32Array, actionMasks: Uint8Array | null): Promise<Int32Array>;
  /** A draw from the policy's distribution; one uniform number per row and head is taken from `generator`. */
  sample(observations: Float32Array, actionMasks: Uint8Array | null, generator: Generator): Promise<Int32Array>;
  /** Frees what the policy holds outside JavaScript's heap. A policy that was disposed of must not act. */
  dispose(): Promise<void>;
}
