import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

import { gradients } from '../../../../src/tensor/gradients/index.ts';
import type { KernelFamily } from '../../../../src/tensor/kernels/kernel.ts';
import { recordingBackendName } from '../../../../src/tensor/recorder.ts';
import type { Values } from '../../../../src/tensor/loaded-model.ts';
import type { Program, Tensors } from '../../../../src/tensor/trace.ts';
import { assertClose, runCompiled, runOnCpuBackend } from '../compare.ts';
import type { Inputs } from '../compare.ts';

/** A use of an operation. */
export type Use = (inputs: Tensors) => Tensor | Tensor[];

/** One use of an operation with its inputs, computed by the compiled program and by TF.js. */
export interface Case {
  /** What is special about it. */
  readonly name: string;
  readonly use: Use;
  readonly inputs: Inputs;
  /**
   * Whether the gradients of the float inputs are compared too. Default: yes where the operation has a gradient. A use
   * given here has the same value and a gradient that TF.js computes rightly, for where TF.js's own has a defect or none.
   */
  readonly gradient?: boolean | Use;
  /** The values to expect instead of TF.js's, or a use that gives them, where those are not what TF.js documents. */
  readonly expected?: readonly number[] | Use;
  /** Largest difference, relative above 1. Default 1e-5. */
  readonly tolerance?: number;
  /** Inputs whose first axis gets a named length. */
  readonly named?: string[];
}

/** Cases by the name of the operation. */
export type Cases = Readonly<Record<string, readonly Case[]>>;

/** What a case computed. */
interface Computed {
  readonly values: Record<string, Values>;
  /** Null where the case has no gradient. */
  readonly gradients: Record<string, Values> | null;
  /** Operations that were recorded, and those whose gradient was asked for. */
  readonly recorded: ReadonlySet<string>;
  readonly differentiated: ReadonlySet<string>;
}

/**
 * Tests every operation of a family: its cases must exist, must use it, and must give what TF.js's CPU backend and TF.js's
 * own gradients give.
 */
export function testFamily(family: KernelFamily, cases: Cases): void {
  const computed = new Map<Case, Computed | Error>();
  before(async () => {
    for (const [kernel, list] of Object.entries(cases)) {
      for (const one of list) computed.set(one, await compute(kernel, one).catch((error: unknown) => error as Error));
    }
    await loadGradientsOfTfjs();
  });
  test('every operation of the family has cases', () => {
    assert.deepEqual(Object.keys(cases).sort(), Object.keys(family).sort());
  });
  for (const [kernel, list] of Object.entries(cases)) {
    test(`${kernel} gives what TF.js gives`, async () => {
      for (const one of list) await compareValues(kernel, one, resultOf(computed, one));
    });
    if (!gradients[kernel]) continue;
    test(`the gradient of ${kernel} is TF.js's`, async () => {
      const differentiable = list.filter((one) => hasGradient(one));
      const reached = differentiable.some((one) => resultOf(computed, one).differentiated.has(kernel));
      assert.ok(reached, `no case asks for the gradient of ${kernel}`);
      for (const one of differentiable) await compareGradients(one, resultOf(computed, one));
    });
  }
}

function resultOf(computed: ReadonlyMap<Case, Computed | Error>, one: Case): Computed {
  const result = computed.get(one)!;
  if (result instanceof Error) throw new Error(`${one.name}: ${result.message}`, { cause: result });
  return result;
}

async function compareValues(kernel: string, one: Case, { values, recorded }: Computed): Promise<void> {
  assert.ok(recorded.has(kernel), `${one.name} does not use ${kernel} but ${[...recorded].join(', ')}`);
  assertSame(one, values, await expectedValues(one));
}

async function expectedValues({ use, expected = use, inputs }: Case): Promise<Record<string, ArrayLike<number>>> {
  return typeof expected === 'function' ? runOnCpuBackend(valuesOf(expected), inputs) : { y0: expected };
}

async function compareGradients(one: Case, { gradients: actual }: Computed): Promise<void> {
  const reference = typeof one.gradient === 'function' ? one.gradient : one.use;
  assertSame(one, actual!, await runOnCpuBackend(gradientsOf(reference), one.inputs));
}

function assertSame(one: Case, actual: Record<string, Values>, expected: Record<string, ArrayLike<number>>): void {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), one.name);
  for (const [name, values] of Object.entries(expected)) {
    assertClose(actual[name], values, one.tolerance ?? 1e-5, `${one.name}: ${name}`);
  }
}

async function compute(kernel: string, one: Case): Promise<Computed> {
  const recorded = new Set<string>();
  const differentiated = new Set<string>();
  const values = await spying(recorded, differentiated, () => runCompiled(valuesOf(one.use), one.inputs, one.named));
  const gradientValues =
    gradients[kernel] && hasGradient(one)
      ? await spying(new Set(), differentiated, () => runCompiled(gradientsOf(one.use), one.inputs, one.named))
      : null;
  return { values, gradients: gradientValues, recorded, differentiated };
}

/** Whether a case has something to differentiate by. */
export function hasGradient(one: Case): boolean {
  return one.gradient !== false && Object.values(one.inputs).some(({ type }) => (type ?? 'float32') === 'float32');
}

const listOf = (result: Tensor | Tensor[]): Tensor[] => (Array.isArray(result) ? result : [result]);

/** All results, in a type that every backend gives alike. */
export const valuesOf =
  (use: Use): Program =>
  (inputs) =>
    Object.fromEntries(listOf(use(inputs)).map((y, index) => [`y${index}`, tf.add(tf.cast(y, 'float32'), 0)]));

/** The gradients of a weighted sum of all float results with respect to every float input. */
export const gradientsOf =
  (use: Use): Program =>
  (inputs) => {
    const names = Object.keys(inputs).filter((name) => inputs[name].dtype === 'float32');
    const { grads } = tf.valueAndGrads((...xs: Tensor[]) => {
      const results = listOf(use({ ...inputs, ...Object.fromEntries(names.map((name, i) => [name, xs[i]])) }));
      return tf.addN(results.filter(({ dtype }) => dtype === 'float32').map(weightedSum)) as tf.Scalar;
    })(names.map((name) => inputs[name]));
    return Object.fromEntries(names.map((name, i) => [`${name}_gradient`, grads[i]]));
  };

function weightedSum(y: Tensor): Tensor {
  if (y.rank === 0) return y;
  const weights = tf.add(1, tf.sin(tf.range(0, y.shape.at(-1)!)));
  return tf.sum(tf.mul(y, weights));
}

/** Notes which of our kernels and gradients `work` calls. */
async function spying<T>(recorded: Set<string>, differentiated: Set<string>, work: () => Promise<T>): Promise<T> {
  const kernelConfigs = tf.getKernelsForBackend(recordingBackendName);
  const restore = [
    ...kernelConfigs.map((config) => wrap(config, 'kernelFunc', () => recorded.add(config.kernelName))),
    ...Object.keys(gradients).map((name) => wrap(tf.getGradient(name), 'gradFunc', () => differentiated.add(name))),
  ];
  try {
    return await work();
  } finally {
    for (const undo of restore) undo();
  }
}

function wrap<Key extends string>(config: object, key: Key, note: () => void): () => void {
  const target = config as Record<Key, (...parameters: unknown[]) => unknown>;
  const original = target[key];
  target[key] = (...parameters) => {
    note();
    return original(...parameters);
  };
  return () => {
    target[key] = original;
  };
}

/** TF.js ships its gradients as modules for bundlers, which Node resolves with a little help. They replace ours. */
export async function loadGradientsOfTfjs(): Promise<void> {
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
