import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

/** The tensor with `distance` − 1 zeros between every two neighbours along an axis. */
export function spread(x: Tensor, axis: number, distance: number): Tensor {
  const length = x.shape[axis];
  if (distance === 1 || length < 2) return x;
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 1);
  const gaps = [...before, length, 1, ...after].map((_, index): [number, number] => [
    0,
    index === axis + 1 ? distance - 1 : 0,
  ]);
  const joined = tf.pad(tf.reshape(x, [...before, length, 1, ...after]), gaps);
  const size = (length - 1) * distance + 1;
  const begin = new Array<number>(x.rank).fill(0);
  return tf.slice(tf.reshape(joined, [...before, length * distance, ...after]), begin, [...before, size, ...after]);
}
