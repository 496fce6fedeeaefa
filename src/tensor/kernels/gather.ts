import type {
  DenseBincountAttrs,
  GatherV2Attrs,
  OneHotAttrs,
  ScatterNdAttrs,
  SearchSortedAttrs,
  SparseToDenseAttrs,
  TensorInfo,
  TopKAttrs,
  UnsortedSegmentSumAttrs,
} from '@tensorflow/tfjs-core';

import { elementCount } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import { castTo, elementwise, scalarLike } from './elementwise.ts';
import { attributesOf, axisFromFront } from './kernel.ts';
import type { Kernel, KernelFamily } from './kernel.ts';
import { reshaped } from './shape.ts';
import { transposed } from './window.ts';

const gather: Kernel = ({ x, indices }, attributes, recorder) => {
  const { axis, batchDims = 0 } = attributesOf<Partial<GatherV2Attrs>>(attributes);
  const along = axisFromFront(axis!, x.shape.length);
  const shape = [...x.shape.slice(0, along), ...indices.shape.slice(batchDims), ...x.shape.slice(along + 1)];
  if (elementCount(x.shape) === 0) return recorder.fixedTensor([0], shape, x.dtype);
  if (!batchDims) {
    const name = recorder.node('Gather', [recorder.name(x), recorder.name(indices)], { axis: along });
    return recorder.tensor(name, shape, x.dtype);
  }
  return recorder.tensor(gatheredInBatch(recorder, x, indices, along, batchDims), shape, x.dtype);
};

/** ONNX picks along the axis after those of the batch: the axes between are moved behind it for that. */
function gatheredInBatch(
  recorder: Recorder,
  x: TensorInfo,
  indices: TensorInfo,
  along: number,
  batchDims: number,
): string {
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
  const rank = x.shape.length;
  const first = [...range(0, batchDims), along, ...range(batchDims, along), ...range(along + 1, rank)];
  const picked = recorder.node(
    'GatherND',
    [transposed(recorder, recorder.name(x), first), indexVectors(recorder, indices)],
    { batch_dims: batchDims },
  );
  const between = along - batchDims;
  const last = indices.shape.length + rank - batchDims - 1;
  const places = range(batchDims, indices.shape.length);
  const moved = range(indices.shape.length, indices.shape.length + between);
  return transposed(recorder, picked, [
    ...range(0, batchDims),
    ...moved,
    ...places,
    ...range(indices.shape.length + between, last),
  ]);
}

/** Indices as vectors of length 1, in the type that ONNX wants them. */
function indexVectors(recorder: Recorder, indices: TensorInfo): string {
  const wide = recorder.node('Cast', [recorder.name(indices)], { to: 7 });
  return recorder.node('Unsqueeze', [wide, recorder.integers([indices.shape.length])]);
}

const gatherNd: Kernel = ({ params, indices }, _attributes, recorder) => {
  const depth = indices.shape.at(-1)!;
  const wide = recorder.node('Cast', [recorder.name(indices)], { to: 7 });
  const name = recorder.node('GatherND', [recorder.name(params), wide]);
  return recorder.tensor(name, [...indices.shape.slice(0, -1), ...params.shape.slice(depth)], params.dtype);
};

/** Adds `updates` into zeros at places that may repeat. */
function scatterAdd(recorder: Recorder, vectors: string, updates: TensorInfo, shape: readonly number[]): TensorInfo {
  const zeros = recorder.name(recorder.fixedTensor([0], shape, updates.dtype));
  const name = recorder.node('ScatterND', [zeros, vectors, recorder.name(updates)], { reduction: 'add' });
  return recorder.tensor(name, shape, updates.dtype);
}

const scatterNd: Kernel = ({ indices, updates }, attributes, recorder) => {
  const { shape } = attributesOf<ScatterNdAttrs>(attributes);
  return scatterAdd(recorder, recorder.node('Cast', [recorder.name(indices)], { to: 7 }), updates, shape);
};

/**
 * The sum of the rows of each segment. Rows of segments that do not exist, −1 for instance, are left out as in TF.js: they
 * are added to a row behind the last, which is cut off. Index −1 is the last row in ONNX.
 */
const segmentSum: Kernel = ({ x, segmentIds }, attributes, recorder) => {
  const { numSegments } = attributesOf<UnsortedSegmentSumAttrs>(attributes);
  const rest = x.shape.slice(segmentIds.shape.length);
  const bounds = [-1, numSegments].map((bound) => scalarLike(recorder, bound, segmentIds));
  const clipped = elementwise(recorder, 'Clip', [segmentIds, ...bounds], 'int32');
  const sums = scatterAdd(recorder, indexVectors(recorder, clipped), x, [numSegments + 1, ...rest]);
  const name = recorder.node('Slice', [
    recorder.name(sums),
    recorder.integers([0]),
    recorder.integers([-1]),
    recorder.integers([0]),
  ]);
  return recorder.tensor(name, [numSegments, ...rest], x.dtype);
};

/** The tensor with some of its parts replaced; of several for one place the last stays. */
const tensorScatterUpdate: Kernel = ({ tensor, indices, updates }, _attributes, recorder) =>
  scatterUpdate(recorder, recorder.name(tensor), indices, updates, tensor.shape);

