import * as tf from '@tensorflow/tfjs-core';

import { elementCount } from './graph.ts';
import type { Tensors } from './trace.ts';

/**
 * Where each weight of a model lies in one flat vector. With a flat vector an optimiser step is a dozen operations
 * however many layers there are, and a checkpoint is one array.
 */
export class ParameterLayout {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Numbers in the flat vector. */
  readonly size: number;

  /** @param shapes of the weights in the order in which they lie. */
  constructor(shapes: Readonly<Record<string, readonly number[]>>) {
    this.shapes = shapes;
    this.size = Object.values(shapes).reduce((sum, shape) => sum + elementCount(shape), 0);
  }

  /** The weights as tensors that share the flat vector's gradient. */
  split(flat: tf.Tensor): Tensors {
    const names = Object.keys(this.shapes);
    const sizes = names.map((name) => elementCount(this.shapes[name]));
    const parts = tf.split(flat, sizes);
    return Object.fromEntries(names.map((name, index) => [name, tf.reshape(parts[index], [...this.shapes[name]])]));
  }

  /** One weight as a view of the flat vector's values: writing to it writes to them. */
  view(values: Float32Array, name: string): Float32Array {
    let start = 0;
    for (const [candidate, shape] of Object.entries(this.shapes)) {
      const size = elementCount(shape);
      if (candidate === name) return values.subarray(start, start + size);
      start += size;
    }
    throw new Error(`There is no weight ${name}; there are ${Object.keys(this.shapes).join(', ')}.`);
  }
}
