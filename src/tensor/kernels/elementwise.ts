import { upcastType } from '@tensorflow/tfjs-core';
import type {
  CastAttrs,
  ClipByValueAttrs,
  DataType,
  LeakyReluAttrs,
  NamedAttrMap,
  StepAttrs,
  TensorInfo,
} from '@tensorflow/tfjs-core';

import type { Attribute } from '../graph.ts';
import type { Recorder } from '../recorder.ts';
import { unsupported } from '../unsupported.ts';
import { broadcast } from './broadcast.ts';
import { attributesOf } from './kernel.ts';
import type { Kernel, KernelFamily } from './kernel.ts';

/** Applies an operation to each element; operands broadcast. */
export function elementwise(
  recorder: Recorder,
  operator: string,
  operands: readonly TensorInfo[],
  dtype: DataType,
  attributes: Record<string, Attribute> = {},
): TensorInfo {
  const places = operands.map((operand) => recorder.place(operand));
  const name = recorder.node(
    operator,
    places.map((place) => place.name),
    attributes,
  );
  const shape = operands.map((operand) => operand.shape).reduce(broadcast);
  const placeShape = places.map((place) => place.shape).reduce(broadcast);
  return recorder.tensor(name, shape, dtype, placeShape);
}

/** Numbers of double precision, which no tensor of TF.js has; only steps between use them. */
const float64 = 11;

/** A number as a tensor of the type of `like`. */
export function scalarLike(recorder: Recorder, value: number, like: TensorInfo): TensorInfo {
  return recorder.fixedTensor([value], [], like.dtype);
}

/** `x` in another type; the same tensor when it has that type already. */
export function castTo(recorder: Recorder, x: TensorInfo, dtype: DataType): TensorInfo {
  if (x.dtype === dtype) return x;
  const to = { float32: 1, int32: 6, bool: 9 }[dtype as string];
  if (to === undefined) throw unsupported(`Cast to ${dtype} cannot be compiled`);
  const source = x.dtype === 'float32' && dtype === 'int32' ? withinWholeNumbers(recorder, x) : x;
  return elementwise(recorder, 'Cast', [source], dtype, { to });
}

/** What no whole number of 32 bits is near becomes 0, as not-a-number and ±∞ do in TF.js; ONNX leaves it open. */
function withinWholeNumbers(recorder: Recorder, x: TensorInfo): TensorInfo {
  const size = elementwise(recorder, 'Abs', [x], x.dtype);
  const fits = elementwise(recorder, 'Less', [size, scalarLike(recorder, 2 ** 31, x)], 'bool');
  return elementwise(recorder, 'Where', [fits, x, scalarLike(recorder, 0, x)], x.dtype);
}

/** An operation whose result has the type of its operands. */
const arithmetic =
  (operator: string): Kernel =>
  ({ a, b }, _attributes, recorder) =>
    elementwise(recorder, operator, [a, b], a.dtype);

const comparison =
  (operator: string): Kernel =>
  ({ a, b }, _attributes, recorder) =>
    elementwise(recorder, operator, [a, b], 'bool');

/** ONNX compares truth values only for equality of other types in older sets: as whole numbers they always compare. */
const numberComparison =
  (operator: string): Kernel =>
  ({ a, b }, _attributes, recorder) => {
    const [x, y] = a.dtype === 'bool' ? [castTo(recorder, a, 'int32'), castTo(recorder, b, 'int32')] : [a, b];
    return elementwise(recorder, operator, [x, y], 'bool');
  };

/** A function of real numbers. As in TF.js's CPU backend, its value for a whole number is cut to a whole number. */
const ofReal =
  (build: (x: TensorInfo, recorder: Recorder, attributes: NamedAttrMap) => TensorInfo): Kernel =>
  ({ x }, attributes, recorder) =>
    castTo(recorder, build(castTo(recorder, x, 'float32'), recorder, attributes), x.dtype);

const real = (operator: string): Kernel => ofReal((x, recorder) => elementwise(recorder, operator, [x], 'float32'));

/** A function whose result has the type of its operand. */
const sameType =
  (operator: string): Kernel =>
  ({ x }, _attributes, recorder) =>
    elementwise(recorder, operator, [x], x.dtype);

const truthTest =
  (operator: string): Kernel =>
  ({ x }, _attributes, recorder) =>
    elementwise(recorder, operator, [castTo(recorder, x, 'float32')], 'bool');

