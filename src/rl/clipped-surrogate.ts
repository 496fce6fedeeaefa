import * as tf from '@tensorflow/tfjs-core';

/** What each sample of a minibatch of PPO contributes; all [batch]. */
export interface ClippedSurrogate {
  /** To be maximised. */
  readonly objective: tf.Tensor;
  /** r − 1 − ln r, whose mean estimates the divergence (Schulman, "Approximating KL Divergence", 2020). */
  readonly divergence: tf.Tensor;
  /** 1 where the ratio left 1 ± clipRange. */
  readonly clipped: tf.Tensor;
}

/**
 * The clipped surrogate objective (Schulman et al., "Proximal Policy Optimization Algorithms", 2017, equation 7).
 * @param logProbability of each action now.
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
  const objective = tf.minimum(tf.mul(ratio, advantage), limit);
  const change = tf.sub(ratio, 1);
  return {
    objective,
    divergence: tf.sub(change, logRatio),
    clipped: tf.cast(tf.greater(tf.abs(change), clipRange), 'float32'),
  };
}

/**
 * Squared errors of values; with a range the worse of those of the value and of the value kept within that range of the
 * former one.
 */
export function clippedValueErrors(
  values: tf.Tensor,
  target: tf.Tensor,
  former: tf.Tensor | undefined,
  clipRange: number | null,
): tf.Tensor {
  const errors = tf.square(tf.sub(target, values));
  if (clipRange === null || !former) return errors;
  const change = tf.clipByValue(tf.sub(values, former), -clipRange, clipRange);
  return tf.maximum(errors, tf.square(tf.sub(target, tf.add(former, change))));
}
