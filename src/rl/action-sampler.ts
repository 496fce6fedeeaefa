import type { NamedValues } from '../tensor/loaded-model.ts';
import { sampleAction, sampleNormal } from './action-sampling.ts';
import type { BoxSpace, EnvironmentDescription } from './environment.ts';
import type { Generator } from './random.ts';
import { actionLayoutOf, boundsOf, spaceSize } from './spaces.ts';
import type { ActionLayout } from './spaces.ts';

/** How actions are drawn from what a policy network says of them: the part that happens in JavaScript. */
export interface ActionSampler {
  /** Outputs of the network; the numbers that a rollout keeps of an action. */
  readonly outputs: number;
  /** Discrete actions: their layout; null for a box. */
  readonly layout: ActionLayout | null;
  /** True when some logits must be masked: by the environment or because heads are padded. */
  readonly masked: boolean;
  /**
   * Draws the action of one row.
   * @param statistics of the distributions of all rows, as the compiled policy gives them.
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

/** Draws an environment's actions. @throws CoxswainError ENVIRONMENT_INVALID when the space is malformed. */
export function actionSampler(environment: EnvironmentDescription): ActionSampler {
  const { actionSpace, actionMaskSize } = environment;
  if (actionSpace.kind === 'box') return new NormalSampler(actionSpace);
  return new CategoricalSampler(actionLayoutOf(environment), actionMaskSize > 0);
}

/** Independent choices, one a head, from `probabilities`. A rollout keeps them as ones among zeros. */
export class CategoricalSampler implements ActionSampler {
  readonly layout: ActionLayout;
  readonly masked: boolean;
  readonly outputs: number;

  /** @param masked by the environment. */
  constructor(layout: ActionLayout, masked: boolean) {
    this.layout = layout;
    this.masked = masked || layout.padded;
    this.outputs = layout.logits;
  }

  sample(
    { probabilities }: NamedValues,
    row: number,
    generator: Generator,
    action: Int32Array | Float32Array,
    samples: Float32Array,
    place: number,
  ): number {
    const { heads, width } = this.layout;
    const choices = action as Int32Array;
    const start = row * this.outputs;
    const logProbability = sampleAction(this.layout, probabilities as Float32Array, start, generator, choices);
    for (let head = 0; head < heads; head++) samples[place * this.outputs + head * width + choices[head]] = 1;
    return logProbability;
  }
}

/**
 * Independent normal variables, from `mean` and `deviation`. The environment gets them cut off at its bounds; the rollout
 * keeps them as drawn, whose density is the one that learning needs.
 */
export class NormalSampler implements ActionSampler {
  readonly layout = null;
  readonly masked = false;
  readonly outputs: number;
  /** One row, before it is cut off. */
  private readonly drawn: Float32Array;
  private readonly low: readonly number[];
  private readonly high: readonly number[];

  constructor(space: BoxSpace) {
    this.outputs = spaceSize(space);
    this.drawn = new Float32Array(this.outputs);
    ({ low: this.low, high: this.high } = boundsOf(space));
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
    const start = row * outputs;
    const logDensity = sampleNormal(mean as Float32Array, deviation as Float32Array, start, generator, drawn);
    for (let i = 0; i < outputs; i++) {
      samples[place * outputs + i] = drawn[i];
      action[i] = Math.min(high[i], Math.max(low[i], drawn[i]));
    }
    return logDensity;
  }
}
