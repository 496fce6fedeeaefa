import * as tf from '@tensorflow/tfjs-core';

/**
 * Moves the weights of a target network towards those that it follows: θ′ + τ (θ − θ′) (Lillicrap et al. 2016,
 * algorithm 1).
 * @param rate τ: 0 leaves the target as it is, 1 copies.
 */
export function softUpdate(target: tf.Tensor, followed: tf.Tensor, rate: tf.Tensor | number): tf.Tensor {
  return tf.add(target, tf.mul(tf.sub(followed, target), rate));
}
