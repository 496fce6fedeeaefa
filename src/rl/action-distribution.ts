import * as tf from '@tensorflow/tfjs-core';

import { logSoftmax } from '../tensor/operations.ts';
import type { Tensors } from '../tensor/trace.ts';
import { CategoricalSampler, NormalSampler } from './action-sampler.ts';
import type { ActionSampler } from './action-sampler.ts';
import { halfLogTau } from './action-sampling.ts';
import type { EnvironmentDescription } from './environment.ts';
import { actionLayoutOf } from './spaces.ts';

/** How actions follow from the outputs of a policy network: the part that is compiled, with the sampler that it must agree with. */
export interface ActionDistribution extends ActionSampler {
  /** Weights beside those of the network, by name. */
  readonly weights: Readonly<Record<string, readonly number[]>>;
  /** Shape in which a rollout keeps an action. */
  readonly sampleShape: readonly number[];
  /** What {@link ActionSampler.sample} draws from: [batch, outputs] and what is the same for all rows. */
  statistics(outputs: tf.Tensor, weights: Tensors, penalty: tf.Tensor | undefined): Tensors;
  /** ln of the probability (density) of each action, [batch], and the mean entropy. */
  evaluate(
    outputs: tf.Tensor,
    weights: Tensors,
    action: tf.Tensor,
    penalty: tf.Tensor | undefined,
  ): { logProbability: tf.Tensor; entropy: tf.Tensor };
}

/** The distribution over an environment's actions. @throws CoxswainError ENVIRONMENT_INVALID when the space is malformed. */
export function actionDistribution(environment: EnvironmentDescription): ActionDistribution {
  const { actionSpace, actionMaskSize } = environment;
  if (actionSpace.kind === 'box') return new NormalActions(actionSpace);
  return new CategoricalActions(actionLayoutOf(environment), actionMaskSize > 0);
}

/** Independent choices, one a head. */
class CategoricalActions extends CategoricalSampler implements ActionDistribution {
  readonly weights = {};

  get sampleShape(): readonly number[] {
    const { heads, width } = this.layout;
    return heads > 1 ? [heads, width] : [width];
  }

  statistics(outputs: tf.Tensor, _weights: Tensors, penalty: tf.Tensor | undefined): Tensors {
    return { probabilities: tf.exp(this.logProbabilities(outputs, penalty)) };
  }

  evaluate(
    outputs: tf.Tensor,
    _weights: Tensors,
    action: tf.Tensor,
    penalty: tf.Tensor | undefined,
  ): { logProbability: tf.Tensor; entropy: tf.Tensor } {
    const logProbabilities = this.logProbabilities(outputs, penalty);
    const axes = logProbabilities.shape.map((_, axis) => axis).slice(1);
    const count = tf.scalar(outputs.shape[0]);
    return {
      logProbability: tf.sum(tf.mul(logProbabilities, action), axes),
      entropy: tf.neg(tf.div(tf.sum(tf.mul(tf.exp(logProbabilities), logProbabilities)), count)),
    };
  }

  /** [batch, heads, width], or [batch, width] for one head. */
  private logProbabilities(outputs: tf.Tensor, penalty: tf.Tensor | undefined): tf.Tensor {
    const { heads, width } = this.layout;
    const allowed = penalty ? tf.add(outputs, penalty) : outputs;
    return logSoftmax(heads > 1 ? tf.reshape(allowed, [outputs.shape[0], heads, width]) : allowed);
  }
}

/** The weight of {@link NormalActions}: ln of each element's deviation. */
export const logDeviationName = 'policy.logDeviation';

/**
 * Independent normal variables whose deviations are weights that do not depend on the observation (Schulman et al., "Trust
 * Region Policy Optimization", 2015, section 8).
 */
class NormalActions extends NormalSampler implements ActionDistribution {
  get weights(): Readonly<Record<string, readonly number[]>> {
    return { [logDeviationName]: [this.outputs] };
  }

  get sampleShape(): readonly number[] {
    return [this.outputs];
  }

  statistics(outputs: tf.Tensor, weights: Tensors): Tensors {
    return { mean: outputs, deviation: tf.exp(weights[logDeviationName]) };
  }

  evaluate(outputs: tf.Tensor, weights: Tensors, action: tf.Tensor): { logProbability: tf.Tensor; entropy: tf.Tensor } {
    const logDeviation = weights[logDeviationName];
    const scaled = tf.div(tf.sub(action, outputs), tf.exp(logDeviation));
    const logDeviations = tf.sum(logDeviation);
    const exponents = tf.mul(tf.sum(tf.square(scaled), 1), -0.5);
    return {
      logProbability: tf.sub(exponents, tf.add(logDeviations, this.outputs * halfLogTau)),
      entropy: tf.add(logDeviations, this.outputs * (0.5 + halfLogTau)),
    };
  }
}