/** Multiplication by one is a change of shape at most: gradients of sums and means are full of it. */
const multiply: Kernel = (inputs, attributes, recorder) => {
  const { a, b } = inputs;
  const shape = broadcast(a.shape, b.shape);
  if (recorder.uniformValue(b) === 1) return recorder.view(a, shape);
  if (recorder.uniformValue(a) === 1) return recorder.view(b, shape);
  return arithmetic('Mul')(inputs, attributes, recorder);
};

/** A matrix product plus a row vector is one operation. */
const add: Kernel = (inputs, attributes, recorder) =>
  biased(inputs.a, inputs.b, recorder) ??
  biased(inputs.b, inputs.a, recorder) ??
  arithmetic('Add')(inputs, attributes, recorder);

function biased(matrix: TensorInfo, row: TensorInfo, recorder: Recorder): TensorInfo | null {
  const product = recorder.productOf(recorder.place(matrix).name);
  if (!product || row.shape.length !== 1 || row.shape[0] !== matrix.shape[1]) return null;
  const name = recorder.product([...product.inputs, recorder.place(row).name], { ...product.attributes });
  return recorder.tensor(name, matrix.shape, matrix.dtype);
}

/** ONNX Runtime's processor traps, and ends the process, where whole numbers are divided by 0 or their least by −1. */
function dividesSafely(recorder: Recorder, divisor: TensorInfo): boolean {
  const values = recorder.fixedValues(divisor);
  return values !== null && Array.prototype.every.call(values, (value: number) => value !== 0 && value !== -1);
}

/** Quotient rounded towards minus infinity; of whole numbers divided by 0 it is 0, as in TF.js. */
const floorDivide: Kernel = ({ a, b }, _attributes, recorder) => {
  if (a.dtype !== 'int32') {
    return elementwise(recorder, 'Floor', [elementwise(recorder, 'Div', [a, b], a.dtype)], a.dtype);
  }
  if (dividesSafely(recorder, b)) {
    const rest = elementwise(recorder, 'Mod', [a, b], 'int32');
    return elementwise(recorder, 'Div', [elementwise(recorder, 'Sub', [a, rest], 'int32'), b], 'int32');
  }
  // Numbers of double precision hold the quotient of two whole numbers of 32 bits without rounding it up.
  const [x, y] = [a, b].map((operand) => elementwise(recorder, 'Cast', [operand], 'float32', { to: float64 }));
  const floor = elementwise(recorder, 'Floor', [elementwise(recorder, 'Div', [x, y], 'float32')], 'float32');
  const quotient = elementwise(recorder, 'Cast', [floor], 'int32', { to: 6 });
  const zero = scalarLike(recorder, 0, b);
  return elementwise(recorder, 'Where', [elementwise(recorder, 'Equal', [b, zero], 'bool'), zero, quotient], 'int32');
};

/** Remainder of whole numbers: 0 where the divisor is 0, as in TF.js, or ±1. */
function wholeModulo(recorder: Recorder, a: TensorInfo, b: TensorInfo): TensorInfo {
  if (dividesSafely(recorder, b)) return elementwise(recorder, 'Mod', [a, b], 'int32');
  const one = scalarLike(recorder, 1, b);
  const trapping = elementwise(
    recorder,
    'Less',
    [
      elementwise(recorder, 'Abs', [elementwise(recorder, 'Max', [b, scalarLike(recorder, -2, b)], 'int32')], 'int32'),
      scalarLike(recorder, 2, b),
    ],
    'bool',
  );
  return elementwise(recorder, 'Mod', [a, elementwise(recorder, 'Where', [trapping, one, b], 'int32')], 'int32');
}

/** Remainder with the sign of the divisor, as in TF.js; ONNX's for real numbers has the dividend's. */
const modulo: Kernel = ({ a, b }, _attributes, recorder) => {
  if (a.dtype === 'int32') return wholeModulo(recorder, a, b);
  const rest = elementwise(recorder, 'Mod', [a, b], a.dtype, { fmod: 1 });
  const signs = elementwise(recorder, 'Mul', [rest, b], a.dtype);
  const signsDiffer = elementwise(recorder, 'Less', [signs, scalarLike(recorder, 0, a)], 'bool');
  return elementwise(recorder, 'Where', [signsDiffer, elementwise(recorder, 'Add', [rest, b], a.dtype), rest], a.dtype);
};

