import * as tf from '@tensorflow/tfjs-core';
import type { ClipByValueAttrs, LeakyReluAttrs, NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';

import { noGradient, onlyWhere, sumToShape } from './gradient.ts';
import type { GradientEntry, GradientFamily } from './gradient.ts';

/** A function of one input whose derivative is most easily written with the input. */
const ofInput = (derivative: (dy: Tensor, x: Tensor, attributes: NamedAttrMap) => Tensor): GradientEntry => ({
  keep: ['x'],
  gradient: (dy, { inputs, attributes }) => ({ x: () => derivative(dy, tf.cast(inputs.x, 'float32'), attributes) }),
});

/** A function of one input whose derivative is most easily written with the output. */
const ofOutput = (derivative: (dy: Tensor, y: Tensor) => Tensor): GradientEntry => ({
  gradient: (dy, { output }) => ({ x: () => derivative(dy, output) }),
});

/** A step function. */
const flat: GradientEntry = {
  keep: ['x'],
  gradient: (_dy, { inputs: { x } }) => ({ x: () => noGradient(x) }),
};

/** A function of two inputs that broadcast. */
const ofTwo = (
  byA: (dy: Tensor, a: Tensor, b: Tensor) => Tensor,
  byB: (dy: Tensor, a: Tensor, b: Tensor) => Tensor,
): GradientEntry => ({
  keep: ['a', 'b'],
  gradient: (dy, { inputs }) => {
    const [a, b] = [tf.cast(inputs.a, 'float32'), tf.cast(inputs.b, 'float32')];
    return { a: () => sumToShape(byA(dy, a, b), a.shape), b: () => sumToShape(byB(dy, a, b), b.shape) };
  },
});

/** A step function of two inputs. */
const undifferentiable: GradientEntry = {
  keep: ['a', 'b'],
  gradient: (_dy, { inputs: { a, b } }) => ({ a: () => noGradient(a), b: () => noGradient(b) }),
};

const oneMinus = (x: Tensor): Tensor => tf.sub(tf.scalar(1), x);
const onePlus = (x: Tensor): Tensor => tf.add(tf.scalar(1), x);

/** Constants of the self-normalising unit (Klambauer et al. 2017). */
const seluScale = 1.0507009873554805;
const seluAlpha = 1.6732632423543772;

/** ∂ aᵇ / ∂b = aᵇ ln a, taken as 0 where a is not positive, as TF.js does. */
function powerByExponent(dy: Tensor, a: Tensor, b: Tensor): Tensor {
  const positive = tf.greater(a, 0);
  const logarithm = tf.where(positive, tf.log(tf.where(positive, a, tf.scalar(1))), tf.scalar(0));
  return tf.mul(dy, tf.mul(tf.pow(a, b), logarithm));
}

/** Gradients of the operations on each element. */
export const elementwiseGradients: GradientFamily = {
  Add: ofTwo(
    (dy) => dy,
    (dy) => dy,
  ),
  Sub: ofTwo(
    (dy) => dy,
    (dy) => tf.neg(dy),
  ),
  Multiply: ofTwo(
    (dy, _a, b) => tf.mul(dy, b),
    (dy, a) => tf.mul(dy, a),
  ),
  RealDiv: ofTwo(
    (dy, _a, b) => tf.div(dy, b),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, a), tf.square(b))),
  ),
  FloorDiv: undifferentiable,
  Mod: ofTwo(
    (dy) => dy,
    (dy, a, b) => tf.neg(tf.mul(dy, tf.floor(tf.div(a, b)))),
  ),
  Pow: ofTwo((dy, a, b) => tf.mul(dy, tf.mul(b, tf.pow(a, tf.sub(b, 1)))), powerByExponent),
  Maximum: ofTwo(
    (dy, a, b) => onlyWhere(tf.greaterEqual(a, b), dy),
    (dy, a, b) => onlyWhere(tf.less(a, b), dy),
  ),
  Minimum: ofTwo(
    (dy, a, b) => onlyWhere(tf.lessEqual(a, b), dy),
    (dy, a, b) => onlyWhere(tf.greater(a, b), dy),
  ),
  SquaredDifference: ofTwo(
    (dy, a, b) => tf.mul(dy, tf.mul(tf.scalar(2), tf.sub(a, b))),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.scalar(2), tf.sub(b, a))),
  ),
  Atan2: ofTwo(
    (dy, a, b) => tf.mul(dy, tf.div(b, tf.add(tf.square(a), tf.square(b)))),
    (dy, a, b) => tf.neg(tf.mul(dy, tf.div(a, tf.add(tf.square(a), tf.square(b))))),
  ),
  BitwiseAnd: undifferentiable,
  AddN: {
    keep: 'all',
    gradient: (dy, { inputs }) => Object.fromEntries(Object.keys(inputs).map((name) => [name, () => dy])),
  },
  Prelu: {
    keep: ['x', 'alpha'],
    gradient: (dy: Tensor, { inputs: { x, alpha } }) => ({
      x: () => sumToShape(tf.where(tf.greater(x, 0), dy, tf.mul(dy, alpha)), x.shape),
      alpha: () => sumToShape(onlyWhere(tf.lessEqual(x, 0), tf.mul(dy, x)), alpha.shape),
    }),
  },

  Equal: undifferentiable,
  NotEqual: undifferentiable,
  Greater: undifferentiable,
  GreaterEqual: undifferentiable,
  Less: undifferentiable,
  LessEqual: undifferentiable,
  LogicalAnd: undifferentiable,
  LogicalOr: undifferentiable,
  LogicalNot: flat,
  Select: {
    keep: ['condition', 't', 'e'],
    gradient: (dy: Tensor, { inputs: { condition, t, e } }) => ({
      condition: () => noGradient(condition),
      t: () => sumToShape(onlyWhere(condition, dy), t.shape),
      e: () => sumToShape(tf.where(condition, tf.scalar(0), dy), e.shape),
    }),
  },

  Abs: ofInput((dy, x) => tf.mul(dy, tf.step(x, -1))),
  Neg: ofInput((dy) => tf.neg(dy)),
  Sign: flat,
  Square: ofInput((dy, x) => tf.mul(dy, tf.mul(x, tf.scalar(2)))),
  Identity: ofInput((dy) => dy),
  Cast: ofInput((dy) => dy),
  ClipByValue: ofInput((dy, x, attributes) => {
    const { clipValueMin, clipValueMax } = attributes as unknown as ClipByValueAttrs;
    return onlyWhere(tf.logicalAnd(tf.greaterEqual(x, clipValueMin), tf.lessEqual(x, clipValueMax)), dy);
  }),
  Step: flat,
  Ceil: flat,
  Floor: flat,
  Round: flat,
  IsFinite: flat,
  IsInf: flat,
  IsNan: flat,

  Acos: ofInput((dy, x) => tf.neg(tf.div(dy, tf.sqrt(oneMinus(tf.square(x)))))),
  Acosh: ofInput((dy, x) => tf.div(dy, tf.sqrt(tf.sub(tf.square(x), 1)))),
  Asin: ofInput((dy, x) => tf.div(dy, tf.sqrt(oneMinus(tf.square(x))))),
  Asinh: ofInput((dy, x) => tf.div(dy, tf.sqrt(onePlus(tf.square(x))))),
  Atan: ofInput((dy, x) => tf.div(dy, onePlus(tf.square(x)))),
  Atanh: ofInput((dy, x) => tf.div(dy, oneMinus(tf.square(x)))),
  Cos: ofInput((dy, x) => tf.neg(tf.mul(dy, tf.sin(x)))),
  Cosh: ofInput((dy, x) => tf.mul(dy, tf.sinh(x))),
  Erf: ofInput((dy, x) => tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(x))), tf.scalar(2 / Math.sqrt(Math.PI))))),
  Exp: ofOutput((dy, y) => tf.mul(dy, y)),
  Expm1: ofInput((dy, x) => tf.mul(dy, tf.exp(x))),
  Log: ofInput((dy, x) => tf.div(dy, x)),
  Log1p: ofInput((dy, x) => tf.div(dy, onePlus(x))),
  Reciprocal: ofOutput((dy, y) => tf.neg(tf.mul(dy, tf.square(y)))),
  Rsqrt: ofInput((dy, x) => tf.neg(tf.div(dy, tf.mul(tf.pow(x, 1.5), tf.scalar(2))))),
  Sigmoid: ofOutput((dy, y) => tf.mul(dy, tf.mul(y, oneMinus(y)))),
  Sin: ofInput((dy, x) => tf.mul(dy, tf.cos(x))),
  Sinh: ofInput((dy, x) => tf.mul(dy, tf.cosh(x))),
  Softplus: ofInput((dy, x) => tf.mul(dy, tf.sigmoid(x))),
  Sqrt: ofOutput((dy, y) => tf.div(dy, tf.mul(y, tf.scalar(2)))),
  Tan: ofInput((dy, x) => tf.div(dy, tf.square(tf.cos(x)))),
  Tanh: ofOutput((dy, y) => tf.mul(dy, oneMinus(tf.square(y)))),
  Relu: ofOutput((dy, y) => onlyWhere(tf.greater(y, 0), dy)),
  Relu6: ofInput((dy, x) => onlyWhere(tf.logicalAnd(tf.greater(x, 0), tf.lessEqual(x, 6)), dy)),
  Elu: ofOutput((dy, y) => tf.mul(dy, tf.where(tf.greaterEqual(y, 0), tf.scalar(1), onePlus(y)))),
  LeakyRelu: ofInput((dy, x, attributes) => {
    const { alpha } = attributes as unknown as LeakyReluAttrs;
    return tf.where(tf.greater(x, 0), dy, tf.mul(dy, tf.scalar(alpha)));
  }),
  Selu: ofInput((dy, x) => {
    const slope = tf.where(tf.greater(x, 0), tf.scalar(seluScale), tf.mul(tf.exp(x), tf.scalar(seluScale * seluAlpha)));
    return tf.mul(dy, slope);
  }),
};
