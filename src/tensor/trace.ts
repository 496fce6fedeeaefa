import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../contracts/errors.ts';
import type { Dimension, Graph, Port } from './graph.ts';
import { elementType } from './recorder.ts';
import type { Recorder } from './recorder.ts';
import { withRecorder } from './recording-backend.ts';
import { simplify } from './simplify.ts';
import { unifySamples } from './symbolic-length.ts';
import { unsupported, withDeepStacks } from './unsupported.ts';

/** Named tensors of TF.js. */
export type Tensors = Record<string, tf.Tensor>;

/** A function written with TF.js: the same inputs' shapes must always lead through the same operations. */
export type Program = (inputs: Tensors) => Tensors;

/** An input of a program. */
export interface InputSpec {
  /** Lengths; one name (the same everywhere in a program) may stand for a length that is known only at run time. */
  readonly shape: readonly Dimension[];
  /** Default float32. */
  readonly type?: 'float32' | 'int32' | 'bool';
}

/** Lengths that a named length is traced with: primes that no layer is likely to have. */
const sampleLengths = [1361, 1423, 1483];

/**
 * Records a program as a graph without running it. Where the inputs have a named length, the program is traced at three
 * lengths and what differs between the traces becomes a function of the length.
 * @throws CoxswainError TENSOR_UNSUPPORTED naming the operation and the line that used it.
 */
export function trace(program: Program, inputs: Readonly<Record<string, InputSpec>>): Graph {
  const names = new Set(
    Object.values(inputs).flatMap(({ shape }) => shape.filter((length) => typeof length === 'string')),
  );
  if (names.size > 1)
    throw unsupported(`Programs have at most one named length; this one has ${[...names].join(', ')}`);
  const [symbol] = names;
  if (symbol === undefined) return simplify(traceAt(program, inputs, 0));
  const samples = sampleLengths.map((length) => ({ length, graph: traceAt(program, inputs, length) }));
  return simplify(unifySamples(samples, symbol, portsOf(inputs)));
}

function portsOf(inputs: Readonly<Record<string, InputSpec>>): Port[] {
  return Object.entries(inputs).map(([name, { shape, type = 'float32' }]) => ({ name, type, shape }));
}

function traceAt(program: Program, inputs: Readonly<Record<string, InputSpec>>, length: number): Graph {
  const ports = portsOf(inputs).map((port) => ({
    ...port,
    shape: port.shape!.map((dimension) => (typeof dimension === 'string' ? length : dimension)),
  }));
  return withRecorder((recorder) => {
    for (const { name, type, shape } of ports) checkName(name, type, shape);
    try {
      const outputs: Port[] = [];
      withDeepStacks(() => tf.tidy(() => void outputs.push(...recordOutputs(program, recorder, ports))));
      return { inputs: ports, outputs, constants: recorder.constants, nodes: recorder.nodes };
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
  return Object.entries(program(tensors)).map(([name, result]) => {
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
  if (kernel) return unsupported(`Operation ${kernel[1]} cannot be compiled`, error.stack);
  if (/gradient/i.test(error.message)) return unsupported(error.message, error.stack);
  return error;
}
