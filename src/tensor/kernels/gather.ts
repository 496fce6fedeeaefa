import type {
  GatherV2Attrs,
  OneHotAttrs,
  ScatterNdAttrs,
  TensorInfo,
  TopKAttrs,
  UnsortedSegmentSumAttrs,
} from '@tensorflow/tfjs-core';

import { elementCount } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import { unsupported } from '../unsupported.ts';
import { castTo, elementwise } from './elementwise.ts';
import { attributesOf, axisFromFront } from './kernel.ts';
import type { Kernel, KernelFamily } from './kernel.ts';

const gather: Kernel = ({ x, indices }, attributes, recorder) => {
  const { axis, batchDims } = attributesOf<GatherV2Attrs>(attributes);
  const along = axisFromFront(axis, x.shape.length);
  const shape = [...x.shape.slice(0, along), ...indices.shape.slice(batchDims), ...x.shape.slice(along + 1)];
  if (!batchDims) {
    const name = recorder.node('Gather', [recorder.name(x), recorder.name(indices)], { axis: along });
    return recorder.tensor(name, shape, x.dtype);
  }
  if (along !== batchDims) throw unsupported('GatherV2 with batchDims other than its axis cannot be compiled');
  const name = recorder.node('GatherND', [recorder.name(x), indexVectors(recorder, indices)], {
    batch_dims: batchDims,
  });
  return recorder.tensor(name, shape, x.dtype);
};

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

/** The sum of the rows of each segment: the gradient of gathering. */
const segmentSum: Kernel = ({ x, segmentIds }, attributes, recorder) => {
  const { numSegments } = attributesOf<UnsortedSegmentSumAttrs>(attributes);
  const shape = [numSegments, ...x.shape.slice(segmentIds.shape.length)];
  return scatterAdd(recorder, indexVectors(recorder, segmentIds), x, shape);
};

const oneHot: Kernel = ({ indices }, attributes, recorder) => {
  const { depth, onValue, offValue, dtype } = attributesOf<OneHotAttrs>(attributes);
  const column = recorder.tensor(
    recorder.node('Unsqueeze', [recorder.name(indices), recorder.integers([indices.shape.length])]),
    [...indices.shape, 1],
    'int32',
  );
  const choices = recorder.fixedTensor(
    Int32Array.from({ length: depth }, (_, choice) => choice),
    [depth],
    'int32',
  );
  const hit = elementwise(recorder, 'Equal', [column, choices], 'bool');
  if (onValue === 1 && offValue === 0) return castTo(recorder, hit, dtype);
  const values = [onValue, offValue].map((value) => recorder.fixedTensor([value], [], dtype));
  return elementwise(recorder, 'Where', [hit, ...values], dtype);
};

const topK: Kernel = ({ x }, attributes, recorder) => {
  const { k, sorted } = attributesOf<TopKAttrs>(attributes);
  const [values, indices] = recorder.nodeOf('TopK', [recorder.name(x), recorder.integers([k])], 2, {
    axis: -1,
    sorted: Number(sorted),
  });
  const shape = [...x.shape.slice(0, -1), k];
  const narrow = recorder.node('Cast', [indices], { to: 6 });
  return [recorder.tensor(values, shape, x.dtype), recorder.tensor(narrow, shape, 'int32')];
};

/** What picks and places elements by index. */
export const gatherKernels: KernelFamily = {
  GatherV2: (inputs, attributes, recorder) => {
    if (elementCount(inputs.x.shape) === 0) throw unsupported('GatherV2 from an empty tensor cannot be compiled');
    return gather(inputs, attributes, recorder);
  },
  GatherNd: gatherNd,
  ScatterNd: scatterNd,
  UnsortedSegmentSum: segmentSum,
  OneHot: oneHot,
  TopK: topK,
};
