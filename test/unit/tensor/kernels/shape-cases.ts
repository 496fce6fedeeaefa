import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';

import { random, truth, whole } from './draws.ts';
import type { Case, Cases, Use } from './family.ts';

const cube = random([2, 3, 4]);
const wholeCube = whole(
  [2, 3, 2],
  Array.from({ length: 12 }, (_, index) => index - 5),
);
const truthSquare = truth([2, 2], [1, 0, 0, 1]);
const nothing = random([0, 3, 4]);

/** On a cube of real numbers, of whole numbers, and on one without elements; the use must fit all of them. */
function everywhere(name: string, use: Use, more: Partial<Case> = {}): Case[] {
  return [
    { name, use, inputs: { x: cube }, named: ['x'], ...more },
    { name: `${name}, whole numbers`, use, inputs: { x: wholeCube } },
    { name: `${name}, nothing`, use, inputs: { x: nothing } },
  ];
}

const square = (f: (x: Tensor) => Tensor): Use => {
  return ({ x }) => tf.mul(f(x), f(x));
};

/** Mirrored padding of a vector put together from parts, because TF.js's gradient of it leaves out what was mirrored. */
const mirroredByParts =
  (edge: 0 | 1): Use =>
  ({ x }) => {
    const length = x.shape[0];
    const before = tf.reverse(tf.slice(x, [1 - edge], [2]), 0);
    const after = tf.reverse(tf.slice(x, [length - 2 + edge], [1]), 0);
    const y = tf.concat([before, x, after], 0);
    return tf.mul(y, y);
  };

/** A strided slice picked by indices, because TF.js has no gradient of it. */
const picked =
  (indices: number[][]): Use =>
  ({ x }) =>
    indices.reduce((y, places, axis) => tf.gather(y, places, axis), tf.mul(x, x));

const newAxis: Use = ({ x }) => tf.reshape(picked([[1], [1, 2], [0, 2]])({ x }) as Tensor, [1, 2, 2]);

const space = random([2, 4, 6, 3]);

