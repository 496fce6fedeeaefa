import type * as tf from '@tensorflow/tfjs-core';

import { dropVanishedMoments } from '../tensor/adam.ts';
import type { AdamState } from '../tensor/adam.ts';
import type { InputSpec, Tensors } from '../tensor/trace.ts';

/** Vectors by name that an update carries on: weights first, then Adam's moments of those that it learns. */
export class UpdateLayout {
  /** Numbers of each vector, in the order in which they lie. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Numbers of all weights together. */
  readonly weightCount: number;

  /**
   * @param learned sizes of the weights that Adam learns.
   * @param followers sizes of weights that follow others, such as those of target networks. Default none.
   */
  constructor(learned: Readonly<Record<string, number>>, followers: Readonly<Record<string, number>> = {}) {
    const weights = { ...learned, ...followers };
    const moments = Object.entries(learned).flatMap(([name, size]) => [
      [`${name}.firstMoment`, size],
      [`${name}.secondMoment`, size],
    ]);
    this.sizes = { ...weights, ...(Object.fromEntries(moments) as Record<string, number>) };
    this.weightCount = sum(Object.values(weights));
  }

  /** Numbers of all vectors together. */
  get size(): number {
    return sum(Object.values(this.sizes));
  }

  /** The vectors as inputs of a program. */
  get inputs(): Record<string, InputSpec> {
    return Object.fromEntries(Object.entries(this.sizes).map(([name, size]) => [name, { shape: [size] }]));
  }
}

/** What Adam carries of the weights `name`, from the inputs of a program. */
export function adamState(name: string, inputs: Tensors): AdamState {
  return {
    parameters: inputs[name],
    firstMoment: inputs[`${name}.firstMoment`],
    secondMoment: inputs[`${name}.secondMoment`],
  };
}

/** What Adam carries on of the weights `name`, as outputs of a program. */
export function nextState(
  name: string,
  { parameters, firstMoment, secondMoment }: AdamState,
): Record<string, tf.Tensor> {
  return {
    [`next.${name}`]: parameters,
    [`next.${name}.firstMoment`]: firstMoment,
    [`next.${name}.secondMoment`]: secondMoment,
  };
}

/** What {@link UpdateState.save} gives. */
export interface SavedUpdateState {
  /** All weights. */
  readonly parameters: Float32Array;
  readonly moments: Float32Array;
  /** Updates made. */
  readonly updates: number;
}

/** Updates between two calls of {@link dropVanishedMoments}: few enough that nothing decays to a denormal number between. */
const cleaningInterval = 64;

/** Vectors by name. */
export type Vectors = Readonly<Record<string, Float32Array>>;

/**
 * The values of a layout's vectors, kept twice: an update reads one copy and writes the other, and {@link turn} swaps
 * them. So no update allocates memory or copies its result.
 */
export class UpdateState {
  private readonly layout: UpdateLayout;
  private readonly copies: readonly [Copy, Copy];
  private side: 0 | 1 = 0;
  /** Updates made so far: Adam's t. */
  updates = 0;

  constructor(layout: UpdateLayout) {
    this.layout = layout;
    this.copies = [copyOf(layout), copyOf(layout)];
  }

  /** The present values by name: what an update reads. The arrays alternate between two sets. */
  get present(): Vectors {
    return this.copies[this.side].vectors;
  }

  /** Where an update writes what comes next, under the same names after `next.`. */
  get next(): Vectors {
    return this.copies[1 - this.side].outputs;
  }

  /** Makes what was written the present values, and counts one update. */
  turn(): void {
    this.side = this.side === 0 ? 1 : 0;
    this.updates++;
    if (this.updates % cleaningInterval === 0) dropVanishedMoments(this.moments);
  }

  private get moments(): Float32Array {
    return this.copies[this.side].values.subarray(this.layout.weightCount);
  }

  /** Copies of everything. */
  save(): SavedUpdateState {
    const { values } = this.copies[this.side];
    return {
      parameters: values.slice(0, this.layout.weightCount),
      moments: this.moments.slice(),
      updates: this.updates,
    };
  }

  /** Takes over what {@link save} gave. */
  load({ parameters, moments, updates }: SavedUpdateState): void {
    this.copies[this.side].values.set(parameters);
    this.moments.set(moments);
    this.updates = updates;
  }
}

interface Copy {
  readonly values: Float32Array;
  readonly vectors: Vectors;
  readonly outputs: Vectors;
}

function copyOf({ sizes, size }: UpdateLayout): Copy {
  const values = new Float32Array(size);
  let start = 0;
  const views = Object.entries(sizes).map(([name, length]): [string, Float32Array] => [
    name,
    values.subarray(start, (start += length)),
  ]);
  return {
    values,
    vectors: Object.fromEntries(views),
    outputs: Object.fromEntries(views.map(([name, view]) => [`next.${name}`, view])),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
