import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';

import { logSoftmax } from '../../../src/tensor/operations.ts';
import type { InputSpec, Program, Tensors } from '../../../src/tensor/trace.ts';

/** A model as a user would write it, small enough for a test. */
export interface ExampleModel {
  readonly weights: Readonly<Record<string, readonly number[]>>;
  /** What is computed on; whole numbers are below `below`. */
  readonly data: Readonly<Record<string, InputSpec & { readonly below?: number }>>;
  readonly loss: (weights: Tensors, data: Tensors) => Tensor;
}

const dense = (x: Tensor, kernel: Tensor, bias: Tensor): Tensor => tf.add(tf.matMul(x, kernel), bias);

function layerNorm(x: Tensor, scale: Tensor, offset: Tensor): Tensor {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), scale), offset);
}

/** With the error function, as Hendrycks & Gimpel 2016 define it. */
function gelu(x: Tensor): Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));
}

const crossEntropy = (logits: Tensor, labels: Tensor, classes: number): Tensor =>
  tf.neg(tf.mean(tf.sum(tf.mul(tf.oneHot(labels, classes), logSoftmax(logits)), -1)));

const perceptron: ExampleModel = {
  weights: { k1: [5, 8], b1: [8], scale: [8], offset: [8], k2: [8, 3], b2: [3] },
  data: { x: { shape: ['batch', 5] }, labels: { shape: ['batch'], type: 'int32', below: 3 } },
  loss: (w, { x, labels }) => {
    const hidden = gelu(layerNorm(dense(x, w.k1, w.b1), w.scale, w.offset));
    return crossEntropy(dense(hidden, w.k2, w.b2), labels, 3);
  },
};

const heads = 2;
const width = 8;

/** Each place attends to itself and those before it (Vaswani et al. 2017, section 3.2). */
function attention(x: Tensor, w: Tensors): Tensor {
  const [batch, time] = x.shape;
  const split = (kernel: Tensor): Tensor => {
    const flat = tf.matMul(tf.reshape(x, [-1, width]), kernel);
    return tf.transpose(tf.reshape(flat, [batch, time, heads, width / heads]), [0, 2, 1, 3]);
  };
  const scores = tf.div(tf.matMul(split(w.query), split(w.key), false, true), Math.sqrt(width / heads));
  const places = tf.range(0, time, 1, 'int32');
  const before = tf.lessEqual(places, tf.reshape(places, [-1, 1]));
  const mixed = tf.matMul(tf.softmax(tf.where(before, scores, tf.scalar(-1e9))), split(w.value));
  const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [-1, width]);
  return tf.reshape(tf.matMul(joined, w.output), [batch, time, width]);
}

const transformer: ExampleModel = {
  weights: {
    tokens: [7, width],
    places: [16, width],
    scale1: [width],
    offset1: [width],
    query: [width, width],
    key: [width, width],
    value: [width, width],
    output: [width, width],
    scale2: [width],
    offset2: [width],
    k1: [width, 16],
    b1: [16],
    k2: [16, width],
    b2: [width],
    readout: [width, 7],
  },
  data: {
    text: { shape: ['batch', 'time'], type: 'int32', below: 7 },
    next: { shape: ['batch', 'time'], type: 'int32', below: 7 },
  },
  loss: (w, { text, next }) => {
    const time = text.shape[1]!;
    const embedded = tf.add(
      tf.gather(w.tokens, text as Tensor2D),
      tf.gather(w.places, tf.range(0, time, 1, 'int32') as Tensor1D),
    );
    const attended = tf.add(embedded, attention(layerNorm(embedded, w.scale1, w.offset1), w));
    const flat = tf.reshape(attended, [-1, width]);
    const forward = dense(gelu(dense(layerNorm(flat, w.scale2, w.offset2), w.k1, w.b1)), w.k2, w.b2);
    const logits = tf.matMul(tf.add(flat, forward), w.readout);
    return crossEntropy(logits, tf.reshape(next, [-1]), 7);
  },
};

const images: ExampleModel = {
  weights: {
    w1: [3, 3, 2, 4],
    b1: [4],
    scale: [4],
    offset: [4],
    w2: [3, 3, 4, 2],
    w3: [1, 1, 8, 6],
    k: [24, 1],
    b: [1],
  },
  data: { x: { shape: ['batch', 9, 8, 2] }, y: { shape: ['batch', 1], type: 'int32', below: 2 } },
  loss: (w, { x, y }) => {
    const convolved = tf.add(tf.conv2d(x as Tensor4D, w.w1 as Tensor4D, 1, 'same'), w.b1);
    const { mean, variance } = tf.moments(convolved, [0, 1, 2]);
    const normal = tf.batchNorm(
      convolved as Tensor4D,
      mean as Tensor1D,
      variance as Tensor1D,
      w.offset as Tensor1D,
      w.scale as Tensor1D,
    );
    const pooled = tf.maxPool(tf.relu(normal), 2, 2, 'same');
    const separate = tf.separableConv2d(pooled as Tensor4D, w.w2 as Tensor4D, w.w3 as Tensor4D, 1, 'same');
    const means = tf.avgPool(tf.elu(separate) as Tensor4D, 2, 2, 'valid');
    const logits = dense(tf.reshape(means, [-1, 24]), w.k, w.b);
    return tf.losses.sigmoidCrossEntropy(y, logits);
  },
};

