import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

import { logSoftmax } from '../../../../src/tensor/operations.ts';
import { draws, random, truth, whole } from './draws.ts';
import type { Case, Cases, Use } from './family.ts';

const cube = random([2, 3, 4]);
const wholeSquare = whole([2, 3], [3, -1, 2, 2, 0, 7]);
const extremes = {
  shape: [4, 3],
  values: [1, Infinity, 2, -Infinity, 3, 4, 5, NaN, 6, -Infinity, -Infinity, -Infinity],
};

type Reduction = (x: Tensor, axis?: number | number[], keepDims?: boolean) => Tensor;

interface Options {
  /** What joining nothing gives, where TF.js reads beyond the end. */
  readonly ofNothing?: number;
  /** The same with a gradient that TF.js computes rightly. */
  readonly gradient?: (axis?: number | number[], keepDims?: boolean) => Use;
  readonly extremes?: Case['inputs'][string];
}

/** Over one, several, negative and all axes, kept or not; infinities, nothing, one element, whole numbers. */
function reductions(f: Reduction, { gradient, ofNothing, extremes: edges = extremes }: Options = {}): Case[] {
  const one = (
    name: string,
    x: Case['inputs'][string],
    axis?: number | number[],
    keepDims?: boolean,
    more = {},
  ): Case => ({
    name,
    use: (inputs) => f(inputs.x, axis, keepDims),
    inputs: { x },
    gradient: gradient?.(axis, keepDims),
    ...more,
  });
  const empty = (count: number): Partial<Case> =>
    ofNothing === undefined ? {} : { expected: new Array<number>(count).fill(ofNothing) };
  return [
    one('one axis', cube, 1, false, { named: ['x'] }),
    one('the named axis', cube, 0, false, { named: ['x'] }),
    one('several axes, kept', cube, [0, 2], true, { named: ['x'] }),
    one('a negative axis', cube, -1),
    one('all axes', cube),
    one('one element', random([1]), 0),
    one('a scalar', random([])),
    one('infinities and not-a-number', edges, 1, false, { gradient: false }),
    one('of nothing', random([0, 3]), 0, false, { gradient: false, ...empty(3) }),
    one('nothing of it', random([0, 3]), 1, false, { gradient: false }),
    one('rows of nothing', random([2, 0]), 1, false, { gradient: false, ...empty(2) }),
    one('whole numbers', wholeSquare, 1),
  ];
}

const truths = truth([2, 3], [1, 1, 1, 0, 1, 0]);

function logical(f: (x: Tensor, axis?: number | number[], keepDims?: boolean) => Tensor): Case[] {
  const factor = (x: Tensor, axis?: number | number[]): Tensor =>
    tf.mul(tf.cast(f(tf.cast(x, 'bool'), axis), 'float32'), tf.sum(x));
  return [
    { name: 'one axis', use: ({ x }) => f(x, 1), inputs: { x: truths } },
    { name: 'a negative axis, kept', use: ({ x }) => f(x, -2, true), inputs: { x: truths } },
    { name: 'all axes', use: ({ x }) => f(x), inputs: { x: truths } },
    { name: 'of nothing', use: ({ x }) => f(x, 0), inputs: { x: truth([0, 2], []) } },
    {
      name: 'a truth value made a factor',
      use: ({ x }) => factor(x, 0),
      inputs: { x: { shape: [2, 2], values: [1, 0, 2, 3] } },
      gradient: ({ x }) => tf.mul(tf.tensor(f === tf.all ? [1, 0] : [1, 1]), tf.sum(x)),
    },
  ];
}

function extremeIndices(f: (x: Tensor, axis?: number) => Tensor): Case[] {
  return [
    { name: 'one axis', use: ({ x }) => f(x, 1), inputs: { x: cube }, named: ['x'], gradient: false },
    { name: 'a negative axis', use: ({ x }) => f(x, -1), inputs: { x: cube }, gradient: false },
    {
      name: 'the first of equals',
      use: ({ x }) => f(x, 1),
      inputs: { x: { shape: [2, 3], values: [5, 5, 1, 0, -2, -2] } },
      gradient: false,
    },
    {
      name: 'infinities',
      use: ({ x }) => f(x, 0),
      inputs: { x: { shape: [3], values: [-Infinity, 1, Infinity] } },
      gradient: false,
    },
    { name: 'whole numbers', use: ({ x }) => f(x, 1), inputs: { x: wholeSquare } },
    { name: 'one element', use: ({ x }) => f(x, 0), inputs: { x: random([1]) }, gradient: false },
    {
      name: 'an index made a factor',
      use: ({ x }) => tf.mul(tf.cast(f(x, 0), 'float32'), tf.sum(x)),
      inputs: { x: random([3]) },
      gradient: ({ x }) => tf.mul(tf.tensor(f(x, 0).dataSync()[0]), tf.sum(x)),
    },
  ];
}

type Cumulative = (x: Tensor, axis?: number, exclusive?: boolean, reverse?: boolean) => Tensor;

