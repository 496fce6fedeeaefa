import { CoxswainError } from '../contracts/errors.ts';
import type { DeviceName } from '../tensor/device.ts';
import { readMetadata } from '../tensor/onnx-model.ts';
import { loadModel } from '../tensor/loaded-model.ts';
import type { LoadedModel, Values } from '../tensor/loaded-model.ts';
import { sampleAction } from './action-sampling.ts';
import type { Generator } from './random.ts';
import { ActionLayout } from './spaces.ts';

/** One row per observation: a whole number per head, or the elements of a box. */
export type PolicyActions = Int32Array | Float32Array;

/**
 * What acts: a fixed policy, whether the weights of a training or an ONNX file. It keeps no state between calls; what a
 * policy with a memory remembers is in the caller's hands.
 *
 * `observations` holds one or more raw (not normalised) observations one after the other; their number is the batch.
 * `actionMasks` holds as many masks, or is null when the environment masks nothing. `memory` holds `memorySize` numbers a
 * row, zeros at the start of an episode, and is overwritten with what the next call needs; policies without a memory
 * take none. The result has one row per observation, is newly allocated and belongs to the caller.
 */
export interface Policy {
  /** Elements of one observation. */
  readonly observationSize: number;
  /** Bits of one action mask: the sum of `choices`. */
  readonly actionMaskSize: number;
  /** Choices of each head; a discrete space is one head, a box has none. */
  readonly choices: readonly number[];
  /** Numbers of one action. */
  readonly actionSize: number;
  /** Numbers that a row carries from step to step; 0 for a policy without memory. */
  readonly memorySize: number;
  /** The most probable allowed action; ties go to the lowest index. */
  act(observations: Float32Array, actionMasks: Uint8Array | null, memory?: Float32Array): Promise<PolicyActions>;
  /** A draw from the policy's distribution; a policy that has none gives what `act` gives. */
  sample(
    observations: Float32Array,
    actionMasks: Uint8Array | null,
    generator: Generator,
    memory?: Float32Array,
  ): Promise<PolicyActions>;
  /** Frees what the policy holds outside JavaScript's heap. A policy that was disposed of must not act. */
  dispose(): Promise<void>;
}

/** What a policy file says of itself. */
export type PolicySignature =
  | { readonly kind: 'categorical'; readonly choices: readonly number[]; readonly memorySize: number }
  | {
      readonly kind: 'continuous';
      readonly low: readonly number[];
      readonly high: readonly number[];
      readonly bounding: 'squash' | 'clip';
      readonly memorySize: number;
    };

/** The metadata property of a policy's ONNX file that holds its {@link PolicySignature} as JSON. */
export const policyProperty = 'coxswain.policy';

/**
 * A policy from its ONNX file.
 * @param device default `cpu`.
 * @throws CoxswainError ARTIFACT_CORRUPT when the bytes are no policy file of Coxswain, DEVICE_UNAVAILABLE.
 */
export async function loadPolicy(onnx: Uint8Array, device: DeviceName = 'cpu'): Promise<Policy> {
  try {
    const signature = JSON.parse(readMetadata(onnx)[policyProperty]) as PolicySignature;
    const program = await loadModel(onnx, device);
    return signature.kind === 'categorical'
      ? new CategoricalPolicy(program, signature)
      : new ContinuousPolicy(program, signature);
  } catch (cause) {
    if (cause instanceof CoxswainError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CoxswainError('ARTIFACT_CORRUPT', `The bytes are no policy file of Coxswain: ${reason}`, { cause });
  }
}

/** What every policy file has in common. */
class OnnxPolicy {
  readonly observationSize: number;
  readonly memorySize: number;
  private readonly program: LoadedModel;

  constructor(program: LoadedModel, { memorySize }: PolicySignature) {
    this.program = program;
    this.memorySize = memorySize;
    this.observationSize = program.inputs.observation[1] as number;
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }

  /** Runs the file and writes the memory back. */
  protected async run(
    inputs: Record<string, Values>,
    memory: Float32Array | undefined,
  ): Promise<Record<string, Values>> {
    if (this.memorySize === 0) return this.program.run(inputs);
    if (!memory) throw new Error(`A policy with a memory needs ${this.memorySize} numbers a row for it.`);
    const { next_memory: next, ...outputs } = await this.program.run({ ...inputs, memory });
    memory.set(next);
    return outputs;
  }
}

class CategoricalPolicy extends OnnxPolicy implements Policy {
  readonly actionMaskSize: number;
  readonly choices: readonly number[];
  readonly actionSize: number;
  private readonly layout: ActionLayout;

  constructor(program: LoadedModel, signature: PolicySignature & { kind: 'categorical' }) {
    super(program, signature);
    this.choices = signature.choices;
    this.layout = new ActionLayout(signature.choices);
    this.actionMaskSize = this.layout.maskSize;
    this.actionSize = this.layout.heads;
  }

  async act(observations: Float32Array, actionMasks: Uint8Array | null, memory?: Float32Array): Promise<Int32Array> {
    const { action } = await this.run(this.inputs(observations, actionMasks), memory);
    return Int32Array.from(action);
  }

  async sample(
    observations: Float32Array,
    actionMasks: Uint8Array | null,
    generator: Generator,
    memory?: Float32Array,
  ): Promise<Int32Array> {
    const { logits } = await this.run(this.inputs(observations, actionMasks), memory);
    const { heads, logits: size } = this.layout;
    const probabilities = this.probabilities(logits as Float32Array);
    const actions = new Int32Array((logits.length / this.actionMaskSize) * heads);
    for (let row = 0; row * heads < actions.length; row++) {
      const action = actions.subarray(row * heads, (row + 1) * heads);
      sampleAction(this.layout, probabilities, row * size, generator, action);
    }
    return actions;
  }

  private inputs(observation: Float32Array, actionMasks: Uint8Array | null): Record<string, Values> {
    const rows = observation.length / this.observationSize;
    return { observation, action_mask: actionMasks ?? new Uint8Array(rows * this.actionMaskSize).fill(1) };
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

class ContinuousPolicy extends OnnxPolicy implements Policy {
  readonly actionMaskSize = 0;
  readonly choices: readonly number[] = [];
  readonly actionSize: number;
  private readonly signature: PolicySignature & { kind: 'continuous' };

  constructor(program: LoadedModel, signature: PolicySignature & { kind: 'continuous' }) {
    super(program, signature);
    this.signature = signature;
    this.actionSize = signature.low.length;
  }

  async act(observation: Float32Array, _actionMasks: null, memory?: Float32Array): Promise<Float32Array> {
    const { action } = await this.run({ observation }, memory);
    return Float32Array.from(action);
  }

  async sample(
    observation: Float32Array,
    _actionMasks: null,
    generator: Generator,
    memory?: Float32Array,
  ): Promise<Float32Array> {
    const { action, mean, log_deviation: logDeviation } = await this.run({ observation }, memory);
    if (!logDeviation) return Float32Array.from(action);
    return Float32Array.from(mean, (value, i) =>
      this.bounded(value + Math.exp(logDeviation[i]) * generator.normal(), i % this.actionSize),
    );
  }

  private bounded(value: number, element: number): number {
    const { low, high, bounding } = this.signature;
    if (bounding === 'clip') return Math.min(high[element], Math.max(low[element], value));
    return low[element] + ((Math.tanh(value) + 1) / 2) * (high[element] - low[element]);
  }
}
