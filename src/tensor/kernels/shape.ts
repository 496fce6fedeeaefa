import { backend_util, slice_util, util } from '@tensorflow/tfjs-core';
import type {
  BatchToSpaceNDAttrs,
  ConcatAttrs,
  DepthToSpaceAttrs,
  ExpandDimsAttrs,
  MirrorPadAttrs,
  PackAttrs,
  PadV2Attrs,
  ReshapeAttrs,
  ReverseAttrs,
  SliceAttrs,
  SpaceToBatchNDAttrs,
  SplitVAttrs,
  StridedSliceAttrs,
  TensorInfo,
  TileAttrs,
  TransposeAttrs,
  UnpackAttrs,
} from '@tensorflow/tfjs-core';

import { elementCount } from '../graph.ts';
import { sameShape } from '../recorder.ts';
import type { Recorder } from '../recorder.ts';
import { unsupported } from '../unsupported.ts';
import { attributesOf, axisFromFront } from './kernel.ts';
import type { Kernel, KernelFamily } from './kernel.ts';

/** ONNX clamps the end of a slice, so these reach the last and the first element whatever the length. */
const beyondLast = 2 ** 40;
const beforeFirst = -(2 ** 40);

/** The same elements in another shape. */
export function reshaped(recorder: Recorder, x: TensorInfo, shape: readonly number[]): TensorInfo {
  if (sameShape(x.shape, shape)) return x;
  const place = recorder.uniformValue(x) === null ? recorder.place(x) : { name: '', shape: [] };
  // One number is every shape of one element, as long as it broadcasts.
  if (elementCount(place.shape) === 1 && place.shape.length <= shape.length) return recorder.view(x, shape);
  const name = recorder.node('Reshape', [recorder.name(x), recorder.integers(shape)]);
  return recorder.tensor(name, shape, x.dtype);
}

const reshape: Kernel = ({ x }, attributes, recorder) => {
  const { shape } = attributesOf<ReshapeAttrs>(attributes);
  return reshaped(recorder, x, util.inferFromImplicitShape(shape, elementCount(x.shape)));
};

const expandDims: Kernel = ({ input }, attributes, recorder) => {
  const { dim } = attributesOf<ExpandDimsAttrs>(attributes);
  const shape = [...input.shape];
  shape.splice(axisFromFront(dim, shape.length + 1), 0, 1);
  return reshaped(recorder, input, shape);
};

const transpose: Kernel = ({ x }, attributes, recorder) => {
  const { perm } = attributesOf<TransposeAttrs>(attributes);
  const shape = perm.map((axis) => x.shape[axis]);
  if (recorder.uniformValue(x) !== null) return recorder.view(x, shape);
  return recorder.tensor(recorder.node('Transpose', [recorder.name(x)], { perm }), shape, x.dtype);
};

function concatenated(recorder: Recorder, parts: readonly TensorInfo[], axis: number): TensorInfo {
  const shape = [...parts[0].shape];
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis], 0);
  const names = parts.filter((part) => elementCount(part.shape) > 0).map((part) => recorder.name(part));
  return recorder.tensor(recorder.node('Concat', names, { axis }), shape, parts[0].dtype);
}

const concat: Kernel = (inputs, attributes, recorder) => {
  const parts = Object.values(inputs);
  const { axis } = attributesOf<ConcatAttrs>(attributes);
  return concatenated(recorder, parts, axisFromFront(axis, parts[0].shape.length));
};

function splitInto(recorder: Recorder, x: TensorInfo, sizes: readonly number[], axis: number): TensorInfo[] {
  const names = recorder.nodeOf('Split', [recorder.name(x), recorder.integers(sizes)], sizes.length, { axis });
  return names.map((name, part) => {
    const shape = x.shape.map((length, index) => (index === axis ? sizes[part] : length));
    return recorder.tensor(name, shape, x.dtype);
  });
}

const splitV: Kernel = ({ x }, attributes, recorder) => {
  const { numOrSizeSplits, axis } = attributesOf<SplitVAttrs>(attributes);
  const along = axisFromFront(axis, x.shape.length);
  if (Array.isArray(numOrSizeSplits)) return splitInto(recorder, x, numOrSizeSplits, along);
  const size = x.shape[along] / numOrSizeSplits;
  return splitInto(recorder, x, new Array<number>(numOrSizeSplits).fill(size), along);
};

const pack: Kernel = (inputs, attributes, recorder) => {
  const parts = Object.values(inputs);
  const axis = axisFromFront(attributesOf<PackAttrs>(attributes).axis, parts[0].shape.length + 1);
  const shape = [...parts[0].shape];
  shape.splice(axis, 0, 1);
  return concatenated(
    recorder,
    parts.map((part) => reshaped(recorder, part, shape)),
    axis,
  );
};