const clip: Kernel = ({ x }, attributes, recorder) => {
  const { clipValueMin, clipValueMax } = attributesOf<ClipByValueAttrs>(attributes);
  return elementwise(
    recorder,
    'Clip',
    [x, scalarLike(recorder, clipValueMin, x), scalarLike(recorder, clipValueMax, x)],
    x.dtype,
  );
};

/** 1 above zero, `alpha` at or below it; not-a-number stays what it is. */
const step: Kernel = ({ x }, attributes, recorder) => {
  const { alpha } = attributesOf<StepAttrs>(attributes);
  const positive = elementwise(recorder, 'Greater', [x, scalarLike(recorder, 0, x)], 'bool');
  const value = elementwise(
    recorder,
    'Where',
    [positive, scalarLike(recorder, 1, x), scalarLike(recorder, alpha, x)],
    x.dtype,
  );
  if (x.dtype !== 'float32') return value;
  return elementwise(recorder, 'Where', [elementwise(recorder, 'IsNaN', [x], 'bool'), x, value], x.dtype);
};

const composed = (build: (x: TensorInfo, recorder: Recorder) => TensorInfo): Kernel => {
  return ({ x }, _attributes, recorder) => build(x, recorder);
};

/** The angle of the point (b, a), in the half planes where the quotient's alone does not tell it. */
const angle: Kernel = ({ a: rise, b: run }, _attributes, recorder) => {
  const [a, b] = [castTo(recorder, rise, 'float32'), castTo(recorder, run, 'float32')];
  const of = (operator: string, ...operands: TensorInfo[]): TensorInfo =>
    elementwise(recorder, operator, operands, 'float32');
  const test = (operator: string, x: TensorInfo, y: TensorInfo): TensorInfo =>
    elementwise(recorder, operator, [x, y], 'bool');
  const number = (value: number): TensorInfo => recorder.fixedTensor([value], [], 'float32');
  // The sign bit, which tells −0 from 0, is that of 1/x.
  const negative = (x: TensorInfo): TensorInfo =>
    test('Less', of('Where', test('Equal', x, number(0)), of('Div', number(1), x), x), number(0));
  const infinite = elementwise(
    recorder,
    'And',
    [elementwise(recorder, 'IsInf', [a], 'bool'), elementwise(recorder, 'IsInf', [b], 'bool')],
    'bool',
  );
  const size = of('Where', infinite, number(1), of('Div', of('Abs', a), of('Abs', b)));
  const origin = elementwise(recorder, 'And', [test('Equal', a, number(0)), test('Equal', b, number(0))], 'bool');
  const right = of('Atan', of('Where', origin, number(0), size));
  const upper = of('Where', negative(b), of('Sub', number(Math.PI), right), right);
  return castTo(recorder, of('Where', negative(a), of('Neg', upper), upper), rise.dtype);
};

/** Bit by bit, as TF.js has it for whole numbers. */
const bitwiseAnd: Kernel = ({ a, b }, _attributes, recorder) => elementwise(recorder, 'BitwiseAnd', [a, b], 'int32');

/** ONNX lets the slopes broadcast to the operand, not the other way round. */
const prelu: Kernel = ({ x, alpha }, _attributes, recorder) => {
  const shape = broadcast(x.shape, alpha.shape);
  const grown = [recorder.name(recorder.view(x, shape)), recorder.place(alpha).name];
  return recorder.tensor(recorder.node('PRelu', grown), shape, x.dtype);
};

/** The gradient of Elu from its value: TF.js runs it as a kernel. */
const eluGrad: Kernel = ({ dy, y }, _attributes, recorder) => {
  const one = recorder.fixedTensor([1], [], 'float32');
  const slope = elementwise(
    recorder,
    'Where',
    [
      elementwise(recorder, 'GreaterOrEqual', [y, recorder.fixedTensor([0], [], 'float32')], 'bool'),
      one,
      elementwise(recorder, 'Add', [y, one], 'float32'),
    ],
    'float32',
  );
  return elementwise(recorder, 'Mul', [dy, slope], 'float32');
};

