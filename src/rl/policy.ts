import { CoxswainError } from '../contracts/errors.ts';
import type { DeviceName } from '../tensor/device.ts';
import { readMetadata } from '../tensor/onnx-model.ts';
import { loadModel } from '../tensor/loaded-model.ts';
import type { LoadedModel } from '../tensor/loaded-model.ts';
import { sampleAction } from './action-sampling.ts';
import type { Generator } from './random.ts';
import { ActionLayout } from './spaces.ts';

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

/** The metadata property of a policy's ONNX file that holds the choices of each head as JSON. */
export const choicesProperty = 'coxswain.choices';

/**
 * A policy from its ONNX file.
 * @param device default `cpu`.
 * @throws CoxswainError ARTIFACT_CORRUPT when the bytes are no policy file of Coxswain, DEVICE_UNAVAILABLE.
 */
export async function loadPolicy(onnx: Uint8Array, device: DeviceName = 'cpu'): Promise<Policy> {
  try {
    const choices = JSON.parse(readMetadata(onnx)[choicesProperty]) as number[];
    return new OnnxPolicy(await loadModel(onnx, device), choices);
  } catch (cause) {
    if (cause instanceof CoxswainError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CoxswainError('ARTIFACT_CORRUPT', `The bytes are no policy file of Coxswain: ${reason}`, { cause });
  }
}

class OnnxPolicy implements Policy {
  readonly observationSize: number;
  readonly actionMaskSize: number;
  readonly choices: readonly number[];
  private readonly program: LoadedModel;
  private readonly layout: ActionLayout;

  constructor(program: LoadedModel, choices: readonly number[]) {
    this.program = program;
    this.choices = choices;
    this.layout = new ActionLayout(choices);
    this.actionMaskSize = this.layout.maskSize;
    this.observationSize = program.inputs.observation[1] as number;
  }

  async act(observations: Float32Array, actionMasks: Uint8Array | null): Promise<Int32Array> {
    const { action } = await this.run(observations, actionMasks);
    return Int32Array.from(action);
  }

  async sample(observations: Float32Array, actionMasks: Uint8Array | null, generator: Generator): Promise<Int32Array> {
    const { logits } = await this.run(observations, actionMasks);
    const { heads, logits: size } = this.layout;
    const probabilities = this.probabilities(logits as Float32Array);
    const actions = new Int32Array((logits.length / this.actionMaskSize) * heads);
    for (let row = 0; row * heads < actions.length; row++) {
      const action = actions.subarray(row * heads, (row + 1) * heads);
      sampleAction(this.layout, probabilities, row * size, generator, action);
    }
    return actions;
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }

  private run(observations: Float32Array, actionMasks: Uint8Array | null): ReturnType<LoadedModel['run']> {
    const rows = observations.length / this.observationSize;
    return this.program.run({
      observation: observations,
      action_mask: actionMasks ?? new Uint8Array(rows * this.actionMaskSize).fill(1),
    });
  }

  /** Softmax of each head, in the padded layout. */
  private probabilities(logits: Float32Array): Float32Array {
    const { maskPlaces, maskSize, logits: size, width } = this.layout;
    const probabilities = new Float32Array((logits.length / maskSize) * size);
    for (let start = 0; start < probabilities.length; start += width) {
      const row = Math.floor(start / size);
      const places = maskPlaces.slice(start % size, (start % size) + width).filter((place) => place >= 0);
      const head = places.map((place) => logits[row * maskSize + place]);
      const highest = Math.max(...head);
      const powers = head.map((logit) => Math.exp(logit - highest));
      const sum = powers.reduce((total, power) => total + power, 0);
      powers.forEach((power, choice) => (probabilities[start + choice] = power / sum));
    }
    return probabilities;
  }
}
