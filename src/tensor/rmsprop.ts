import * as tf from '@tensorflow/tfjs-core';

/** What RMSprop carries from update to update; flat vectors of one length. */
export interface RmspropState {
  readonly parameters: tf.Tensor;
  /** Running mean of the squared gradients; zeros at the start. */
  readonly squares: tf.Tensor;
}

/** The constants of RMSprop. */
export interface RmspropOptions {
  /** α: how much of the running mean stays. */
  readonly decay: number;
  readonly epsilon: number;
  /** g / (√s + ε), as PyTorch divides, or g / √(s + ε), as in the paper on A3C. */
  readonly epsilonPlacement: 'outside-root' | 'inside-root';
  /** Gradients longer than this are shortened to it. */
  readonly maxNorm: number;
}

/**
 * One update of RMSprop (Tieleman & Hinton 2012; without momentum and not centred) after shortening the gradient.
 * @returns the new state and the gradient's Euclidean norm before it was shortened.
 */
export function rmspropUpdate(
  { parameters, squares }: RmspropState,
  gradient: tf.Tensor,
  learningRate: tf.Tensor,
  { decay, epsilon, epsilonPlacement, maxNorm }: RmspropOptions,
): RmspropState & { readonly gradientNorm: tf.Tensor } {
  const gradientSquares = tf.square(gradient);
  const gradientNorm = tf.sqrt(tf.sum(gradientSquares));
  const shrink = tf.minimum(tf.div(maxNorm, tf.add(gradientNorm, 1e-6)), 1);
  const share = tf.mul(tf.square(shrink), 1 - decay);
  const next = tf.add(tf.mul(squares, decay), tf.mul(gradientSquares, share));
  const divisor = epsilonPlacement === 'outside-root' ? tf.add(tf.sqrt(next), epsilon) : tf.sqrt(tf.add(next, epsilon));
  return {
    parameters: tf.sub(parameters, tf.div(tf.mul(gradient, tf.mul(shrink, learningRate)), divisor)),
    squares: next,
    gradientNorm,
  };
}