/** In all directions along all axes; zeros, one element, nothing, whole numbers, truth values. */
function cumulative(f: Cumulative, reference: (axis: number, exclusive: boolean, reverse: boolean) => Use): Case[] {
  const directions = [false, true].flatMap((exclusive) => [false, true].map((reverse) => ({ exclusive, reverse })));
  const along = directions.flatMap(({ exclusive, reverse }) =>
    [0, 1, -1].map((axis): Case => ({
      name: `axis ${axis}${exclusive ? ', exclusive' : ''}${reverse ? ', reverse' : ''}`,
      use: ({ x }) => f(x, axis, exclusive, reverse),
      // TF.js's CPU backend takes negative axes for others.
      expected: ({ x }) => f(x, (axis + 3) % 3, exclusive, reverse),
      inputs: { x: cube },
      gradient: reference((axis + 3) % 3, exclusive, reverse),
      named: axis === 0 ? [] : ['x'],
    })),
  );
  return [
    ...along,
    {
      name: 'zeros',
      use: ({ x }) => f(x, 0),
      inputs: { x: { shape: [5], values: [2, 0, 3, 0, 5] } },
      gradient: reference(0, false, false),
    },
    {
      name: 'infinities',
      use: ({ x }) => f(x, 0),
      inputs: { x: { shape: [3], values: [2, Infinity, 3] } },
      gradient: false,
    },
    { name: 'one element', use: ({ x }) => f(x, 0, true), inputs: { x: random([1]) }, gradient: false },
    { name: 'nothing', use: ({ x }) => f(x, 0), inputs: { x: random([0, 2]) }, gradient: false },
    { name: 'whole numbers', use: ({ x }) => f(x, 1), inputs: { x: wholeSquare } },
    { name: 'truth values', use: ({ x }) => f(x, 1), inputs: { x: truths } },
  ];
}

/** Element by element, which TF.js differentiates rightly along every axis and at zeros. */
const stepByStep =
  (join: (a: Tensor, b: Tensor) => Tensor, start: number) =>
  (axis: number, exclusive: boolean, reverse: boolean): Use =>
  ({ x }) => {
    const parts = tf.unstack(x, axis).map((part) => part);
    if (reverse) parts.reverse();
    let sum: Tensor = tf.fill(parts[0].shape, start);
    const results = parts.map((part) => {
      const before = sum;
      sum = join(sum, part);
      return exclusive ? before : sum;
    });
    return tf.stack(reverse ? results.reverse() : results, axis);
  };

/** Factor by factor. */
const product =
  (axis?: number | number[], keepDims?: boolean): Use =>
  ({ x }) => {
    const axes = tf.util.parseAxisParam(axis ?? x.shape.map((_, index) => index), x.shape);
    const y = axes.reduce((part, along) => {
      const factors = Array.from({ length: part.shape[along] }, (_, index) => tf.gather(part, [index], along));
      return factors.reduce((a, b) => tf.mul(a, b));
    }, x);
    return keepDims || axes.length === 0 ? y : tf.squeeze(y, axes);
  };

const logits = { shape: [3, 3], values: [1, 2, 3, 1000, -1000, 0, -1e8, 0.5, -1e8] };

/** Uses of the operations of the family. */
export const cases: Cases = {
  Sum: reductions(tf.sum),
  Mean: [...reductions(tf.mean), { name: 'truth values', use: ({ x }) => tf.mean(x, 1), inputs: { x: truths } }],
  Max: reductions(tf.max, {
    ofNothing: -Infinity,
    extremes: { shape: [2, 3], values: [1, Infinity, 2, -Infinity, -Infinity, -Infinity] },
  }),
  Min: reductions(tf.min, {
    ofNothing: Infinity,
    extremes: { shape: [2, 3], values: [1, -Infinity, 2, Infinity, Infinity, Infinity] },
  }),
  Prod: [
    // The gradient along an axis needs a number of steps that is known.
    ...reductions(tf.prod, { gradient: product }).map((one) =>
      ['the named axis', 'several axes, kept'].includes(one.name) ? { ...one, named: [] } : one,
    ),
    {
      name: 'zeros',
      use: ({ x }) => tf.prod(x, 1),
      inputs: { x: { shape: [3, 3], values: [2, 0, 3, 0, 0, 4, 1, 2, 3] } },
      gradient: product(1),
    },
  ],
  All: logical(tf.all),
  Any: logical(tf.any),
  ArgMax: extremeIndices(tf.argMax),
  ArgMin: extremeIndices(tf.argMin),
  Cumsum: cumulative(tf.cumsum, stepByStep(tf.add, 0)),
  Cumprod: cumulative(tf.cumprod, stepByStep(tf.mul, 1)),
  Softmax: [
    { name: 'last axis', use: ({ x }) => tf.softmax(x), inputs: { x: cube }, named: ['x'] },
    { name: 'very large and masked', use: ({ x }) => tf.softmax(x), inputs: { x: logits } },
    { name: 'one element', use: ({ x }) => tf.softmax(x), inputs: { x: random([1]) } },
    { name: 'nothing', use: ({ x }) => tf.softmax(x), inputs: { x: random([0, 3]) } },
    {
      name: 'masked by infinity',
      use: ({ x }) => tf.softmax(x),
      inputs: { x: { shape: [2, 3], values: [1, -Infinity, 2, 0, NaN, 1] } },
      gradient: false,
    },
  ],
  LogSoftmax: [
    {
      name: 'last axis',
      use: ({ x }) => logSoftmax(x),
      inputs: { x: random([2, 3, 4]) },
      named: ['x'],
    },
    { name: 'very large and masked', use: ({ x }) => logSoftmax(x), inputs: { x: logits } },
    { name: 'nothing', use: ({ x }) => logSoftmax(x), inputs: { x: { shape: [0, 3], values: draws(0) } } },
  ],
};
