import { createHash } from 'node:crypto';

import type * as OnnxRuntime from 'onnxruntime-node';

import type { DeviceName } from './device.ts';
import { elementCount } from './graph.ts';
import type { Dimension, ElementType, Graph, Port } from './graph.ts';
import { encodeModel } from './onnx-model.ts';
import { createSession, loadRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import { trace } from './trace.ts';
import type { InputSpec, Program } from './trace.ts';

/** The values of a tensor in row-major order; truth values are 0 and 1 in a Uint8Array. */
export type Values = Float32Array | Int32Array | Uint8Array;

/** A program that is ready to run. */
export interface CompiledProgram {
  /** The ONNX file. */
  readonly model: Uint8Array;
  /**
   * Runs once. An input's named length follows from the number of its values.
   * @throws Error when an input is missing or has a number of values that does not fit its shape.
   */
  run(inputs: Readonly<Record<string, Values>>): Promise<Record<string, Values>>;
  /** Frees the native memory once nobody else uses the same program on the same device. */
  dispose(): Promise<void>;
}

/**
 * Compiles a program written with TF.js.
 * @param device default `cpu`.
 * @throws CoxswainError TENSOR_UNSUPPORTED, DEVICE_UNAVAILABLE
 */
export function compile(
  program: Program,
  inputs: Readonly<Record<string, InputSpec>>,
  device: DeviceName = 'cpu',
): Promise<CompiledProgram> {
  return compileGraph(trace(program, inputs), device);
}

/** Makes a graph ready to run; the same graph on the same device is loaded once. */
export async function compileGraph(graph: Graph, device: DeviceName = 'cpu'): Promise<CompiledProgram> {
  const model = encodeModel(graph);
  const [runtime, lease] = await Promise.all([loadRuntime(), leaseSession(model, device)]);
  return {
    model,
    run: (inputs) => runSession(runtime, lease.session, graph.inputs, inputs),
    dispose: lease.release,
  };
}

async function runSession(
  runtime: Runtime,
  session: OnnxRuntime.InferenceSession,
  ports: readonly Port[],
  inputs: Readonly<Record<string, Values>>,
): Promise<Record<string, Values>> {
  const feeds: Record<string, OnnxRuntime.Tensor> = {};
  for (const { name, type, shape } of ports) {
    feeds[name] = new runtime.Tensor(
      type as ElementType & 'float32',
      inputs[name] as Float32Array,
      lengths(name, shape!, inputs[name]),
    );
  }
  const results = await session.run(feeds);
  const outputs: Record<string, Values> = {};
  for (const name in results) outputs[name] = results[name].data as Values;
  return outputs;
}

/** The shape with the named length worked out from the number of values. */
function lengths(name: string, shape: readonly Dimension[], values: Values | undefined): number[] {
  if (!values) throw new Error(`Input ${name} of a compiled program is missing.`);
  const known = elementCount(shape.filter((length) => typeof length === 'number'));
  const named = shape.some((length) => typeof length === 'string') ? values.length / known : 1;
  if (!Number.isInteger(named) || named * known !== values.length) {
    throw new Error(`Input ${name} of a compiled program has ${values.length} values for shape [${shape.join(', ')}].`);
  }
  return shape.map((length) => (typeof length === 'number' ? length : named));
}

interface Lease {
  readonly session: OnnxRuntime.InferenceSession;
  release(): Promise<void>;
}

/** Sessions in use by the content of their model and their device. */
const sessions = new Map<string, { session: Promise<OnnxRuntime.InferenceSession>; users: number }>();

async function leaseSession(model: Uint8Array, device: DeviceName): Promise<Lease> {
  const key = `${device} ${createHash('sha256').update(model).digest('hex')}`;
  const entry = sessions.get(key) ?? { session: createSession(model, device), users: 0 };
  sessions.set(key, entry);
  entry.users++;
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    if (--entry.users > 0) return;
    sessions.delete(key);
    await (await entry.session).release();
  };
  try {
    return { session: await entry.session, release };
  } catch (error) {
    sessions.delete(key);
    throw error;
  }
}
