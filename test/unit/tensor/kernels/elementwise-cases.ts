import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

import { Generator } from '../../../../src/rl/random.ts';
import type { Inputs } from '../compare.ts';
import type { Case, Cases, Use } from './family.ts';

const generator = new Generator(7);
const draws = (count: number, low = -3, high = 3): number[] =>
  Array.from({ length: count }, () => low + (high - low) * generator.uniform());

const edges = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 6, 7, 3e-8, -3e-8, 20, -20, 89, -120, NaN, Infinity, -Infinity];
const whole = [0, 1, -1, 2, -7, 100];
const wholeExtremes = [0, 1, -1, 2, -7, 46341, 2147483647, -2147483648];

interface UnaryOptions {
  /** Range of the random inputs. Default −3 to 3. */
  readonly range?: [number, number];
  /** Default all of {@link edges}. */
  readonly edges?: readonly number[];
  /** The edges of which gradients are compared. Default all. */
  readonly gradientEdges?: readonly number[];
  /** Whole numbers to try; null where TF.js refuses them. */
  readonly whole?: readonly number[] | null;
  readonly tolerance?: number;
  readonly gradient?: Use;
}

/** Random values, edge values, no values, one value, a scalar, whole numbers. */
function unary(f: (x: Tensor) => Tensor, options: UnaryOptions = {}): Case[] {
  const { range: [low, high] = [-3, 3], tolerance, gradient } = options;
  const of = (name: string, x: Inputs[string], more: Partial<Case> = {}): Case => ({
    name,
    use: (inputs) => f(inputs.x),
    inputs: { x },
    tolerance,
    gradient,
    ...more,
  });
  const { edges: values = edges, gradientEdges = values } = options;
  const cases = [
    of('random', { shape: [2, 9], values: draws(18, low, high) }),
    of('edges', { shape: [values.length], values: [...values] }, { gradient: false }),
    of('edges of the gradient', { shape: [gradientEdges.length], values: [...gradientEdges] }),
    of('empty', { shape: [0, 3], values: [] }),
    of('one', { shape: [1], values: draws(1, low, high) }),
    of('scalar', { shape: [], values: draws(1, low, high) }),
  ];
  const numbers = options.whole === undefined ? whole : options.whole;
  return numbers ? [...cases, of('whole', { shape: [numbers.length], values: [...numbers], type: 'int32' })] : cases;
}

interface BinaryOptions {
  readonly edges?: readonly number[];
  readonly whole?: readonly number[] | null;
  readonly gradient?: Use;
  readonly gradientEdges?: readonly number[];
}

/** Random and broadcast, edge values in pairs, whole numbers in pairs, no values, scalars. */
function binary(f: (a: Tensor, b: Tensor) => Tensor, options: BinaryOptions = {}): Case[] {
  const { edges: values = edges, gradientEdges = values } = options;
  const of = (name: string, a: Inputs[string], b: Inputs[string], more: Partial<Case> = {}): Case => ({
    name,
    use: (inputs) => f(inputs.a, inputs.b),
    inputs: { a, b },
    gradient: options.gradient,
    ...more,
  });
  const pairs = (name: string, list: readonly number[], type: 'float32' | 'int32', more: Partial<Case> = {}): Case => {
    const both = list.flatMap((x) => list.map((y) => [x, y]));
    const [a, b] = [0, 1].map((side) => ({ shape: [both.length], values: both.map((pair) => pair[side]), type }));
    return of(name, a, b, more);
  };
  const cases = [
    of('random', { shape: [3, 4], values: draws(12, 0.2, 3) }, { shape: [3, 4], values: draws(12, 0.2, 3) }),
    of('broadcast', { shape: [2, 1, 4], values: draws(8, 0.2, 3) }, { shape: [3, 1], values: draws(3, 0.2, 3) }),
    of('scalar', { shape: [], values: [2.5] }, { shape: [2, 2], values: draws(4, 0.2, 3) }),
    of(
      'empty',
      { shape: [0, 3], values: [] },
      { shape: [3], values: draws(3) },
      { gradient: ({ a, b }) => tf.add(a, b) },
    ),
    pairs('edges', values, 'float32', { gradient: false }),
    ...(gradientEdges.length > 0 ? [pairs('edges of the gradient', gradientEdges, 'float32')] : []),
  ];
  const numbers = options.whole === undefined ? wholeExtremes : options.whole;
  return numbers ? [...cases, pairs('whole', numbers, 'int32')] : cases;
}

