import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../contracts/errors.ts';
import type { EnvironmentDescription } from '../environment.ts';
import { spaceSize } from '../spaces.ts';

/** How observations become cells. */
export interface DiscretiserOptions {
  /** Bins of each element, or of all. */
  readonly bins: number | readonly number[];
  /** Where the first bin of each element begins; null takes the environment's lower bounds. */
  readonly low: readonly number[] | null;
  /** Where the last bin of each element ends; null takes the environment's upper bounds. */
  readonly high: readonly number[] | null;
}

/** Cells that a whole number in single precision can count. */
const mostCells = 2 ** 24;

/**
 * Divides a box into cells: each element into bins of equal width, what lies outside counting to the outermost bin. The
 * same cell comes out of {@link cellOf} and of the tensors of {@link cells}: both compute in single precision.
 */
export class Discretiser {
  readonly elements: number;
  readonly cellCount: number;
  private readonly low: Float32Array;
  /** Bins per unit. */
  private readonly scale: Float32Array;
  private readonly lastBin: Float32Array;
  /** Cells between two neighbours along each element. */
  private readonly strides: Float32Array;

  /** @throws CoxswainError SPEC_INVALID when the bins or bounds do not fit the observation, or there are too many cells. */
  constructor(environment: EnvironmentDescription, options: DiscretiserOptions) {
    const { bins, low, high } = rangesOf(environment, options);
    this.elements = bins.length;
    this.cellCount = bins.reduce((product, count) => product * count, 1);
    if (this.cellCount > mostCells) {
      throw invalid(environment, `bins make ${this.cellCount} cells; allowed: up to ${mostCells}. Give fewer bins`);
    }
    this.low = Float32Array.from(low);
    this.scale = Float32Array.from(bins, (count, i) => count / (high[i] - low[i]));
    this.lastBin = Float32Array.from(bins, (count) => count - 1);
    let stride = this.cellCount;
    this.strides = Float32Array.from(bins, (count) => (stride /= count));
  }

  /** The cell, from 0, of row `row` of some observations. */
  cellOf(observations: Float32Array, row: number): number {
    const { elements, low, scale, lastBin, strides } = this;
    let cell = 0;
    for (let i = 0; i < elements; i++) {
      const place = Math.fround(Math.fround(observations[row * elements + i] - low[i]) * scale[i]);
      cell += Math.floor(Math.min(Math.max(place, 0), lastBin[i])) * strides[i];
    }
    return cell;
  }

  /** The cells [batch], int32, of observations [batch, elements]. */
  cells(observation: tf.Tensor): tf.Tensor {
    const places = tf.mul(tf.sub(observation, tf.tensor1d(this.low)), tf.tensor1d(this.scale));
    const inside = tf.minimum(tf.maximum(places, 0), tf.tensor1d(this.lastBin));
    return tf.cast(tf.sum(tf.mul(tf.floor(inside), tf.tensor1d(this.strides)), 1), 'int32');
  }
}

/** Bins and bounds of each element. */
function rangesOf(
  environment: EnvironmentDescription,
  options: DiscretiserOptions,
): Record<'bins' | 'low' | 'high', readonly number[]> {
  const { observationSpace: space } = environment;
  const elements = spaceSize(space);
  const ofEach = (given: number | readonly number[]): readonly number[] =>
    typeof given === 'number' ? new Array<number>(elements).fill(given) : given;
  const ranges = {
    bins: ofEach(options.bins),
    low: options.low ?? ofEach(space.low),
    high: options.high ?? ofEach(space.high),
  };
  for (const [name, { length }] of Object.entries(ranges)) {
    if (length !== elements) throw invalid(environment, `${name} has ${length} entries for ${elements} elements`);
  }
  const { low, high } = ranges;
  const wrong = low.findIndex((bound, i) => !(Number.isFinite(high[i] - bound) && bound < high[i]));
  if (wrong >= 0) {
    throw invalid(
      environment,
      `element ${wrong} of the observation goes from ${low[wrong]} to ${high[wrong]}; give finite numbers in low and high`,
    );
  }
  return ranges;
}

function invalid({ name }: EnvironmentDescription, why: string): CoxswainError {
  return new CoxswainError('SPEC_INVALID', `Discretising the observations of ${name}: ${why}.`);
}
