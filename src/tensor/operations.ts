import * as tf from '@tensorflow/tfjs-core';

/**
 * ln softmax over the last axis as one operation where the backend has it, as the compiler does; TF.js's own function,
 * which other backends fall back to, takes five.
 */
export function logSoftmax<T extends tf.Tensor>(logits: T): T {
  if (!tf.getKernel(tf.LogSoftmax, tf.getBackend())) return tf.logSoftmax(logits);
  return tf.engine().runKernel(tf.LogSoftmax, { logits }, { axis: logits.rank - 1 });
}