/** TF.js's gradients of some operations leave broadcast axes in: the same with both operands in full shape. */
const broadcastFirst =
  (f: (a: Tensor, b: Tensor) => Tensor): Use =>
  ({ a, b }) => {
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    return f(tf.broadcastTo(a, shape), tf.broadcastTo(b, shape));
  };

/** A truth value made a factor, so that a gradient reaches it. */
const asFactor =
  (f: (x: Tensor) => Tensor) =>
  (x: Tensor): Tensor =>
    tf.mul(tf.cast(f(x), 'float32'), tf.cast(x, 'float32'));

/** Comparisons have no gradient of their own: it goes through the factor. */
const comparison =
  (f: (a: Tensor, b: Tensor) => Tensor) =>
  (a: Tensor, b: Tensor): Tensor =>
    tf.mul(tf.cast(f(a, b), 'float32'), tf.cast(a, 'float32'));

const logic =
  (f: (a: Tensor, b: Tensor) => Tensor) =>
  (a: Tensor, b: Tensor): Tensor =>
    comparison((x, y) => f(tf.cast(x, 'bool'), tf.cast(y, 'bool')))(a, b);

/** One value at a time, where TF.js's CPU backend does not do what TF.js documents. */
const stated = (name: string, use: Use, values: number[], expected: number[]): Case => ({
  name,
  use,
  inputs: { x: { shape: [values.length], values } },
  expected,
  gradient: false,
});

const finite = edges.filter(Number.isFinite);
const numbers = edges.filter((value) => !Number.isNaN(value));
/** TF.js computes products of whole numbers in double precision, which rounds those of more than 53 bits. */
const wholeUpTo53Bits = wholeExtremes.filter((value) => Math.abs(value) < 2 ** 26);
const withBroadcast = (f: (a: Tensor, b: Tensor) => Tensor, options: BinaryOptions = {}): Case[] =>
  binary(f, { ...options, gradient: broadcastFirst(f) });

