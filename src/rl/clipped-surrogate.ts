import * as tf from '@tensorflow/tfjs-core';

/** What a minibatch of PPO is judged by; scalars. */
export interface ClippedSurrogate {
  readonly policyLoss: tf.Tensor;
  /** Mean of r − 1 − ln r (Schulman, "Approximating KL Divergence", 2020). */
  readonly approxKl: tf.Tensor;
  /** Share of samples whose ratio left 1 ± clipRange. */
  readonly clipFraction: tf.Tensor;
}

/**
 * The clipped surrogate objective (Schulman et al., "Proximal Policy Optimization Algorithms", 2017, equation 7), to be
 * minimised.
 * @param logProbability of each action now, [batch].
 * @param former the same when it was chosen.
 */
export function clippedSurrogate(
  logProbability: tf.Tensor,
  former: tf.Tensor,
  advantage: tf.Tensor,
  clipRange: number | tf.Tensor,
): ClippedSurrogate {
  const logRatio = tf.sub(logProbability, former);
  const ratio = tf.exp(logRatio);
  // min(rA, clip(r, 1−ε, 1+ε) A) = min(rA, A + ε|A|), whose gradient needs fewer operations.
  const limit = tf.add(advantage, tf.mul(tf.abs(advantage), clipRange));
  const change = tf.sub(ratio, 1);
  return {
    policyLoss: tf.neg(tf.mean(tf.minimum(tf.mul(ratio, advantage), limit))),
    approxKl: tf.mean(tf.sub(change, logRatio)),
    clipFraction: tf.mean(tf.cast(tf.greater(tf.abs(change), clipRange), 'float32')),
  };
}

/**
 * Mean squared error of the values; with a range the worse of the errors of the value and of the value kept within that
 * range of the former one.
 */
export function clippedValueLoss(
  values: tf.Tensor,
  target: tf.Tensor,
  former: tf.Tensor | undefined,
  clipRange: number | null,
): tf.Tensor {
  const errors = tf.square(tf.sub(target, values));
  if (clipRange === null || !former) return tf.mean(errors);
  const change = tf.clipByValue(tf.sub(values, former), -clipRange, clipRange);
  return tf.mean(tf.maximum(errors, tf.square(tf.sub(target, tf.add(former, change)))));
}