function scatterUpdate(
  recorder: Recorder,
  base: string,
  indices: TensorInfo,
  updates: TensorInfo,
  shape: readonly number[],
): TensorInfo {
  const wide = recorder.node('Cast', [recorder.name(indices)], { to: 7 });
  return recorder.tensor(recorder.node('ScatterND', [base, wide, recorder.name(updates)]), shape, updates.dtype);
}

/** One value everywhere but at some places. */
const sparseToDense: Kernel = ({ sparseIndices, sparseValues, defaultValue }, attributes, recorder) => {
  const { outputShape } = attributesOf<SparseToDenseAttrs>(attributes);
  const base = recorder.name(recorder.view(defaultValue, outputShape));
  const depth = sparseIndices.shape.length < 2 ? outputShape.length : sparseIndices.shape.at(-1)!;
  const places =
    sparseIndices.shape.length < 2 ? [elementCount(sparseIndices.shape) / depth] : sparseIndices.shape.slice(0, -1);
  const matrix = reshaped(recorder, sparseIndices, [...places, depth]);
  const updates = recorder.view(sparseValues, [...places, ...outputShape.slice(depth)]);
  return scatterUpdate(recorder, base, matrix, updates, outputShape);
};

/** How many of a sorted row are below a value, or up to it. */
const searchSorted: Kernel = ({ sortedSequence, values }, attributes, recorder) => {
  const { side } = attributesOf<SearchSortedAttrs>(attributes);
  const [batch, length] = sortedSequence.shape;
  const sequence = reshaped(recorder, sortedSequence, [batch, 1, length]);
  const wanted = reshaped(recorder, values, [batch, values.shape[1], 1]);
  const before = elementwise(recorder, side === 'left' ? 'Less' : 'LessOrEqual', [sequence, wanted], 'bool');
  const counts = recorder.node(
    'ReduceSum',
    [recorder.name(castTo(recorder, before, 'int32')), recorder.integers([2])],
    { keepdims: 0 },
  );
  return recorder.tensor(counts, values.shape, 'int32');
};

/** How often each number occurs, or the sum of the weights of its occurrences, in each row. */
const bincount: Kernel = ({ x, weights }, attributes, recorder) => {
  const { size, binaryOutput } = attributesOf<DenseBincountAttrs>(attributes);
  const hit = hits(recorder, x, size);
  const numbers = castTo(recorder, hit, weights.dtype);
  const weighted = elementCount(weights.shape) > 0 && !binaryOutput;
  const terms = weighted
    ? elementwise(recorder, 'Mul', [numbers, reshaped(recorder, weights, [...weights.shape, 1])], weights.dtype)
    : numbers;
  const axis = x.shape.length - 1;
  const joined = recorder.node(
    binaryOutput ? 'ReduceMax' : 'ReduceSum',
    [recorder.name(terms), recorder.integers([axis])],
    {
      keepdims: 0,
    },
  );
  return recorder.tensor(joined, [...x.shape.slice(0, -1), size], weights.dtype);
};

/** Whether each index is each of the numbers from 0 to depth − 1. */
function hits(recorder: Recorder, indices: TensorInfo, depth: number): TensorInfo {
  const column = recorder.tensor(
    recorder.node('Unsqueeze', [recorder.name(indices), recorder.integers([indices.shape.length])]),
    [...indices.shape, 1],
    'int32',
  );
  const choices = Int32Array.from({ length: depth }, (_, choice) => choice);
  return elementwise(recorder, 'Equal', [column, recorder.fixedTensor(choices, [depth], 'int32')], 'bool');
}

const oneHot: Kernel = ({ indices }, attributes, recorder) => {
  const { depth, onValue, offValue, dtype } = attributesOf<OneHotAttrs>(attributes);
  const hit = hits(recorder, indices, depth);
  if (onValue === 1 && offValue === 0) return castTo(recorder, hit, dtype);
  const values = [onValue, offValue].map((value) => recorder.fixedTensor([value], [], dtype));
  return elementwise(recorder, 'Where', [hit, ...values], dtype);
};

const topK: Kernel = ({ x }, attributes, recorder) => {
  const { k } = attributesOf<TopKAttrs>(attributes);
  const numbers = castTo(recorder, x, x.dtype === 'bool' ? 'int32' : x.dtype);
  const [values, indices] = recorder.nodeOf('TopK', [recorder.name(numbers), recorder.integers([k])], 2, { axis: -1 });
  const shape = [...x.shape.slice(0, -1), k];
  const narrow = recorder.node('Cast', [indices], { to: 6 });
  return [recorder.tensor(values, shape, numbers.dtype), recorder.tensor(narrow, shape, 'int32')];
};

/** What picks and places elements by index. */
export const gatherKernels: KernelFamily = {
  GatherV2: gather,
  GatherNd: gatherNd,
  ScatterNd: scatterNd,
  UnsortedSegmentSum: segmentSum,
  TensorScatterUpdate: tensorScatterUpdate,
  SparseToDense: sparseToDense,
  OneHot: oneHot,
  TopK: topK,
  SearchSorted: searchSorted,
  Bincount: bincount,
  DenseBincount: bincount,
};
