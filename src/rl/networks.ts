import * as tf from '@tensorflow/tfjs-core';

import { elementCount } from '../tensor/graph.ts';
import { ParameterLayout } from '../tensor/parameters.ts';
import type { Tensors } from '../tensor/trace.ts';
import type { Generator } from './random.ts';

/** A multilayer perceptron: hidden layers with one activation, then a linear layer. */
export interface PerceptronShape {
  readonly inputs: number;
  readonly hiddenSizes: readonly number[];
  readonly outputs: number;
  readonly activation: 'tanh' | 'relu';
}

/**
 * The weights of a perceptron by name. Hidden layers are stored inputs × outputs, a last layer with several outputs is
 * stored outputs × inputs: ONNX Runtime computes the gradient of a few long rows three times faster than of a few long
 * columns. For a single output it is the other way round, by four times.
 */
export function perceptronLayout(prefix: string, { inputs, hiddenSizes, outputs }: PerceptronShape): ParameterLayout {
  const shapes: Record<string, number[]> = {};
  let width = inputs;
  hiddenSizes.forEach((size, layer) => {
    shapes[`${prefix}.hidden${layer}.weights`] = [width, size];
    shapes[`${prefix}.hidden${layer}.bias`] = [size];
    width = size;
  });
  shapes[`${prefix}.output.weights`] = lastLayerTransposed(outputs) ? [outputs, width] : [width, outputs];
  shapes[`${prefix}.output.bias`] = [outputs];
  return new ParameterLayout(shapes);
}

function lastLayerTransposed(outputs: number): boolean {
  return outputs > 1;
}

/** The perceptron's outputs [batch, outputs] for inputs [batch, inputs]. */
export function perceptron(prefix: string, shape: PerceptronShape, weights: Tensors, inputs: tf.Tensor): tf.Tensor {
  return lastLayer(prefix, shape, weights, hiddenLayers(prefix, shape, weights, inputs));
}

/** What the last hidden layer gives, [batch, width]; the inputs themselves when there is none. */
export function hiddenLayers(prefix: string, shape: PerceptronShape, weights: Tensors, inputs: tf.Tensor): tf.Tensor {
  const activate = shape.activation === 'tanh' ? tf.tanh : tf.relu;
  let layer = inputs;
  shape.hiddenSizes.forEach((_, index) => {
    const name = `${prefix}.hidden${index}`;
    layer = activate(tf.add(tf.matMul(layer, weights[`${name}.weights`]), weights[`${name}.bias`]));
  });
  return layer;
}

/** The linear layer after {@link hiddenLayers}. */
export function lastLayer(
  prefix: string,
  { outputs }: Pick<PerceptronShape, 'outputs'>,
  weights: Tensors,
  hidden: tf.Tensor,
): tf.Tensor {
  const product = tf.matMul(hidden, weights[`${prefix}.output.weights`], false, lastLayerTransposed(outputs));
  return tf.add(product, weights[`${prefix}.output.bias`]);
}

/**
 * Fills a perceptron's weights with orthogonal matrices (Saxe et al. 2014) and its biases with zeros.
 * @param outputGain scale of the last layer; hidden layers have √2.
 */
export function initialisePerceptron(
  prefix: string,
  shape: PerceptronShape,
  values: Float32Array,
  outputGain: number,
  generator: Generator,
): void {
  const layout = perceptronLayout(prefix, shape);
  for (const [name, lengths] of Object.entries(layout.shapes)) {
    if (lengths.length !== 2) continue;
    const gain = name === `${prefix}.output.weights` ? outputGain : Math.SQRT2;
    layout.view(values, name).set(orthogonal(lengths[0], lengths[1], gain, generator));
  }
}

/**
 * Fills a perceptron's weights and biases with uniform draws in ±1/√f, f being the inputs of their layer (Lillicrap et
 * al. 2016, section 7, for the hidden layers; PyTorch's default for all).
 */
export function initialiseUniformly(
  prefix: string,
  shape: PerceptronShape,
  values: Float32Array,
  generator: Generator,
): void {
  const { shapes } = perceptronLayout(prefix, shape);
  const fans = [shape.inputs, ...shape.hiddenSizes];
  let place = 0;
  // Each layer has its weights and its biases in the layout, one after the other.
  Object.values(shapes).forEach((lengths, index) => {
    const bound = 1 / Math.sqrt(fans[index >> 1]);
    const end = place + elementCount(lengths);
    for (; place < end; place++) values[place] = bound * (2 * generator.uniform() - 1);
  });
}

/** A matrix, row by row, whose rows (or columns, whichever are fewer) are orthogonal and have length `gain`. */
export function orthogonal(rows: number, columns: number, gain: number, generator: Generator): Float64Array {
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  const vectors = orthonormalVectors(count, length, generator);
  const matrix = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = rows <= columns ? vectors[row][column] : vectors[column][row];
      matrix[row * columns + column] = gain * value;
    }
  }
  return matrix;
}

/** Gram–Schmidt on normal draws, each vector cleared twice so that rounding does not tilt it. */
function orthonormalVectors(count: number, length: number, generator: Generator): Float64Array[] {
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => generator.normal());
    for (let pass = 0; pass < 2; pass++) {
      for (const other of vectors) {
        const overlap = dot(vector, other);
        for (let i = 0; i < length; i++) vector[i] -= overlap * other[i];
      }
    }
    const norm = Math.sqrt(dot(vector, vector));
    if (norm > 1e-6) vectors.push(vector.map((value) => value / norm));
  }
  return vectors;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