/** Uses of the operations of the family. */
export const cases: Cases = {
  Reshape: [
    ...everywhere(
      'flat',
      square((x) => tf.reshape(x, [x.size])),
    ),
    { name: 'inferred', use: ({ x }) => tf.square(tf.reshape(x, [4, -1])), inputs: { x: cube } },
    { name: 'scalar', use: ({ x }) => tf.square(tf.reshape(x, [1, 1])), inputs: { x: random([]) } },
    { name: 'truth values', use: ({ x }) => tf.reshape(x, [4]), inputs: { x: truthSquare } },
  ],
  ExpandDims: everywhere(
    'last axis',
    square((x) => tf.expandDims(x, -1)),
  ),
  Transpose: [
    ...everywhere(
      'rotated',
      square((x) => tf.transpose(x, [2, 0, 1])),
    ),
    { name: 'reversed', use: ({ x }) => tf.square(tf.transpose(x)), inputs: { x: cube } },
    { name: 'truth values', use: ({ x }) => tf.transpose(x), inputs: { x: truthSquare } },
  ],
  Concat: [
    ...everywhere('last axis', ({ x }) => tf.concat([x, tf.mul(x, x)], -1)),
    ...everywhere('first axis', ({ x }) => tf.concat([x, tf.mul(x, x)], 0)),
    { name: 'with nothing', use: ({ x, y }) => tf.concat([x, y, x], 0), inputs: { x: cube, y: nothing } },
    { name: 'truth values', use: ({ x }) => tf.concat([x, x], 1), inputs: { x: truthSquare } },
  ],
  SplitV: [
    {
      name: 'uneven parts',
      use: ({ x }) => {
        const [p, q, r] = tf.split(x, [1, 2, 1], 2);
        return [tf.mul(p, r), tf.square(q)];
      },
      inputs: { x: cube },
      named: ['x'],
    },
    { name: 'even parts, negative axis', use: ({ x }) => tf.split(tf.mul(x, x), 3, -2), inputs: { x: cube } },
    { name: 'an empty part', use: ({ x }) => tf.split(tf.mul(x, x), [0, 2], 0), inputs: { x: cube } },
  ],
  Pack: [
    ...everywhere('new axis inside', ({ x }) => tf.stack([x, tf.mul(x, x)], 1)),
    { name: 'new last axis', use: ({ x }) => tf.stack([x, tf.mul(x, x)], -1), inputs: { x: cube } },
    { name: 'scalars', use: ({ x }) => tf.stack([x, tf.mul(x, x)]), inputs: { x: random([]) } },
  ],
  Unpack: [
    {
      name: 'first axis',
      use: ({ x }) => {
        const [p, q] = tf.unstack(x, 0);
        return tf.mul(p, q);
      },
      inputs: { x: cube },
    },
    { name: 'negative axis', use: ({ x }) => tf.unstack(tf.mul(x, x), -2), inputs: { x: cube }, named: ['x'] },
  ],
  Slice: [
    {
      name: 'inner part',
      use: ({ x }) => tf.square(tf.slice(x, [0, 1, 1], [2, 2, 2])),
      inputs: { x: cube },
    },
    {
      name: 'to the end',
      use: ({ x }) => tf.square(tf.slice(x, [0, 1, 2], [-1, -1, -1])),
      inputs: { x: cube },
      named: ['x'],
    },
    { name: 'first axes only', use: ({ x }) => tf.square(tf.slice(x, 1)), inputs: { x: cube } },
    { name: 'nothing of it', use: ({ x }) => tf.square(tf.slice(x, [0, 3, 0], [2, 0, 4])), inputs: { x: cube } },
    { name: 'whole numbers', use: ({ x }) => tf.slice(x, [1, 0, 1], [1, 3, 1]), inputs: { x: wholeCube } },
    { name: 'truth values', use: ({ x }) => tf.slice(x, [0, 1], [2, 1]), inputs: { x: truthSquare } },
  ],
  StridedSlice: [
    {
      name: 'strides',
      use: ({ x }) => tf.square(tf.stridedSlice(x, [0, 0, 0], [2, 3, 4], [1, 2, 3])),
      inputs: { x: cube },
      gradient: picked([
        [0, 1],
        [0, 2],
        [0, 3],
      ]),
    },
    {
      name: 'backwards from the end to the first',
      use: ({ x }) => tf.square(tf.stridedSlice(x, [0, -1, 3], [2, -4, 0], [1, -1, -2])),
      inputs: { x: cube },
      gradient: picked([
        [0, 1],
        [2, 1, 0],
        [3, 1],
      ]),
    },
    {
      name: 'one taken and its axis dropped, a new one added',
      use: ({ x }) => tf.square(tf.stridedSlice(x, [1, 0, 1, 0], [2, 1, 3, 4], [1, 1, 1, 2], 0, 0, 0, 2, 1)),
      inputs: { x: cube },
      // TF.js's CPU backend leaves out an axis where a new one is asked for.
      expected: newAxis,
      gradient: newAxis,
    },
    {
      name: 'masks: from the first and to the last, axes skipped',
      use: ({ x }) => tf.square(tf.stridedSlice(x, [1, 0, 1], [1, 0, 1], [1, 1, 2], 1, 5, 2)),
      inputs: { x: cube },
      gradient: picked([
        [0, 1],
        [0, 1, 2],
        [1, 3],
      ]),
    },
    {
      name: 'whole numbers',
      use: ({ x }) => tf.stridedSlice(x, [0, 2, 0], [2, 0, 2], [1, -1, 1]),
      inputs: { x: wholeCube },
    },
  ],
  Reverse: [
    ...everywhere(
      'last axis',
      square((x) => tf.mul(tf.reverse(x, -1), tf.add(x, 1))),
    ),
    { name: 'all axes', use: ({ x }) => tf.mul(tf.reverse(x), x), inputs: { x: cube } },
    { name: 'truth values', use: ({ x }) => tf.reverse(x, 0), inputs: { x: truthSquare } },
  ],
  Tile: [
    ...everywhere(
      'some axes',
      square((x) => tf.tile(x, [1, 2, 3])),
      { named: [] },
    ),
    { name: 'one place', use: ({ x }) => tf.square(tf.tile(x, [2, 3])), inputs: { x: random([1, 1]) } },
    { name: 'broadcast', use: ({ x }) => tf.square(tf.broadcastTo(x, [4, 2, 3])), inputs: { x: random([2, 1]) } },
    { name: 'truth values', use: ({ x }) => tf.tile(x, [1, 2]), inputs: { x: truthSquare } },
  ],
  PadV2: [
    ...everywhere(
      'with a value',
      square((x) =>
        tf.pad(
          x,
          [
            [0, 0],
            [2, 0],
            [1, 1],
          ],
          7,
        ),
      ),
      { named: [] },
    ),
    { name: 'with not-a-number', use: ({ x }) => tf.pad(x, [[0, 1]], NaN), inputs: { x: random([2]) } },
    {
      name: 'truth values',
      use: ({ x }) =>
        tf.pad(
          x,
          [
            [1, 0],
            [0, 1],
          ],
          1,
        ),
      inputs: { x: truthSquare },
    },
  ],
  MirrorPad: [
    {
      name: 'reflected',
      use: ({ x }) => tf.square(tf.mirrorPad(x, [[2, 1]], 'reflect')),
      inputs: { x: random([5]) },
      gradient: mirroredByParts(0),
    },
    {
      name: 'symmetric',
      use: ({ x }) => tf.square(tf.mirrorPad(x, [[2, 1]], 'symmetric')),
      inputs: { x: random([5]) },
      gradient: mirroredByParts(1),
    },
    {
      name: 'several axes',
      use: ({ x }) =>
        tf.mirrorPad(
          x,
          [
            [0, 0],
            [1, 2],
            [3, 1],
          ],
          'reflect',
        ),
      inputs: { x: cube },
      gradient: false,
    },
    {
      name: 'several axes, symmetric',
      use: ({ x }) =>
        tf.mirrorPad(
          x,
          [
            [0, 0],
            [1, 2],
            [3, 1],
          ],
          'symmetric',
        ),
      inputs: { x: cube },
      gradient: false,
    },
  ],
  SpaceToBatchND: [
    {
      name: 'blocks with padding',
      use: ({ x }) =>
        tf.square(
          tf.spaceToBatchND(
            x,
            [2, 3],
            [
              [1, 1],
              [0, 3],
            ],
          ),
        ),
      inputs: { x: space },
    },
    {
      name: 'without padding',
      use: ({ x }) =>
        tf.square(
          tf.spaceToBatchND(
            x,
            [2, 2],
            [
              [0, 0],
              [0, 0],
            ],
          ),
        ),
      inputs: { x: space },
    },
  ],
  BatchToSpaceND: [
    {
      name: 'blocks with crops',
      use: ({ x }) =>
        tf.square(
          tf.batchToSpaceND(
            x,
            [2, 2],
            [
              [1, 0],
              [0, 2],
            ],
          ),
        ),
      inputs: { x: random([8, 2, 3, 2]) },
    },
  ],
  DepthToSpace: [
    {
      name: 'blocks of two',
      use: ({ x }) => tf.square(tf.depthToSpace(x as Tensor4D, 2)),
      inputs: { x: random([2, 2, 3, 8]) },
      gradient: ({ x }) =>
        tf.square(tf.reshape(tf.transpose(tf.reshape(x, [2, 2, 3, 2, 2, 2]), [0, 1, 3, 2, 4, 5]), [2, 4, 6, 2])),
      named: ['x'],
    },
  ],
  Diag: [
    {
      name: 'of a vector',
      use: ({ x }) => tf.square(tf.diag(x)),
      inputs: { x: random([4]) },
      gradient: ({ x }) => tf.square(tf.mul(tf.eye(4), x)),
    },
    {
      name: 'of a matrix',
      use: ({ x }) => tf.diag(x),
      inputs: { x: random([2, 3]) },
      gradient: false,
    },
    { name: 'whole numbers', use: ({ x }) => tf.diag(x), inputs: { x: whole([2], [3, 4]) } },
  ],
};
