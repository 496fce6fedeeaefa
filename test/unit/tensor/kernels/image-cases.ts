import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';

import { random, whole } from './draws.ts';
import type { Case, Cases, Use } from './family.ts';

type Resize = (
  images: Tensor4D,
  size: [number, number],
  alignCorners?: boolean,
  halfPixelCenters?: boolean,
) => tf.Tensor;
/** Square, because TF.js's gradients take rows for columns of other images. */
const images = random([2, 5, 5, 3]);
const sizes: [string, [number, number]][] = [
  ['larger', [7, 8]],
  ['smaller', [2, 3]],
  ['the same', [5, 5]],
  ['one row', [1, 9]],
];

function resizes(resize: Resize, halfPixelReference: (size: [number, number]) => boolean | Use): Case[] {
  return sizes.flatMap(([name, size]) =>
    [
      { how: '', corners: false, half: false },
      { how: ', corners aligned', corners: true, half: false },
      { how: ', half pixels', corners: false, half: true },
    ].map(({ how, corners, half }): Case => ({
      name: name + how,
      use: ({ x }) => resize(x as Tensor4D, size, corners, half),
      inputs: { x: images },
      named: ['x'],
      // TF.js's gradients take no notice of half pixels, and mix samples up.
      gradient: half
        ? halfPixelReference(size)
        : ({ x }) =>
            tf.concat(
              tf.split(x, 2, 0).map((sample) => resize(sample as Tensor4D, size, corners)),
              0,
            ),
    })),
  );
}

/** The nearest places picked one by one. */
const nearestByIndex = (size: [number, number]): Use => {
  const places = size.map((length, side) => {
    const from = images.shape[side + 1];
    return Array.from({ length }, (_, index) => Math.min(from - 1, Math.floor((from / length) * (index + 0.5))));
  });
  return ({ x }) => tf.gather(tf.gather(x, places[0], 1), places[1], 2);
};

const direct =
  (kernel: string): Use =>
  ({ images: x, dy }) =>
    tf.engine().runKernel(kernel, { images: x, dy }, { alignCorners: false, halfPixelCenters: false });

/** Uses of the operations of the family. */
export const cases: Cases = {
  ResizeNearestNeighbor: [
    ...resizes(tf.image.resizeNearestNeighbor, nearestByIndex),
    {
      name: 'whole numbers',
      use: ({ x }) => tf.image.resizeNearestNeighbor(x as Tensor4D, [3, 3]),
      inputs: { x: whole([1, 2, 2, 1], [1, 2, 3, 4]) },
    },
  ],
  ResizeNearestNeighborGrad: [
    {
      name: 'directly',
      use: direct('ResizeNearestNeighborGrad'),
      inputs: { images: random([1, 5, 5, 3]), dy: random([1, 6, 3, 3]) },
    },
  ],
  ResizeBilinear: resizes(tf.image.resizeBilinear, () => false),
  ResizeBilinearGrad: [
    {
      name: 'directly',
      use: direct('ResizeBilinearGrad'),
      inputs: { images: random([2, 4, 4, 3]), dy: random([2, 6, 3, 3]) },
    },
  ],
  FlipLeftRight: [
    {
      name: 'columns backwards',
      use: ({ x }) => tf.image.flipLeftRight(x as Tensor4D),
      inputs: { x: images },
      gradient: ({ x }) => tf.reverse(x, 2),
    },
  ],
};
