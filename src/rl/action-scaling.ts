import type { BoxSpace } from './environment.ts';
import type { Generator } from './random.ts';
import { boundsOf } from './spaces.ts';

/**
 * The linear map between [−1, 1] and the bounds of each element of a box. Algorithms with continuous actions learn in
 * [−1, 1], where the replay keeps actions too, so that noise and entropy mean the same in every environment.
 */
export class ActionScaling {
  /** Elements of an action. */
  readonly size: number;
  private readonly middle: Float64Array;
  private readonly half: Float64Array;

  /** @throws CoxswainError ENVIRONMENT_INVALID when a bound is not finite. */
  constructor(space: BoxSpace) {
    const { low, high } = boundsOf(space);
    this.size = low.length;
    this.middle = Float64Array.from(low, (bound, i) => (high[i] + bound) / 2);
    this.half = Float64Array.from(low, (bound, i) => (high[i] - bound) / 2);
  }

  /** Writes rows of actions in [−1, 1] to `actions` as elements of the box. */
  toBox(units: Float32Array, actions: Float32Array): void {
    for (let i = 0; i < units.length; i++) {
      const element = i % this.size;
      actions[i] = this.middle[element] + this.half[element] * units[i];
    }
  }
}

/** Fills rows of actions with uniform draws in [−1, 1]: what off-policy algorithms do before they learn. */
export function drawUniformly(units: Float32Array, generator: Generator): void {
  for (let i = 0; i < units.length; i++) units[i] = 2 * generator.uniform() - 1;
}
