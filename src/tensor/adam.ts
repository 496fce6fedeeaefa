import * as tf from '@tensorflow/tfjs-core';

/** Decay rates of the two moments. */
const beta1 = 0.9;
const beta2 = 0.999;

/** What Adam carries from update to update; flat vectors of one length. */
export interface AdamState {
  readonly parameters: tf.Tensor;
  readonly firstMoment: tf.Tensor;
  readonly secondMoment: tf.Tensor;
}

/** Scalars of one update, from {@link adamSchedule}. */
export interface AdamStep {
  readonly stepSize: tf.Tensor;
  readonly epsilon: tf.Tensor;
}

/**
 * One update of Adam (Kingma & Ba 2015, with the bias corrections moved into the step size as at the end of section 2),
 * after shortening the gradient to `maxNorm` (null leaves it as it is).
 *
 * @returns the new state and the gradient's Euclidean norm before it was shortened.
 */
export function adamUpdate(
  state: AdamState,
  gradient: tf.Tensor,
  { stepSize, epsilon }: AdamStep,
  maxNorm: number | null,
): AdamState & { gradientNorm: tf.Tensor } {
  const squares = tf.square(gradient);
  const gradientNorm = tf.sqrt(tf.sum(squares));
  const shrink = maxNorm === null ? tf.scalar(1) : tf.minimum(tf.div(maxNorm, tf.add(gradientNorm, 1e-6)), 1);
  // The shortened gradient itself is not needed: its factor goes into the moments' coefficients, which are scalars.
  const firstMoment = tf.add(tf.mul(state.firstMoment, beta1), tf.mul(gradient, tf.mul(shrink, 1 - beta1)));
  const secondMoment = tf.add(tf.mul(state.secondMoment, beta2), tf.mul(squares, tf.mul(tf.square(shrink), 1 - beta2)));
  const direction = tf.div(firstMoment, tf.add(tf.sqrt(secondMoment), epsilon));
  return {
    parameters: tf.sub(state.parameters, tf.mul(direction, stepSize)),
    firstMoment,
    secondMoment,
    gradientNorm,
  };
}

/**
 * The bias-corrected scalars of the updates after the first `made` ones.
 * α̂ = α √(1 − β₂ᵗ) / (1 − β₁ᵗ) and ε̂ = ε √(1 − β₂ᵗ).
 */
export function adamSchedule(
  made: number,
  count: number,
  learningRate: number,
  epsilon: number,
): { stepSize: Float32Array; epsilon: Float32Array } {
  const steps = Array.from({ length: count }, (_, index) => made + index + 1);
  const corrections = steps.map((step) => Math.sqrt(1 - beta2 ** step));
  return {
    stepSize: Float32Array.from(steps, (step, index) => (learningRate * corrections[index]) / (1 - beta1 ** step)),
    epsilon: Float32Array.from(corrections, (correction) => epsilon * correction),
  };
}

/** Moments below this move no weight of single precision. */
const vanished = 1e-30;

/**
 * Sets moments that have all but decayed to 0, in place. Those of weights whose gradient has become 0 (units that
 * rectifiers have shut off) would end as denormal numbers, on which processors are up to a hundred times slower: half the
 * speed of SAC. Call it at least every few hundred updates.
 */
export function dropVanishedMoments(moments: Float32Array): void {
  for (let i = 0; i < moments.length; i++) {
    const moment = moments[i];
    if (moment < vanished && moment > -vanished) moments[i] = 0;
  }
}
