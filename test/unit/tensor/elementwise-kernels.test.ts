import test from 'node:test';

import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

import { Generator } from '../../../src/rl/random.ts';
import { assertSameAsCpuBackend } from './compare.ts';

const generator = new Generator(7);
const draws = (count: number, low: number, high: number): number[] =>
  Array.from({ length: count }, () => low + (high - low) * generator.uniform());
const edges = [0, -0, 1, -1, 0.5, 1.5, 2.5, -0.5, -1.5, 3e-8, -3e-8, 20, -20, 6, 7];

const unary: Record<string, { op: (x: Tensor) => Tensor; values?: number[] }> = {
  abs: { op: (x) => tf.abs(x) },
  acos: { op: (x) => tf.acos(x), values: draws(9, -1, 1) },
  acosh: { op: (x) => tf.acosh(x), values: draws(9, 1, 9) },
  asin: { op: (x) => tf.asin(x), values: draws(9, -1, 1) },
  asinh: { op: (x) => tf.asinh(x), values: draws(9, -3, 3) },
  atan: { op: (x) => tf.atan(x) },
  atanh: { op: (x) => tf.atanh(x), values: draws(9, -0.9, 0.9) },
  ceil: { op: (x) => tf.ceil(x) },
  'clip by value': { op: (x) => tf.clipByValue(x, -0.7, 1.2) },
  cos: { op: (x) => tf.cos(x) },
  cosh: { op: (x) => tf.cosh(x), values: draws(9, -3, 3) },
  elu: { op: (x) => tf.elu(x) },
  erf: { op: (x) => tf.erf(x) },
  exp: { op: (x) => tf.exp(x), values: [...draws(9, -4, 4), -200, 88] },
  expm1: { op: (x) => tf.expm1(x), values: draws(9, -2, 2) },
  floor: { op: (x) => tf.floor(x) },
  'is finite': { op: (x) => tf.cast(tf.isFinite(x), 'int32'), values: [1, NaN, Infinity, -Infinity, 0] },
  'is infinite': { op: (x) => tf.cast(tf.isInf(x), 'int32'), values: [1, NaN, Infinity, -Infinity, 0] },
  'is not a number': { op: (x) => tf.cast(tf.isNaN(x), 'int32'), values: [1, NaN, Infinity, -Infinity, 0] },
  'leaky relu': { op: (x) => tf.leakyRelu(x, 0.3) },
  log: { op: (x) => tf.log(x), values: draws(9, 0.01, 9) },
  log1p: { op: (x) => tf.log1p(x), values: draws(9, -0.9, 9) },
  neg: { op: (x) => tf.neg(x) },
  reciprocal: { op: (x) => tf.reciprocal(x), values: draws(9, 0.2, 9) },
  relu: { op: (x) => tf.relu(x) },
  relu6: { op: (x) => tf.relu6(x) },
  'round half to even': { op: (x) => tf.round(x) },
  rsqrt: { op: (x) => tf.rsqrt(x), values: draws(9, 0.2, 9) },
  selu: { op: (x) => tf.selu(x) },
  sigmoid: { op: (x) => tf.sigmoid(x) },
  sign: { op: (x) => tf.sign(x) },
  sin: { op: (x) => tf.sin(x) },
  sinh: { op: (x) => tf.sinh(x), values: draws(9, -3, 3) },
  softplus: { op: (x) => tf.softplus(x) },
  sqrt: { op: (x) => tf.sqrt(x), values: [0, ...draws(9, 0, 9)] },
  square: { op: (x) => tf.square(x) },
  step: { op: (x) => tf.step(x, 0.25) },
  tan: { op: (x) => tf.tan(x), values: draws(9, -1.4, 1.4) },
  tanh: { op: (x) => tf.tanh(x) },
  'cast to int32': { op: (x) => tf.cast(x, 'int32') },
  'cast to bool and back': { op: (x) => tf.cast(tf.cast(x, 'bool'), 'float32') },
};