const unpack: Kernel = ({ value }, attributes, recorder) => {
  const axis = axisFromFront(attributesOf<UnpackAttrs>(attributes).axis, value.shape.length);
  const shape = value.shape.filter((_, index) => index !== axis);
  const parts = splitInto(recorder, value, new Array<number>(value.shape[axis]).fill(1), axis);
  return parts.map((part) => reshaped(recorder, part, shape));
};

/** A part of a tensor. Axes taken whole are left out, so their lengths need not be known. */
const slice: Kernel = ({ x }, attributes, recorder) => {
  const { begin, size } = attributesOf<SliceAttrs>(attributes);
  const [starts, sizes] = slice_util.parseSliceParams({ ...x, rank: x.shape.length } as never, begin, size);
  const axes = x.shape.map((_, axis) => axis).filter((axis) => sizes[axis] !== x.shape[axis]);
  if (axes.length === 0) return x;
  const name = recorder.node('Slice', [
    recorder.name(x),
    recorder.integers(axes.map((axis) => starts[axis])),
    recorder.integers(axes.map((axis) => starts[axis] + sizes[axis])),
    recorder.integers(axes),
  ]);
  return recorder.tensor(name, sizes, x.dtype);
};

const stridedSlice: Kernel = ({ x }, attributes, recorder) => {
  const a = attributesOf<StridedSliceAttrs>(attributes);
  const info = slice_util.sliceInfo(
    [...x.shape],
    a.begin,
    a.end,
    a.strides,
    a.beginMask,
    a.endMask,
    a.ellipsisMask,
    a.newAxisMask,
    a.shrinkAxisMask,
  );
  // TF.js's own finalShapeSparse leaves out axes where new ones are asked for.
  const taken = slice_util.computeOutShape(info.begin, info.end, info.strides);
  const sparse = recorder.node('Slice', [
    recorder.name(x),
    recorder.integers(info.begin),
    recorder.integers(info.end.map((end, axis) => (info.strides[axis] < 0 && end < 0 ? beforeFirst : end))),
    recorder.integers(info.begin.map((_, axis) => axis)),
    recorder.integers(info.strides),
  ]);
  return reshaped(recorder, recorder.tensor(sparse, taken, x.dtype), info.finalShape);
};

const reverse: Kernel = ({ x }, attributes, recorder) => {
  const axes = util.parseAxisParam(attributesOf<ReverseAttrs>(attributes).dims, x.shape);
  if (axes.length === 0) return x;
  const name = recorder.node('Slice', [
    recorder.name(x),
    recorder.integers(axes.map(() => beyondLast)),
    recorder.integers(axes.map(() => beforeFirst)),
    recorder.integers(axes),
    recorder.integers(axes.map(() => -1)),
  ]);
  return recorder.tensor(name, x.shape, x.dtype);
};

/** Repetition; of a single element it is a broadcast, which costs nothing. */
const tile: Kernel = ({ x }, attributes, recorder) => {
  const { reps } = attributesOf<TileAttrs>(attributes);
  const shape = x.shape.map((length, axis) => length * reps[axis]);
  if (x.shape.every((length, axis) => length === 1 || reps[axis] === 1)) return recorder.view(x, shape);
  return recorder.tensor(recorder.node('Tile', [recorder.name(x), recorder.integers(reps)]), shape, x.dtype);
};

function padded(
  recorder: Recorder,
  x: TensorInfo,
  paddings: [number, number][],
  mode: string,
  fill: string[],
): TensorInfo {
  const pads = recorder.integers([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]);
  const shape = x.shape.map((length, axis) => length + paddings[axis][0] + paddings[axis][1]);
  return recorder.tensor(recorder.node('Pad', [recorder.name(x), pads, ...fill], { mode }), shape, x.dtype);
}

const pad: Kernel = ({ x }, attributes, recorder) => {
  const { paddings, constantValue } = attributesOf<PadV2Attrs>(attributes);
  const fill = recorder.name(recorder.fixedTensor([constantValue], [], x.dtype));
  return padded(recorder, x, paddings, 'constant', [fill]);
};

/** Indices along an axis that is padded by its own mirror image, with the edge (symmetric) or without it. */
function mirrored(length: number, [before, after]: [number, number], withEdge: boolean): number[] {
  const offset = withEdge ? 1 : 0;
  return Array.from({ length: before + length + after }, (_, index) => {
    const place = index - before;
    if (place < 0) return -place - offset;
    return place < length ? place : 2 * (length - 1) - place + offset;
  });
}

