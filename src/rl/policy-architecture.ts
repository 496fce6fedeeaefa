import type * as tf from '@tensorflow/tfjs-core';

import type { ParameterLayout } from '../tensor/parameters.ts';
import type { Tensors } from '../tensor/trace.ts';
import type { BoxSpace } from './environment.ts';
import type { ActionLayout } from './spaces.ts';

/** What a policy's network computes from. */
export interface PolicyInputs {
  /** [batch, observationSize], normalised where the agent normalises. */
  readonly observation: tf.Tensor;
  /** [batch, memorySize]; only for policies with a memory. */
  readonly memory?: tf.Tensor;
}

interface Architecture {
  /** Elements of one observation. */
  readonly observationSize: number;
  /** The weights that act; a policy's flat vector lies in this order. */
  readonly layout: ParameterLayout;
  /** Numbers that one row carries from step to step, zeros at the start of an episode. Default 0: no memory. */
  readonly memorySize?: number;
}

/** A policy over discrete choices. The greedy action takes the largest logit of each head. */
export interface CategoricalArchitecture extends Architecture {
  readonly kind: 'categorical';
  readonly actions: ActionLayout;
  /** `logits` [batch, heads × width], padding included, not masked; `memory` [batch, memorySize] after the step. */
  outputs(weights: Tensors, inputs: PolicyInputs): { readonly logits: tf.Tensor; readonly memory?: tf.Tensor };
}

/** A policy over a box. Elements are independent normal variables, or fixed values where there is no deviation. */
export interface ContinuousArchitecture extends Architecture {
  readonly kind: 'continuous';
  /** Bounds must be finite. */
  readonly space: BoxSpace;
  /**
   * How a value u becomes an element of the box: `squash` low + (tanh u + 1)/2 · (high − low), `clip` u cut off at the
   * bounds.
   */
  readonly bounding: 'squash' | 'clip';
  /** `mean` and, for a policy that can be sampled from, `logDeviation`: [batch, elements] before bounding. */
  outputs(
    weights: Tensors,
    inputs: PolicyInputs,
  ): { readonly mean: tf.Tensor; readonly logDeviation?: tf.Tensor; readonly memory?: tf.Tensor };
}

/** How a policy's outputs follow from what it sees: everything of a policy but its weights. */
export type PolicyArchitecture = CategoricalArchitecture | ContinuousArchitecture;