/** Arithmetic, comparison, logic and functions of each element. */
export const elementwiseKernels: KernelFamily = {
  Add: add,
  Sub: arithmetic('Sub'),
  Multiply: multiply,
  RealDiv: arithmetic('Div'),
  FloorDiv: floorDivide,
  Mod: modulo,
  Pow: arithmetic('Pow'),
  Maximum: arithmetic('Max'),
  Minimum: arithmetic('Min'),
  SquaredDifference: ({ a, b }, _attributes, recorder) => {
    const difference = elementwise(recorder, 'Sub', [a, b], a.dtype);
    return elementwise(recorder, 'Mul', [difference, difference], a.dtype);
  },
  AddN: (inputs, _attributes, recorder) => {
    const terms = Object.values(inputs);
    if (terms[0].dtype === 'float32') return elementwise(recorder, 'Sum', terms, 'float32');
    return terms.reduce((sum, term) => elementwise(recorder, 'Add', [sum, term], sum.dtype));
  },
  Atan2: angle,
  BitwiseAnd: bitwiseAnd,
  Prelu: prelu,

  Equal: numberComparison('Equal'),
  NotEqual: ({ a, b }, attributes, recorder) => {
    const equal = numberComparison('Equal')({ a, b }, attributes, recorder) as TensorInfo;
    return elementwise(recorder, 'Not', [equal], 'bool');
  },
  Greater: numberComparison('Greater'),
  GreaterEqual: numberComparison('GreaterOrEqual'),
  Less: numberComparison('Less'),
  LessEqual: numberComparison('LessOrEqual'),
  LogicalAnd: comparison('And'),
  LogicalOr: comparison('Or'),
  LogicalNot: sameType('Not'),
  Select: ({ condition, t, e }, _attributes, recorder) => {
    const dtype = upcastType(t.dtype, e.dtype);
    const choices = [castTo(recorder, t, dtype), castTo(recorder, e, dtype)];
    return elementwise(recorder, 'Where', [condition, ...choices], dtype);
  },

  Abs: sameType('Abs'),
  Neg: sameType('Neg'),
  Sign: sameType('Sign'),
  Square: composed((x, recorder) => elementwise(recorder, 'Mul', [x, x], x.dtype)),
  Identity: composed((x) => x),
  Cast: ({ x }, attributes, recorder) => castTo(recorder, x, attributesOf<CastAttrs>(attributes).dtype),
  ClipByValue: clip,
  Step: step,

  Acos: real('Acos'),
  Acosh: real('Acosh'),
  Asin: real('Asin'),
  Asinh: real('Asinh'),
  Atan: real('Atan'),
  Atanh: real('Atanh'),
  Ceil: real('Ceil'),
  Cos: real('Cos'),
  Cosh: real('Cosh'),
  Erf: real('Erf'),
  Exp: ({ x }, _attributes, recorder) => elementwise(recorder, 'Exp', [castTo(recorder, x, 'float32')], 'float32'),
  Floor: real('Floor'),
  Log: real('Log'),
  Reciprocal: real('Reciprocal'),
  Round: real('Round'),
  Sigmoid: real('Sigmoid'),
  Sin: real('Sin'),
  Sinh: real('Sinh'),
  Softplus: real('Softplus'),
  Sqrt: real('Sqrt'),
  Tan: real('Tan'),
  Tanh: real('Tanh'),
  Relu: sameType('Relu'),
  Elu: real('Elu'),
  EluGrad: eluGrad,
  LeakyRelu: ({ x }, attributes, recorder) =>
    elementwise(recorder, 'LeakyRelu', [castTo(recorder, x, 'float32')], 'float32', {
      alpha: { float: attributesOf<LeakyReluAttrs>(attributes).alpha },
    }),
  Relu6: composed((x, recorder) =>
    elementwise(recorder, 'Clip', [x, scalarLike(recorder, 0, x), scalarLike(recorder, 6, x)], x.dtype),
  ),
  Selu: real('Selu'),
  Expm1: ofReal((x, recorder) => {
    const power = elementwise(recorder, 'Exp', [x], 'float32');
    return elementwise(recorder, 'Sub', [power, scalarLike(recorder, 1, power)], 'float32');
  }),
  Log1p: ofReal((x, recorder) => {
    const shifted = elementwise(recorder, 'Add', [x, scalarLike(recorder, 1, x)], 'float32');
    return elementwise(recorder, 'Log', [shifted], 'float32');
  }),
  Rsqrt: ofReal((x, recorder) =>
    elementwise(recorder, 'Reciprocal', [elementwise(recorder, 'Sqrt', [x], 'float32')], 'float32'),
  ),

  IsNan: truthTest('IsNaN'),
  IsInf: truthTest('IsInf'),
  IsFinite: composed((x, recorder) => {
    // x − x is 0 for finite numbers and not a number for all others.
    const difference = elementwise(recorder, 'Sub', [x, x], x.dtype);
    return elementwise(recorder, 'Equal', [difference, scalarLike(recorder, 0, x)], 'bool');
  }),
};