const mirrorPad: Kernel = ({ x }, attributes, recorder) => {
  const { paddings, mode } = attributesOf<MirrorPadAttrs>(attributes);
  if (mode === 'reflect') return padded(recorder, x, paddings, mode, []);
  return paddings.reduce((result, padding, axis) => {
    if (padding[0] + padding[1] === 0) return result;
    const indices = mirrored(x.shape[axis], padding, true);
    const shape = result.shape.map((length, index) => (index === axis ? indices.length : length));
    const name = recorder.node('Gather', [recorder.name(result), recorder.integers(indices)], { axis });
    return recorder.tensor(name, shape, x.dtype);
  }, x);
};

const nothing = (paddings: readonly (readonly number[])[]): boolean =>
  paddings.every(([before, after]) => before === 0 && after === 0);

/** Blocks of neighbouring places become samples of their own: a padding, a transposition and two reshapes. */
const spaceToBatch: Kernel = ({ x }, attributes, recorder) => {
  const { blockShape, paddings } = attributesOf<SpaceToBatchNDAttrs>(attributes);
  const product = elementCount(blockShape);
  const whole = x.shape.map(
    (_, axis): [number, number] => (paddings[axis - 1] as [number, number] | undefined) ?? [0, 0],
  );
  const zero = recorder.name(recorder.fixedTensor([0], [], x.dtype));
  const wide = nothing(whole) ? x : padded(recorder, x, whole, 'constant', [zero]);
  const parts = backend_util.getReshaped(wide.shape, blockShape, product, false);
  const perm = backend_util.getPermuted(parts.length, blockShape.length, false);
  const ordered = transposedTensor(recorder, reshaped(recorder, wide, parts), perm);
  return reshaped(recorder, ordered, backend_util.getReshapedPermuted(wide.shape, blockShape, product, false));
};

/** The inverse of {@link spaceToBatch}. */
const batchToSpace: Kernel = ({ x }, attributes, recorder) => {
  const { blockShape, crops } = attributesOf<BatchToSpaceNDAttrs>(attributes);
  const product = elementCount(blockShape);
  const parts = backend_util.getReshaped(x.shape, blockShape, product);
  const perm = backend_util.getPermuted(parts.length, blockShape.length);
  const ordered = transposedTensor(recorder, reshaped(recorder, x, parts), perm);
  const wide = reshaped(recorder, ordered, backend_util.getReshapedPermuted(x.shape, blockShape, product));
  const begin = backend_util.getSliceBeginCoords(crops, blockShape.length);
  const size = backend_util.getSliceSize(wide.shape, crops, blockShape.length);
  return slice({ x: wide }, { begin, size }, recorder);
};

function transposedTensor(recorder: Recorder, x: TensorInfo, perm: readonly number[]): TensorInfo {
  return transpose({ x }, { perm: [...perm] }, recorder) as TensorInfo;
}

/** Channels become blocks of places. */
const depthToSpace: Kernel = ({ x }, attributes, recorder) => {
  const { blockSize: size, dataFormat } = attributesOf<DepthToSpaceAttrs>(attributes);
  if (dataFormat !== 'NHWC') throw unsupported('DepthToSpace with channels in front cannot be compiled; transpose');
  const [samples, height, width, channels] = x.shape;
  const depth = channels / (size * size);
  const parts = reshaped(recorder, x, [samples, height, width, size, size, depth]);
  const ordered = transposedTensor(recorder, parts, [0, 1, 3, 2, 4, 5]);
  return reshaped(recorder, ordered, [samples, height * size, width * size, depth]);
};

/** A square of zeros with the values on its diagonal. */
const diagonal: Kernel = ({ x }, _attributes, recorder) => {
  const size = elementCount(x.shape);
  const places = Array.from({ length: size }, (_, index) => index * (size + 1));
  const zeros = recorder.name(recorder.fixedTensor([0], [size * size], x.dtype));
  const name = recorder.node('ScatterElements', [
    zeros,
    recorder.integers(places),
    recorder.name(reshaped(recorder, x, [size])),
  ]);
  return reshaped(recorder, recorder.tensor(name, [size * size], x.dtype), [...x.shape, ...x.shape]);
};

/** What changes shapes and takes tensors apart or joins them. */
export const shapeKernels: KernelFamily = {
  Reshape: reshape,
  ExpandDims: expandDims,
  Transpose: transpose,
  Concat: concat,
  SplitV: splitV,
  Pack: pack,
  Unpack: unpack,
  Slice: slice,
  StridedSlice: stridedSlice,
  Reverse: reverse,
  Tile: tile,
  PadV2: pad,
  MirrorPad: mirrorPad,
  SpaceToBatchND: spaceToBatch,
  BatchToSpaceND: batchToSpace,
  DepthToSpace: depthToSpace,
  Diag: diagonal,
};