for (const [name, { op, values = [...edges, ...draws(6, -3, 3)] }] of Object.entries(unary)) {
  void test(`${name} computes what the CPU backend computes`, async () => {
    await assertSameAsCpuBackend(({ x }) => ({ y: op(x) }), { x: { shape: [values.length], values } });
  });
}

const binary: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  'floor division': tf.floorDiv,
  mod: tf.mod,
  maximum: tf.maximum,
  minimum: tf.minimum,
  'squared difference': tf.squaredDifference,
  equal: tf.equal,
  'not equal': tf.notEqual,
  greater: tf.greater,
  'greater or equal': tf.greaterEqual,
  less: tf.less,
  'less or equal': tf.lessEqual,
};

for (const [name, op] of Object.entries(binary)) {
  const a = { shape: [2, 3, 4], values: draws(24, -5, 5).map((value) => Math.round(value * 2) / 2) };
  const b = { shape: [3, 1], values: [-2, 1.5, 3] };
  void test(`${name} broadcasts and computes what the CPU backend computes`, async () => {
    await assertSameAsCpuBackend((t) => ({ ab: op(t.a, t.b), ba: op(t.b, t.a), scalar: op(t.a, tf.scalar(2)) }), {
      a: { ...a, values: a.values.map((value) => value || 1) },
      b,
    });
  });
  void test(`${name} of whole numbers computes what the CPU backend computes`, async () => {
    const whole = (x: number[]): number[] => x.map((value) => Math.trunc(value) || 1);
    await assertSameAsCpuBackend(({ x, y }) => ({ z: op(x, y) }), {
      x: { shape: [2, 3, 4], values: whole(a.values), type: 'int32' },
      y: { shape: [3, 1], values: whole(b.values), type: 'int32' },
    });
  });
}

void test('pow computes what the CPU backend computes', async () => {
  await assertSameAsCpuBackend(({ a, b }) => ({ y: tf.pow(a, b) }), {
    a: { shape: [4], values: [2, 0.5, 3, 0] },
    b: { shape: [4], values: [3, -2, 0.5, 2] },
  });
});

void test('logic computes what the CPU backend computes', async () => {
  const p = { shape: [2, 2], values: [0, 0, 1, 1], type: 'bool' as const };
  const q = { shape: [2], values: [0, 1], type: 'bool' as const };
  await assertSameAsCpuBackend(
    (t) => ({
      and: tf.logicalAnd(t.p, t.q),
      or: tf.logicalOr(t.p, t.q),
      xor: tf.logicalXor(t.p, t.q),
      not: tf.logicalNot(t.p),
      equal: tf.equal(t.p, t.q),
      notEqual: tf.notEqual(t.p, t.q),
    }),
    { p, q },
  );
});

void test('where picks by condition with broadcasting', async () => {
  await assertSameAsCpuBackend(({ c, x, y }) => ({ z: tf.where(c, x, y), zero: tf.where(c, x, tf.scalar(0)) }), {
    c: { shape: [3, 1], values: [1, 0, 1], type: 'bool' },
    x: { shape: [3, 2], values: [1, 2, 3, 4, 5, 6] },
    y: { shape: [2], values: [-1, -2] },
  });
});

void test('addN and prelu compute what the CPU backend computes', async () => {
  const a = { shape: [3], values: [1, -2, 3] };
  const b = { shape: [3], values: [10, 20, -30] };
  await assertSameAsCpuBackend((t) => ({ sum: tf.addN([t.a, t.b, t.a]), prelu: tf.prelu(t.b, t.a) }), { a, b });
});

void test('multiplying by one keeps values, type and the broadcast shape', async () => {
  await assertSameAsCpuBackend(
    ({ x }) => ({
      same: tf.mul(x, tf.scalar(1)),
      grown: tf.mul(tf.ones([2, 3]), x),
      summed: tf.sum(tf.mul(x, tf.ones([4, 3]))),
    }),
    { x: { shape: [3], values: [1, 2, 3] } },
  );
});