/** Uses of the operations of the family. */
export const cases: Cases = {
  Add: binary(tf.add),
  Sub: binary(tf.sub),
  Multiply: binary(tf.mul, { whole: wholeUpTo53Bits }),
  RealDiv: binary(tf.div, { whole: null }),
  // TF.js's CPU backend gives whole numbers also for real ones, which its other backends do not.
  // Its gradient, of a step function, is zero; TF.js gives that of the division.
  FloorDiv: [
    ...binary(comparison(tf.floorDiv), {
      whole: wholeUpTo53Bits,
      edges: [1, -7, 20, 0.5],
      gradient: ({ a, b }) => tf.mul(tf.floor(tf.div(a, b)), a),
    }),
    stated('by zero', ({ x }) => tf.floorDiv(x, 0), [0, 2, -2], [NaN, Infinity, -Infinity]),
  ],
  Mod: [
    ...binary(tf.mod, { edges: finite }),
    stated('by infinity, as Python has it', ({ x }) => tf.mod(x, Infinity), [2, -2], [2, Infinity]),
  ],
  Pow: [
    ...binary(tf.pow, { edges: numbers.filter((value) => Math.abs(value) !== 1), whole: [0, 1, 2, 3, 7] }),
    stated('of one, as IEEE 754 has it', ({ x }) => tf.pow(1, x), [NaN, Infinity, -Infinity], [1, 1, 1]),
  ],
  Maximum: withBroadcast(tf.maximum),
  Minimum: withBroadcast(tf.minimum),
  SquaredDifference: withBroadcast(tf.squaredDifference, { whole: [0, 1, -1, 2, -7, 30000] }),
  Equal: binary(comparison(tf.equal), { whole: wholeUpTo53Bits }),
  NotEqual: binary(comparison(tf.notEqual), { whole: wholeUpTo53Bits }),
  Greater: binary(comparison(tf.greater), { whole: wholeUpTo53Bits }),
  GreaterEqual: binary(comparison(tf.greaterEqual), { whole: wholeUpTo53Bits }),
  Less: binary(comparison(tf.less), { whole: wholeUpTo53Bits }),
  LessEqual: binary(comparison(tf.lessEqual), { whole: wholeUpTo53Bits }),
  LogicalAnd: binary(logic(tf.logicalAnd), { whole }),
  LogicalOr: binary(logic(tf.logicalOr), { whole }),
  LogicalNot: unary(asFactor((x) => tf.logicalNot(tf.cast(x, 'bool')))),
  Atan2: binary(tf.atan2, { edges: numbers, gradientEdges: finite.filter((value) => value !== 0), whole }),
  BitwiseAnd: [
    {
      name: 'whole numbers',
      use: ({ a, b }) => tf.bitwiseAnd(a, b),
      inputs: {
        a: { shape: [4], values: [12, -1, 2147483647, 0], type: 'int32' },
        b: { shape: [4], values: [10, 77, -2147483648, 3], type: 'int32' },
      },
    },
    {
      name: 'bits made a factor',
      use: ({ x }) => tf.mul(tf.cast(tf.bitwiseAnd(tf.cast(x, 'int32'), tf.tensor1d([6, 6], 'int32')), 'float32'), x),
      inputs: { x: { shape: [2], values: [3.5, 5.5] } },
      gradient: ({ x }) => tf.mul(tf.tensor1d([2, 4]), x),
    },
  ],
  AddN: binary((a, b) => tf.addN([tf.add(a, b), tf.mul(a, b)]), { whole }),
  Prelu: withBroadcast(tf.prelu, { whole, gradientEdges: numbers }),
  Select: binary((a, b) => tf.where(tf.greater(a, b), a, tf.mul(b, 2)), { whole }),

  Abs: unary(tf.abs),
  Neg: unary(tf.neg, { whole: wholeExtremes.slice(0, -1) }),
  Sign: [...unary(tf.sign, { edges: numbers }), stated('keeps not-a-number', ({ x }) => tf.sign(x), [NaN], [NaN])],
  Square: unary(tf.square),
  Identity: unary((x) => tf.mul(tf.clone(x), tf.clone(x))),
  Cast: unary((x) => tf.mul(tf.cast(tf.cast(x, 'int32'), 'float32'), tf.cast(x, 'float32')), { edges: finite }),
  ClipByValue: unary((x) => tf.clipByValue(x, -0.7, 1.2)),
  Step: unary((x) => tf.step(x, 0.25)),

  Acos: unary(tf.acos, { range: [-1, 1] }),
  Acosh: unary(tf.acosh, { range: [1.1, 3] }),
  Asin: unary(tf.asin, { range: [-1, 1] }),
  Asinh: unary(tf.asinh),
  Atan: unary(tf.atan),
  Atanh: unary(tf.atanh, { range: [-0.9, 0.9] }),
  Ceil: unary(tf.ceil, { whole: null }),
  Cos: unary(tf.cos, { whole: null }),
  Cosh: unary(tf.cosh, { whole: null }),
  Erf: unary(tf.erf),
  Exp: unary(tf.exp),
  Expm1: unary(tf.expm1, { whole: [0, 1, -1, 2, -7] }),
  Floor: unary(tf.floor, { whole: null }),
  IsFinite: unary(asFactor(tf.isFinite)),
  IsInf: unary(asFactor(tf.isInf)),
  IsNan: unary(asFactor(tf.isNaN)),
  Log: unary(tf.log, { range: [0.01, 3], whole: null }),
  Log1p: unary(tf.log1p, { range: [-0.9, 3] }),
  Reciprocal: unary(tf.reciprocal),
  Round: unary(tf.round),
  Rsqrt: unary(tf.rsqrt, { range: [0.1, 3], whole: null }),
  Sigmoid: unary(tf.sigmoid, { whole: null }),
  Sin: unary(tf.sin, { whole: null }),
  Sinh: unary(tf.sinh, { whole: [0, 1, -1, 2, -7] }),
  Softplus: unary(tf.softplus),
  Sqrt: unary(tf.sqrt, { range: [0, 3], whole: null }),
  Tan: unary(tf.tan, { whole: null }),
  Tanh: unary(tf.tanh, { whole: null }),

  Elu: unary(tf.elu, { whole: null }),
  EluGrad: [
    {
      name: 'directly',
      use: ({ dy, y }) => tf.engine().runKernel('EluGrad', { dy, y }),
      inputs: { dy: { shape: [4], values: [1, 2, 3, 4] }, y: { shape: [4], values: [-0.5, 0, 2, -0.9] } },
    },
  ],
  LeakyRelu: unary((x) => tf.leakyRelu(x, 0.3)),
  Relu: unary(tf.relu, { gradientEdges: numbers }),
  Relu6: unary(tf.relu6, { gradientEdges: numbers }),
  Selu: unary(tf.selu),
};
