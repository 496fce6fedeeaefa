import { existsSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

import { Generator } from '../../../src/rl/random.ts';
import { logSoftmax } from '../../../src/tensor/operations.ts';
import type { Values } from '../../../src/tensor/loaded-model.ts';
import type { Program, Tensors } from '../../../src/tensor/trace.ts';
import { assertClose, runCompiled, runOnCpuBackend } from './compare.ts';
import type { Inputs } from './compare.ts';

const generator = new Generator(5);
const draws = (count: number, low = -2, high = 2): number[] =>
  Array.from({ length: count }, () => low + (high - low) * generator.uniform());

/** The gradients of a weighted sum of `f`'s result with respect to every float input. */
function gradientsOf(f: Function): Program {
  return (inputs) => {
    const names = Object.keys(inputs).filter((name) => inputs[name].dtype === 'float32');
    const { grads } = tf.valueAndGrads((...xs: Tensor[]) => {
      const y = f({ ...inputs, ...Object.fromEntries(names.map((name, i) => [name, xs[i]])) });
      const weights = tf.reshape(tf.linspace(0.5, 1.5, y.size), y.shape);
      return tf.sum(tf.mul(y, weights)) as tf.Scalar;
    })(names.map((name) => inputs[name]));
    return Object.fromEntries(names.map((name, i) => [`${name}_gradient`, grads[i]]));
  };
}

const vector = { x: { shape: [12], values: [...draws(10), 0, 1] } };
const positive = { x: { shape: [8], values: draws(8, 0.2, 3) } };
const small = { x: { shape: [8], values: draws(8, -0.9, 0.9) } };
const cube = { x: { shape: [2, 3, 4], values: draws(24) } };
const pair = { a: { shape: [2, 3], values: draws(6, 0.5, 3) }, b: { shape: [3], values: draws(3, 0.5, 3) } };
const matrices = { a: { shape: [3, 3], values: draws(9) }, b: { shape: [3, 3], values: draws(9) } };
const batches = { a: { shape: [2, 3, 3], values: draws(18) }, b: { shape: [2, 3, 3], values: draws(18) } };
const indices = { shape: [4], values: [2, 0, 2, 2], type: 'int32' as const };

type Function = (inputs: Tensors) => Tensor;

/** A function, its inputs, and the same function written so that TF.js's own gradients are right where they have a defect. */
const functions: Record<string, [Function, Inputs, Function?]> = {
  abs: [({ x }) => tf.abs(x), vector],
  acos: [({ x }) => tf.acos(x), small],
  acosh: [({ x }) => tf.acosh(tf.add(x, 1.1)), positive],
  asin: [({ x }) => tf.asin(x), small],
  asinh: [({ x }) => tf.asinh(x), vector],
  atan: [({ x }) => tf.atan(x), vector],
  atanh: [({ x }) => tf.atanh(x), small],
  'rounding functions': [({ x }) => tf.add(tf.mul(tf.ceil(x), x), tf.add(tf.floor(x), tf.round(x))), small],
  'clip by value': [({ x }) => tf.clipByValue(x, -1, 1), vector],
  cos: [({ x }) => tf.cos(x), vector],
  cosh: [({ x }) => tf.cosh(x), vector],
  elu: [({ x }) => tf.elu(x), vector],
  erf: [({ x }) => tf.erf(x), vector],
  exp: [({ x }) => tf.exp(x), vector],
  expm1: [({ x }) => tf.expm1(x), vector],
  'leaky relu': [({ x }) => tf.leakyRelu(x, 0.3), vector],
  log: [({ x }) => tf.log(x), positive],
  log1p: [({ x }) => tf.log1p(x), positive],
  neg: [({ x }) => tf.neg(x), vector],
  reciprocal: [({ x }) => tf.reciprocal(x), positive],
  relu: [({ x }) => tf.relu(x), vector],
  relu6: [({ x }) => tf.relu6(tf.mul(x, 4)), vector],
  rsqrt: [({ x }) => tf.rsqrt(x), positive],
  selu: [({ x }) => tf.selu(x), vector],
  sigmoid: [({ x }) => tf.sigmoid(x), vector],
  sign: [({ x }) => tf.mul(tf.sign(x), x), vector],
  sin: [({ x }) => tf.sin(x), vector],
  sinh: [({ x }) => tf.sinh(x), vector],
  softplus: [({ x }) => tf.softplus(x), vector],
  sqrt: [({ x }) => tf.sqrt(x), positive],
  square: [({ x }) => tf.square(x), vector],
  step: [({ x }) => tf.mul(tf.step(x), x), vector],
  tan: [({ x }) => tf.tan(x), small],
  tanh: [({ x }) => tf.tanh(x), vector],
  'a chain that uses one value twice': [({ x }) => tf.mul(tf.tanh(x), tf.add(x, tf.square(x))), vector],

  add: [({ a, b }) => tf.add(a, b), pair],
  sub: [({ a, b }) => tf.sub(b, a), pair],
  mul: [({ a, b }) => tf.mul(a, b), pair],
  div: [({ a, b }) => tf.div(a, b), pair],
  mod: [({ a, b }) => tf.mod(a, b), pair],
  pow: [({ a, b }) => tf.pow(a, b), pair],
  maximum: [({ a, b }) => tf.maximum(a, b), pair, ({ a, b }) => tf.maximum(a, tf.broadcastTo(b, [2, 3]))],
  minimum: [({ a, b }) => tf.minimum(a, b), pair, ({ a, b }) => tf.minimum(a, tf.broadcastTo(b, [2, 3]))],
  'minimum of equals': [
    ({ a, b }) => tf.minimum(a, b),
    { a: { shape: [2], values: [1, 2] }, b: { shape: [2], values: [1, 3] } },
  ],
  'squared difference': [({ a, b }) => tf.squaredDifference(a, b), pair, ({ a, b }) => tf.square(tf.sub(a, b))],
  addN: [({ x }) => tf.addN([x, tf.square(x), x]), cube],
  prelu: [
    ({ x, a }) => tf.prelu(x, a),
    { x: { shape: [2, 3], values: draws(6) }, a: { shape: [3], values: draws(3) } },
  ],
  where: [({ a, b, c }) => tf.where(c, a, b), { ...pair, c: { shape: [2, 1], values: [1, 0], type: 'bool' } }],
  'where against a constant': [
    ({ a, c }) => tf.where(c, a, tf.scalar(-1e8)),
    { a: pair.a, c: { shape: [2, 3], values: [1, 0, 1, 1, 0, 0], type: 'bool' } },
  ],

  'sum over an axis': [({ x }) => tf.sum(x, 1), cube],
  'sum over axes kept': [({ x }) => tf.sum(x, [0, 2], true), cube],
  'mean over all': [({ x }) => tf.mean(tf.square(x)), cube],
  'mean over an axis': [({ x }) => tf.mean(x, -1), cube],
  max: [({ x }) => tf.max(x, [1, 2]), cube],
  min: [({ x }) => tf.min(x, 0, true), cube],
  prod: [({ x }) => tf.prod(x, 1), cube, ({ x }) => tf.unstack(x, 1).reduce((product, part) => tf.mul(product, part))],
  cumsum: [
    ({ x }) => tf.cumsum(x, 1),
    cube,
    ({ x }) => tf.transpose(tf.cumsum(tf.transpose(x, [0, 2, 1]), 2), [0, 2, 1]),
  ],
  'cumsum, exclusive and reversed': [({ x }) => tf.cumsum(x, 2, true, true), cube],
  softmax: [({ x }) => tf.softmax(x), cube],
  'log softmax': [({ x }) => tf.logSoftmax(x), cube],
  'log softmax as one operation': [({ x }) => logSoftmax(x), cube],
  'log sum of exponentials': [({ x }) => tf.logSumExp(x, 1), cube],
  'entropy of masked logits': [
    ({ x, mask }) => {
      const logProbabilities = tf.logSoftmax(tf.where(mask, x, tf.scalar(-1e8)));
      return tf.sum(tf.mul(tf.exp(logProbabilities), logProbabilities), -1);
    },
    { x: { shape: [2, 3], values: draws(6) }, mask: { shape: [2, 3], values: [1, 1, 0, 0, 1, 0], type: 'bool' } },
  ],

  'matrix product': [({ a, b }) => tf.matMul(a, b), matrices],
  'matrix product, first transposed': [({ a, b }) => tf.matMul(a, b, true), matrices],
  'matrix product, second transposed': [({ a, b }) => tf.matMul(a, b, false, true), matrices],
  'matrix product, both transposed': [({ a, b }) => tf.matMul(a, b, true, true), matrices],
  'batched matrix product': [({ a, b }) => tf.matMul(a, b, true), batches],
  'affine layer': [({ a, b }) => tf.add(tf.matMul(a, b), tf.sum(b, 0)), matrices],

  reshape: [({ x }) => tf.square(tf.reshape(x, [4, 6])), cube],
  'expand and squeeze': [({ x }) => tf.squeeze(tf.square(tf.expandDims(x, 1)), [1]), cube],
  transpose: [({ x }) => tf.square(tf.transpose(x, [2, 0, 1])), cube],
  concat: [({ x }) => tf.concat([x, tf.square(x)], -1), cube],
  split: [
    ({ x }) => {
      const [p, q] = tf.split(x, [1, 3], 2);
      return tf.add(p, tf.square(q));
    },
    cube,
  ],
  stack: [({ x }) => tf.stack([x, tf.square(x)], 1), cube],
  unstack: [
    ({ x }) => {
      const [p, q] = tf.unstack(x, 0);
      return tf.mul(p, q);
    },
    cube,
  ],
  slice: [({ x }) => tf.square(tf.slice(x, [0, 1, 1], [2, 2, 2])), cube],
  reverse: [({ x }) => tf.square(tf.reverse(x, 1)), cube],
  tile: [({ x }) => tf.square(tf.tile(x, [2, 1, 3])), cube],
  broadcast: [({ b }) => tf.square(tf.broadcastTo(b, [2, 3])), { b: pair.b }],
  pad: [
    ({ x }) =>
      tf.square(
        tf.pad(x, [
          [0, 1],
          [2, 0],
          [1, 1],
        ]),
      ),
    cube,
  ],

  gather: [({ x, i }) => tf.square(tf.gather(x, i as tf.Tensor1D, 1)), { ...cube, i: indices }],
  'segment sums': [
    ({ u, i }) => tf.square(tf.unsortedSegmentSum(u, i as tf.Tensor1D, 3)),
    { u: { shape: [4, 2], values: draws(8) }, i: indices },
  ],
  'a choice by one-hot vectors': [
    ({ a, i }) => tf.sum(tf.mul(a, tf.oneHot(i, 3)), -1),
    { a: { shape: [4, 3], values: draws(12) }, i: indices },
  ],
};

/** What our gradients, compiled, give; taken before TF.js's own gradients replace ours. */
const compiled = new Map<string, Record<string, Values>>();

before(async () => {
  for (const [name, [f, inputs]] of Object.entries(functions))
    compiled.set(name, await runCompiled(gradientsOf(f), inputs));
  await loadOwnGradientsOfTfjs();
});

/** TF.js ships its gradients as modules for bundlers, which Node resolves with a little help. */
async function loadOwnGradientsOfTfjs(): Promise<void> {
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core'));
  const inFolder = (url: string | undefined): boolean => url?.startsWith(pathToFileURL(folder).href) ?? false;
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (!specifier.startsWith('.') || !inFolder(context.parentURL)) return next(specifier, context);
      const path = join(dirname(fileURLToPath(context.parentURL!)), specifier);
      const file = [`${path}.js`, join(path, 'index.js'), path].find((candidate) => existsSync(candidate))!;
      return { url: pathToFileURL(file).href, format: 'module', shortCircuit: true };
    },
    load(url, context, next) {
      return next(url, inFolder(url) && !url.endsWith('tf-core.node.js') ? { ...context, format: 'module' } : context);
    },
  });
  await import(pathToFileURL(join(folder, 'register_all_gradients.js')).href);
  hooks.deregister();
}

for (const [name, [f, inputs, reference = f]] of Object.entries(functions)) {
  test(`gradient of ${name} is what TF.js's own gradients give on the CPU backend`, async () => {
    const expected = await runOnCpuBackend(gradientsOf(reference), inputs);
    for (const [output, values] of Object.entries(expected)) {
      assertClose(compiled.get(name)![output], values, 2e-5, output);
    }
  });
}
