import * as tf from '@tensorflow/tfjs-core';

/** Less than any sum of powers can be where there is an edge. */
const tiny = 1e-30;

/**
 * Softmax over the edges along an axis: each cell counts as often as it has edges, and all is 0 where there are none.
 * Penalties on a usual softmax would do the same, but fill it with numbers too small to be normal, which a processor is
 * slow with. The gradient is written out: the one by parts takes twice the operations.
 * @param scores of all cells, those without an edge too.
 * @param counts edges in each cell; the shape of the scores.
 */
export function attentionOver(scores: tf.Tensor, counts: tf.Tensor, axis: number): tf.Tensor {
  const attend = tf.customGrad((given, save) => {
    const x = given as tf.Tensor;
    const powers = tf.mul(tf.exp(tf.sub(x, tf.max(x, axis, true))), counts);
    const attention = tf.div(powers, tf.maximum(tf.sum(powers, axis, true), tiny));
    (save as tf.GradSaveFunc)([attention]);
    return { value: attention, gradFunc: (dy, saved) => softmaxGradient(dy, (saved as tf.Tensor[])[0], axis) };
  });
  return attend(scores);
}

function softmaxGradient(dy: tf.Tensor, attention: tf.Tensor, axis: number): tf.Tensor {
  const weighted = tf.mul(dy, attention);
  return tf.sub(weighted, tf.mul(attention, tf.sum(weighted, axis, true)));
}