const lines: ExampleModel = {
  weights: { w1: [3, 2, 4], w2: [2, 4, 4], k: [4, 1] },
  data: { x: { shape: ['batch', 12, 2] }, y: { shape: ['batch', 1] } },
  loss: (w, { x, y }) => {
    const first = tf.leakyRelu(tf.conv1d(x as Tensor3D, w.w1 as Tensor3D, 2, 'same'), 0.1);
    // TF.js pools images only: a line is one of width 1.
    const pooled = tf.squeeze(tf.maxPool(tf.expandDims(first, 2) as Tensor4D, [2, 1], 1, 'valid'), [2]);
    const second = tf.selu(tf.conv1d(pooled as Tensor3D, w.w2 as Tensor3D, 1, 'valid'));
    return tf.losses.huberLoss(y, tf.matMul(tf.mean(second, 1), w.k), undefined, 0.3);
  },
};

/** A gated recurrent unit (Cho et al. 2014): z and r decide what of the state is kept and seen. */
function gruStep(x: Tensor, state: Tensor, w: Tensors): Tensor {
  const [z, r] = tf.split(tf.sigmoid(dense(tf.concat([x, state], 1), w.gates, w.gateBias)), 2, 1);
  const candidate = tf.tanh(dense(tf.concat([x, tf.mul(r, state)], 1), w.candidate, w.candidateBias));
  return tf.add(tf.mul(z, state), tf.mul(tf.sub(1, z), candidate));
}

const steps = 5;
const units = 4;

const gru: ExampleModel = {
  weights: {
    gates: [3 + units, 2 * units],
    gateBias: [2 * units],
    candidate: [3 + units, units],
    candidateBias: [units],
    k: [units, 2],
    b: [2],
  },
  data: { x: { shape: ['batch', steps, 3] }, y: { shape: ['batch', 2] } },
  loss: (w, { x, y }) => {
    const start = tf.zeros([x.shape[0], units]) as Tensor;
    const state = tf.unstack(x, 1).reduce((before, step) => gruStep(step, before, w), start);
    return tf.losses.meanSquaredError(y, dense(state, w.k, w.b));
  },
};

const lstm: ExampleModel = {
  weights: { kernel: [3 + units, 4 * units], bias: [4 * units], k: [units, 2], b: [2] },
  data: { x: { shape: ['batch', steps, 3] }, y: { shape: ['batch', 2] } },
  loss: (w, { x, y }) => {
    const zeros = tf.zeros([x.shape[0], units]) as Tensor2D;
    const [, output] = tf
      .unstack(x, 1)
      .reduce<[Tensor2D, Tensor2D]>(
        ([cell, hidden], step) =>
          tf.basicLSTMCell(tf.scalar(1), w.kernel as Tensor2D, w.bias as Tensor1D, step as Tensor2D, cell, hidden),
        [zeros, zeros],
      );
    return tf.losses.absoluteDifference(y, dense(output, w.k, w.b));
  },
};

/** Edges carry messages, weighted by attention over the edges that end in the same node; nodes remember. */
const graph: ExampleModel = {
  weights: {
    message: [2 * 3 + 2, units],
    score: [units, 1],
    gates: [units + 3, 6],
    gateBias: [6],
    candidate: [units + 3, 3],
    candidateBias: [3],
    k: [3, 1],
  },
  data: {
    nodes: { shape: ['nodes', 3] },
    edges: { shape: ['edges', 2] },
    sources: { shape: ['edges'], type: 'int32', below: 4 },
    targets: { shape: ['edges'], type: 'int32', below: 4 },
  },
  loss: (w, { nodes, edges, sources, targets }) => {
    const count = nodes.shape[0];
    const ends = [sources, targets].map((end) => tf.gather(nodes, end as Tensor1D));
    const messages = tf.tanh(tf.matMul(tf.concat([...ends, edges], 1), w.message));
    const weights = tf.exp(tf.matMul(messages, w.score));
    const sum = (x: Tensor): Tensor => tf.unsortedSegmentSum(x, targets as Tensor1D, count);
    const received = tf.div(sum(tf.mul(messages, weights)), tf.add(sum(weights), 1e-3));
    const remembered = gruStep(received, nodes, w);
    return tf.mean(tf.square(tf.matMul(remembered, w.k)));
  },
};

/** Models of every kind that the compiler is for. */
export const exampleModels: Readonly<Record<string, ExampleModel>> = {
  'a perceptron with layer norm': perceptron,
  'a transformer block with embedding': transformer,
  'a convolutional network over images': images,
  'a convolutional network over lines': lines,
  'a GRU unrolled': gru,
  'an LSTM unrolled': lstm,
  'a graph network with segment sums': graph,
};

/** A program that gives the loss and the gradient of every weight. */
export function trainingProgram({ weights, loss }: ExampleModel): Program {
  const names = Object.keys(weights);
  return (inputs) => {
    const { value, grads } = tf.valueAndGrads((...values: Tensor[]) => {
      const given = Object.fromEntries(names.map((name, index) => [name, values[index]]));
      return loss(given, inputs) as tf.Scalar;
    })(names.map((name) => inputs[name]));
    return { loss: value, ...Object.fromEntries(names.map((name, index) => [`${name}_gradient`, grads[index]])) };
  };
}

/** The inputs of {@link trainingProgram}: data first, then weights. */
export function trainingInputs({ data, weights }: ExampleModel): Record<string, InputSpec> {
  const shapes = Object.entries(weights).map(([name, shape]) => [name, { shape }] as const);
  return { ...data, ...Object.fromEntries(shapes) };
}
