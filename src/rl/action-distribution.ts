import * as tf from '@tensorflow/tfjs-core';

import type { NamedValues } from '../tensor/loaded-model.ts';
import { logSoftmax } from '../tensor/operations.ts';
import type { Tensors } from '../tensor/trace.ts';
import { halfLogTau, sampleAction, sampleNormal } from './action-sampling.ts';
import type { BoxSpace, EnvironmentDescription } from './environment.ts';
import type { Generator } from './random.ts';
import { actionLayoutOf, boundsOf, spaceSize } from './spaces.ts';
import type { ActionLayout } from './spaces.ts';

/**
 * How actions follow from the outputs of a policy network. What is compiled (`statistics`, `evaluate`) and what happens in
 * JavaScript (`sample`) stand side by side, because they must agree.
 */
export interface ActionDistribution {
  /** Outputs of the network. */
  readonly outputs: number;
  /** Weights beside those of the network, by name. */
  readonly weights: Readonly<Record<string, readonly number[]>>;
  /** Shape in which a rollout keeps an action. */
  readonly sampleShape: readonly number[];
  /** Discrete actions: their layout; null for a box. */
  readonly layout: ActionLayout | null;
  /** True when some logits must be masked: by the environment or because heads are padded. */
  readonly masked: boolean;
  /** What {@link sample} draws from: [batch, outputs] and what is the same for all rows. */
  statistics(outputs: tf.Tensor, weights: Tensors, penalty: tf.Tensor | undefined): Tensors;
  /** ln of the probability (density) of each action, [batch], and the mean entropy. */
  evaluate(
    outputs: tf.Tensor,
    weights: Tensors,
    action: tf.Tensor,
    penalty: tf.Tensor | undefined,
  ): { logProbability: tf.Tensor; entropy: tf.Tensor };
  /**
   * Draws the action of one row.
   * @param statistics results of {@link statistics} for all rows.
   * @param action receives what the environment is to do.
   * @param samples receives what the rollout keeps as its row `place`, which is all zeros before.
   * @returns ln of its probability (density).
   */
  sample(
    statistics: NamedValues,
    row: number,
    generator: Generator,
    action: Int32Array | Float32Array,
    samples: Float32Array,
    place: number,
  ): number;
}

/** The distribution over an environment's actions. @throws CoxswainError ENVIRONMENT_INVALID when the space is malformed. */
export function actionDistribution(environment: EnvironmentDescription): ActionDistribution {
  const { actionSpace, actionMaskSize } = environment;
  if (actionSpace.kind === 'box') return new NormalActions(actionSpace);
  return new CategoricalActions(actionLayoutOf(environment), actionMaskSize > 0);
}

/** Independent choices, one a head. A rollout keeps them as ones among zeros. */
class CategoricalActions implements ActionDistribution {
  readonly layout: ActionLayout;
  readonly masked: boolean;
  readonly outputs: number;
  readonly weights = {};
  readonly sampleShape: readonly number[];

  constructor(layout: ActionLayout, masked: boolean) {
    const { heads, width, logits, padded } = layout;
    this.layout = layout;
    this.masked = masked || padded;
    this.outputs = logits;
    this.sampleShape = heads > 1 ? [heads, width] : [width];
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

  sample(
    { probabilities }: NamedValues,
    row: number,
    generator: Generator,
    action: Int32Array | Float32Array,
    samples: Float32Array,
    place: number,
  ): number {
    const { heads, width, logits } = this.layout;
    const choices = action as Int32Array;
    const start = row * logits;
    const logProbability = sampleAction(this.layout, probabilities as Float32Array, start, generator, choices);
    for (let head = 0; head < heads; head++) samples[place * logits + head * width + choices[head]] = 1;
    return logProbability;
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
 * Region Policy Optimization", 2015, section 8). The environment gets them cut off at its bounds; the rollout keeps them
 * as drawn, whose density is the one that learning needs.
 */
class NormalActions implements ActionDistribution {
  readonly layout = null;
  readonly masked = false;
  readonly outputs: number;
  readonly weights: Readonly<Record<string, readonly number[]>>;
  readonly sampleShape: readonly number[];
  /** One row, before it is cut off. */
  private readonly drawn: Float32Array;
  private readonly low: readonly number[];
  private readonly high: readonly number[];

  constructor(space: BoxSpace) {
    this.outputs = spaceSize(space);
    this.weights = { [logDeviationName]: [this.outputs] };
    this.sampleShape = [this.outputs];
    this.drawn = new Float32Array(this.outputs);
    ({ low: this.low, high: this.high } = boundsOf(space));
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

  sample(
    { mean, deviation }: NamedValues,
    row: number,
    generator: Generator,
    action: Int32Array | Float32Array,
    samples: Float32Array,
    place: number,
  ): number {
    const { outputs, low, high, drawn } = this;
    const logDensity = sampleNormal(mean as Float32Array, deviation as Float32Array, row * outputs, generator, drawn);
    for (let i = 0; i < outputs; i++) {
      samples[place * outputs + i] = drawn[i];
      action[i] = Math.min(high[i], Math.max(low[i], drawn[i]));
    }
    return logDensity;
  }
}
