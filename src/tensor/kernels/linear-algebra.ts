import type { BatchMatMulAttrs, EinsumAttrs, TensorInfo, _FusedMatMulAttrs } from '@tensorflow/tfjs-core';

import type { Recorder } from '../recorder.ts';
import { activated } from './activation.ts';
import { broadcast } from './broadcast.ts';
import { elementwiseKernels } from './elementwise.ts';
import { attributesOf } from './kernel.ts';
import type { Kernel, KernelFamily } from './kernel.ts';

/** The product of the last two axes; the axes before them broadcast. */
function matrixProduct(
  recorder: Recorder,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): TensorInfo {
  const rows = a.shape.at(transposeA ? -1 : -2);
  const columns = b.shape.at(transposeB ? -2 : -1);
  const shape = [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows!, columns!];
  // ONNX Runtime multiplies whole numbers with MatMul only.
  if (a.dtype === 'float32' && a.shape.length === 2 && b.shape.length === 2) {
    const attributes = { transA: Number(transposeA), transB: Number(transposeB) };
    return recorder.tensor(recorder.product([recorder.name(a), recorder.name(b)], attributes), shape, 'float32');
  }
  const operands = [lastAxesSwapped(recorder, a, transposeA), lastAxesSwapped(recorder, b, transposeB)];
  return recorder.tensor(recorder.node('MatMul', operands), shape, a.dtype);
}

function lastAxesSwapped(recorder: Recorder, x: TensorInfo, swap: boolean): string {
  if (!swap) return recorder.name(x);
  const rank = x.shape.length;
  const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
  return recorder.node('Transpose', [recorder.name(x)], { perm });
}

const matMul: Kernel = ({ a, b }, attributes, recorder) => {
  const { transposeA, transposeB } = attributesOf<BatchMatMulAttrs>(attributes);
  return matrixProduct(recorder, a, b, transposeA, transposeB);
};

const fusedMatMul: Kernel = ({ a, b, bias, preluActivationWeights }, attributes, recorder) => {
  const { transposeA, transposeB, activation, leakyreluAlpha } = attributesOf<_FusedMatMulAttrs>(attributes);
  let x = matrixProduct(recorder, a, b, transposeA, transposeB);
  if (bias) x = elementwiseKernels.Add({ a: x, b: bias }, {}, recorder) as TensorInfo;
  return activated(recorder, x, activation, preluActivationWeights, leakyreluAlpha);
};

/** The sum over all letters that the equation's result leaves out. */
const einsum: Kernel = (inputs, attributes, recorder) => {
  const operands = Object.values(inputs);
  const equation = attributesOf<EinsumAttrs>(attributes).equation.replaceAll(/\s/g, '');
  const [terms, result] = equation.split('->');
  const lengths = new Map(
    terms
      .split(',')
      .flatMap((term, index) => [...term].map((letter, axis) => [letter, operands[index].shape[axis]] as const)),
  );
  const names = operands.map((operand) => recorder.name(operand));
  const shape = [...result].map((letter) => lengths.get(letter)!);
  return recorder.tensor(recorder.node('Einsum', names, { equation }), shape, operands[0].dtype);
};

/** Matrix products and sums of products. */
export const linearAlgebraKernels: KernelFamily = {
  BatchMatMul: matMul,
  _FusedMatMul: fusedMatMul,
  Einsum: einsum,
};
