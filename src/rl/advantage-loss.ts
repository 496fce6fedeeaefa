import * as tf from '@tensorflow/tfjs-core';

import type { Tensors } from '../tensor/trace.ts';
import type { ActorCritic } from './actor-critic.ts';

/** Weights of the parts of {@link advantageLoss}. */
export interface AdvantageLossConfig {
  readonly valueCoefficient: number;
  readonly entropyCoefficient: number;
}

/** Names of the figures that {@link advantageLossGradient} gives, in their order. */
export const advantageLossFigures = ['policyLoss', 'valueLoss', 'entropy'] as const;

/**
 * The gradient of the loss of advantage actor-critic (Mnih et al., "Asynchronous Methods for Deep Reinforcement Learning",
 * 2016, section 4): −A ln π(a|s) + c (R − V(s))² − β H(π), means over a batch of samples with an `advantage` and a `target`
 * R each. No gradient goes through A.
 */
export function advantageLossGradient(
  networks: ActorCritic,
  parameters: tf.Tensor,
  batch: Tensors,
  { valueCoefficient, entropyCoefficient }: AdvantageLossConfig,
): { gradient: tf.Tensor; figures: readonly tf.Tensor[] } {
  let figures: readonly tf.Tensor[] = [];
  const { grads } = tf.valueAndGrads((weights: tf.Tensor) => {
    const { logProbability, entropy, values } = networks.evaluate(weights, batch);
    const policyLoss = tf.neg(tf.mean(tf.mul(logProbability, batch.advantage)));
    const valueLoss = tf.mean(tf.square(tf.sub(batch.target, values)));
    // TF.js disposes of what is made in here unless it is kept.
    figures = [policyLoss, valueLoss, entropy].map((figure) => tf.keep(figure));
    const loss = tf.add(policyLoss, tf.mul(valueLoss, valueCoefficient));
    return tf.sub(loss, tf.mul(entropy, entropyCoefficient)) as tf.Scalar;
  })([parameters]);
  return { gradient: grads[0], figures };
}
