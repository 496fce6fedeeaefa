import * as tf from '@tensorflow/tfjs-core';

/** ln softmax over the last axis as one operation; TF.js's own function takes five. */
export function logSoftmax<T extends tf.Tensor>(logits: T): T {
  return tf.engine().runKernel(tf.LogSoftmax, { logits }, { axis: logits.rank - 1 }) as T;
}
