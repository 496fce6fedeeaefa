import { createHash } from 'node:crypto';

import type * as OnnxRuntime from 'onnxruntime-node';

import type { DeviceName } from './device.ts';
import { elementCount } from './graph.ts';
import type { Dimension } from './graph.ts';
import { createSession, loadRuntime } from './runtime.ts';

/** The values of a tensor in row-major order; truth values are 0 and 1 in a Uint8Array. */
export type Values = Float32Array | Int32Array | Uint8Array;

/** A model that is ready to run. */
export interface LoadedModel {
  /** The ONNX file. */
  readonly model: Uint8Array;
  /** The shape of each input. */
  readonly inputs: Readonly<Record<string, readonly Dimension[]>>;
  /**
   * Runs once. An input's named length follows from the number of its values.
   * @throws Error when an input is missing or has a number of values that does not fit its shape.
   */
  run(inputs: Readonly<Record<string, Values>>): Promise<Record<string, Values>>;
  /** Frees the native memory once nobody else uses the same program on the same device. */
  dispose(): Promise<void>;
}

/**
 * Makes an ONNX file ready to run.
 * @throws CoxswainError DEVICE_UNAVAILABLE; an Error of ONNX Runtime when the file is no model.
 */
export async function loadModel(model: Uint8Array, device: DeviceName = 'cpu'): Promise<LoadedModel> {
  const [runtime, { session, release }] = await Promise.all([loadRuntime(), leaseSession(model, device)]);
  const ports = session.inputMetadata.filter((port) => port.isTensor);
  return {
    model,
    inputs: Object.fromEntries(ports.map(({ name, shape }) => [name, shape])),
    async run(inputs) {
      const feeds: Record<string, OnnxRuntime.Tensor> = {};
      for (const { name, type, shape } of ports) {
        const dimensions = lengths(name, shape, inputs[name]);
        feeds[name] = new runtime.Tensor(type as 'float32', inputs[name] as Float32Array, dimensions);
      }
      const results = await session.run(feeds);
      const outputs: Record<string, Values> = {};
      for (const name in results) outputs[name] = results[name].data as Values;
      return outputs;
    },
    dispose: release,
  };
}

/** The shape with the named length worked out from the number of values. */
function lengths(name: string, shape: readonly Dimension[], values: Values | undefined): number[] {
  if (!values) throw new Error(`Input ${name} of a model is missing.`);
  const known = elementCount(shape.filter((length) => typeof length === 'number'));
  const named = shape.some((length) => typeof length === 'string') ? values.length / known : 1;
  if (!Number.isInteger(named) || named * known !== values.length) {
    throw new Error(`Input ${name} of a model has ${values.length} values for shape [${shape.join(', ')}].`);
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
