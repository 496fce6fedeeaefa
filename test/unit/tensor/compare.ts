import assert from 'node:assert/strict';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import { compile } from '../../../src/tensor/program.ts';
import type { Values } from '../../../src/tensor/loaded-model.ts';
import type { InputSpec, Program, Tensors } from '../../../src/tensor/trace.ts';

/** Named inputs with a shape and values. */
export type Inputs = Record<string, { shape: number[]; values: number[]; type?: InputSpec['type'] }>;

/** Runs a program on TF.js's own CPU backend. */
export async function runOnCpuBackend(program: Program, inputs: Inputs): Promise<Record<string, Values>> {
  await tf.setBackend('cpu');
  const tensors: Tensors = {};
  for (const [name, { shape, values, type = 'float32' }] of Object.entries(inputs)) {
    tensors[name] = tf.tensor(values, shape, type);
  }
  const results = tf.tidy(() => program(tensors)) as Tensors;
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.dataSync() as Values]));
}

/** The shapes and types of inputs; the first axis of those listed in `named` gets a named length. */
export function specsOf(inputs: Inputs, named: readonly string[] = []): Record<string, InputSpec> {
  const entries = Object.entries(inputs).map(([name, { shape, type = 'float32' }]) => {
    return [name, { shape: named.includes(name) ? ['batch', ...shape.slice(1)] : shape, type }] as const;
  });
  return Object.fromEntries(entries);
}

/** Compiles a program and runs it; axes listed in `named` get a named length. */
export async function runCompiled(
  program: Program,
  inputs: Inputs,
  named: string[] = [],
): Promise<Record<string, Values>> {
  const feeds: Record<string, Values> = {};
  for (const [name, { values, type = 'float32' }] of Object.entries(inputs)) {
    feeds[name] = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[type].from(values);
  }
  const compiled = await compile(program, specsOf(inputs, named));
  const results = await compiled.run(feeds);
  await compiled.dispose();
  return results;
}

/** Asserts that both ways give the same numbers up to `tolerance` (absolute, and relative above 1). */
export async function assertSameAsCpuBackend(
  program: Program,
  inputs: Inputs,
  { tolerance = 1e-5, named = [] as string[] } = {},
): Promise<void> {
  const expected = await runOnCpuBackend(program, inputs);
  const actual = await runCompiled(program, inputs, named);
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort());
  for (const [name, values] of Object.entries(expected)) assertClose(actual[name], values, tolerance, name);
}

export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = 'values',
): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  for (let i = 0; i < expected.length; i++) {
    const close =
      Object.is(actual[i], expected[i]) ||
      actual[i] === expected[i] ||
      Math.abs(actual[i] - expected[i]) <= tolerance * Math.max(1, Math.abs(expected[i]));
    assert.ok(close, `${what}[${i}]: ${actual[i]} instead of ${expected[i]}`);
  }
}
