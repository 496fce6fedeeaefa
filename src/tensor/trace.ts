import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../contracts/errors.ts';
import type { Dimension, Graph, Port } from './graph.ts';
import { elementType } from './recorder.ts';
import type { Recorder } from './recorder.ts';
import { withRecorder } from './recording-backend.ts';
import { simplify } from './simplify.ts';
import { mostNames, sampleLengths, sampleSets, unifySamples, Ununified } from './symbolic-length.ts';
import type { Lengths } from './symbolic-length.ts';
import { unsupported, withDeepStacks } from './unsupported.ts';

/** Named tensors of TF.js. */
export type Tensors = Record<string, tf.Tensor>;

/** A function written with TF.js: the same inputs' shapes must always lead through the same operations. */
export type Program = (inputs: Tensors) => Tensors;

/** An input of a program. */
export interface InputSpec {
  /** Lengths; a name (the same everywhere in a program) stands for a length that is known only at run time. */
  readonly shape: readonly Dimension[];
  /** Default float32. */
  readonly type?: 'float32' | 'int32' | 'bool';
}

/**
 * Records a program as a graph without running it. Where inputs have named lengths, the program is traced at several of
 * them and what differs between the traces becomes a function of the lengths.
 * @throws CoxswainError TENSOR_UNSUPPORTED naming the operation and the line that used it.
 */
export function trace(program: Program, inputs: Readonly<Record<string, InputSpec>>): Graph {
  const lengths = Object.values(inputs).flatMap(({ shape }) => shape.filter((length) => typeof length === 'string'));
  const names = [...new Set(lengths)];
  if (names.length > mostNames) {
    throw unsupported(`Programs have at most ${mostNames} named lengths; this one has ${names.join(', ')}`);
  }
  if (names.length === 0) return simplify(traceAt(program, inputs, {}).graph);
  for (let set = 0; ; set++) {
    const samples = sampleLengths(names, set).map((at) => ({ lengths: at, graph: traceAt(program, inputs, at).graph }));
    try {
      return simplify(unifySamples(samples, names, portsOf(inputs)));
    } catch (error) {
      if (!(error instanceof Ununified)) throw error;
      if (set < sampleSets - 1) continue;
      throw unsupported(error.message, traceAt(program, inputs, samples[0].lengths, error.value).stack);
    }
  }
}

function portsOf(inputs: Readonly<Record<string, InputSpec>>): Port[] {
  return Object.entries(inputs).map(([name, { shape, type = 'float32' }]) => ({ name, type, shape }));
}

/** @param watched a value of the graph; where it was recorded comes back as `stack`. */
function traceAt(
  program: Program,
  inputs: Readonly<Record<string, InputSpec>>,
  lengths: Lengths,
  watched?: string,
): { graph: Graph; stack: string | undefined } {
  const ports = portsOf(inputs).map((port) => ({
    ...port,
    shape: port.shape!.map((dimension) => (typeof dimension === 'string' ? lengths[dimension] : dimension)),
  }));
  return withRecorder((recorder) => {
    for (const { name, type, shape } of ports) checkName(name, type, shape);
    recorder.watch(watched);
    try {
      const outputs: Port[] = [];
      withDeepStacks(() => tf.tidy(() => void outputs.push(...recordOutputs(program, recorder, ports))));
      const { constants, nodes, watchedStack: stack } = recorder;
      return { graph: { inputs: ports, outputs, constants, nodes }, stack };
    } catch (error) {
      throw explained(error);
    }
  });
}

function recordOutputs(
  program: Program,
  recorder: Recorder,
  ports: readonly { name: string; type: Port['type']; shape: number[] }[],
): Port[] {
  const tensors: Tensors = {};
  for (const { name, type, shape } of ports) {
    tensors[name] = tf.engine().makeTensorFromTensorInfo(recorder.input(name, shape, type as tf.DataType));
  }
  const results: unknown = program(tensors);
  if (recorder.refusal) throw recorder.refusal;
  if (results instanceof Promise) {
    results.catch(() => {}); // What it would be rejected with says less than this:
    throw unsupported('A program must return its results, not a promise of them; nothing in it can be waited for');
  }
  return Object.entries(results as Tensors).map(([name, result]) => {
    if (!(result instanceof tf.Tensor)) throw unsupported(`Output ${name} of a program is no tensor`);
    if (name in tensors) throw unsupported(`Output ${name} has the name of an input; give it another`);
    recorder.output(name, result);
    return { name, type: elementType(result.dtype), shape: result.shape };
  });
}

function checkName(name: string, type: Port['type'], shape: readonly number[]): void {
  if (name.startsWith('_')) throw unsupported(`Input ${name}: names that start with an underscore are reserved`);
  if (type === 'int64' || shape.some((length) => !Number.isInteger(length) || length < 0)) {
    throw unsupported(`Input ${name} of type ${type} and shape [${shape.join(', ')}] cannot be compiled`);
  }
}

/** TF.js says which kernel or gradient is missing only in the text of a plain error. */
function explained(error: unknown): unknown {
  if (error instanceof CoxswainError || !(error instanceof Error)) return error;
  const kernel = /^Kernel '(\w+)' not registered/.exec(error.message);
  if (kernel) {
    return unsupported(
      `Operation ${kernel[1]} cannot be compiled: it is not known here; write it with others (docs/tensor/operations.md)`,
      error.stack,
    );
  }
  const gradient = /gradient function not found for (\w+)/.exec(error.message);
  if (gradient) {
    return unsupported(
      `Operation ${gradient[1]} has no gradient; write it with others (docs/tensor/operations.md), or give it one with tf.customGrad`,
      error.stack,
    );
  }
  if (/gradient/i.test(error.message)) return unsupported(error.message, error.stack);
  return error;
}
