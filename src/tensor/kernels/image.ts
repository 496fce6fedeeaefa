import type { NamedAttrMap, ResizeBilinearAttrs, TensorInfo } from '@tensorflow/tfjs-core';

import type { Recorder } from '../recorder.ts';
import { castTo } from './elementwise.ts';
import { attributesOf } from './kernel.ts';
import type { Kernel, KernelFamily } from './kernel.ts';
import { shapeKernels } from './shape.ts';
import { channelsFirst, channelsLast, transposed } from './window.ts';

type Weights = number[][];

/** Where the places of a line of another length lie on this one. */
interface Grid {
  readonly from: number;
  readonly to: number;
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Distance between two new places, as TF.js counts it. */
function scaleOf({ from, to, alignCorners }: Grid): number {
  const cornersGiven = alignCorners && to > 1;
  return cornersGiven ? (from - 1) / (to - 1) : from / to;
}

/** For each new place the weight of each old one: between the two nearest, by distance. */
function linearWeights(grid: Grid): Weights {
  const scale = scaleOf(grid);
  return rows(grid, (place) => {
    const at = grid.halfPixelCenters ? scale * (place + 0.5) - 0.5 : scale * place;
    const low = Math.max(0, Math.floor(at));
    const high = Math.min(grid.from - 1, Math.ceil(at));
    return [
      [low, 1 - (at - low)],
      [high, at - low],
    ];
  });
}

/** For each new place the nearest old one. */
function nearestPlaces(grid: Grid): number[] {
  const scale = scaleOf(grid);
  return Array.from({ length: grid.to }, (_, place) => {
    const at = scale * (grid.halfPixelCenters ? place + 0.5 : place);
    return Math.max(0, Math.min(grid.from - 1, grid.alignCorners ? Math.round(at) : Math.floor(at)));
  });
}

const nearestWeights = (grid: Grid): Weights => {
  const nearest = nearestPlaces(grid);
  return rows(grid, (place) => [[nearest[place], 1]]);
};

function rows({ from, to }: Grid, parts: (place: number) => [number, number][]): Weights {
  return Array.from({ length: to }, (_, place) => {
    const row = new Array<number>(from).fill(0);
    for (const [index, weight] of parts(place)) row[index] += weight;
    return row;
  });
}

/** Rows and columns of the change from one size of images to another. */
function gridsOf(images: readonly number[], size: readonly number[], attributes: NamedAttrMap): Grid[] {
  const { alignCorners = false, halfPixelCenters = false } = attributesOf<Partial<ResizeBilinearAttrs>>(attributes);
  return [0, 1].map((side) => ({ from: images[side + 1], to: size[side], alignCorners, halfPixelCenters }));
}

/** R · image · Cᵀ for each channel: resizing is linear, and along one axis after the other. */
function product(recorder: Recorder, images: TensorInfo, matrices: Weights[]): TensorInfo {
  const inFront = transposed(recorder, recorder.name(castTo(recorder, images, 'float32')), channelsFirst(4));
  const [left, right] = matrices.map((matrix) =>
    recorder.constant(Float32Array.from(matrix.flat()), [matrix.length, matrix[0].length], 'float32'),
  );
  const narrow = recorder.node('MatMul', [left, inFront]);
  const result = recorder.node('MatMul', [narrow, recorder.node('Transpose', [right], { perm: [1, 0] })]);
  const shape = [images.shape[0], matrices[0].length, matrices[1].length, images.shape[3]];
  return recorder.tensor(transposed(recorder, result, channelsLast(4)), shape, 'float32');
}

const resizeBilinear: Kernel = ({ images }, attributes, recorder) => {
  const { size } = attributesOf<ResizeBilinearAttrs>(attributes);
  return product(recorder, images, gridsOf(images.shape, size, attributes).map(linearWeights));
};

const resizeNearest: Kernel = ({ images }, attributes, recorder) => {
  const { size } = attributesOf<ResizeBilinearAttrs>(attributes);
  const places = gridsOf(images.shape, size, attributes).map(nearestPlaces);
  const name = places.reduce(
    (picked, indices, side) => recorder.node('Gather', [picked, recorder.integers(indices)], { axis: side + 1 }),
    recorder.name(images),
  );
  return recorder.tensor(name, [images.shape[0], ...size, images.shape[3]], images.dtype);
};

/** The gradient of a linear function: the same with the matrices transposed. */
const resizeGrad =
  (weightsOf: (grid: Grid) => Weights): Kernel =>
  ({ images, dy }, attributes, recorder) => {
    const matrices = gridsOf(images.shape, dy.shape.slice(1, 3), attributes).map(weightsOf);
    const back = matrices.map((matrix) => matrix[0].map((_, column) => matrix.map((row) => row[column])));
    return product(recorder, dy, back);
  };

/** Changes of the size of images. */
export const imageKernels: KernelFamily = {
  ResizeNearestNeighbor: resizeNearest,
  ResizeNearestNeighborGrad: resizeGrad(nearestWeights),
  ResizeBilinear: resizeBilinear,
  ResizeBilinearGrad: resizeGrad(linearWeights),
  FlipLeftRight: ({ image }, _attributes, recorder) => shapeKernels.Reverse({ x: image }, { dims: [2] }, recorder),
};
