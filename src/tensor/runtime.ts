import type * as OnnxRuntime from 'onnxruntime-node';
import type { Binding, binding as NativeBinding } from 'onnxruntime-node/dist/binding.js';

import { CoxswainError } from '../contracts/errors.ts';
import type { OnnxDevice } from './device.ts';
import { providerFailure } from './provider-failure.ts';

/** The parts of ONNX Runtime that we use. */
interface Runtime {
  readonly Tensor: typeof OnnxRuntime.Tensor;
  readonly binding: typeof NativeBinding;
}

/** A model as ONNX Runtime holds it. */
export interface Session {
  readonly inputs: readonly SessionPort[];
  readonly outputs: readonly SessionPort[];
  /** A tensor of ONNX Runtime that shares the memory of `values`. */
  tensor(type: string, values: ArrayBufferView, shape: readonly number[]): OnnxRuntime.Tensor;
  /**
   * Runs once, on the calling thread, before it returns.
   * @param fetches for each output the tensor to fill, or null for a new one.
   */
  run(
    feeds: Readonly<Record<string, OnnxRuntime.Tensor>>,
    fetches: Readonly<Record<string, OnnxRuntime.Tensor | null>>,
  ): Record<string, OnnxRuntime.Tensor>;
  release(): void;
}

/** An input or output of a session. */
export interface SessionPort {
  readonly name: string;
  /** ONNX Runtime's word, such as `float32` or `bool`. */
  readonly type: string;
  /** Lengths; a name stands for a length that is known only at run time. It is empty when the file gives no name. */
  readonly shape: readonly (number | string)[];
}

let loading: Promise<Runtime> | null = null;

function loadRuntime(): Promise<Runtime> {
  loading ??= importRuntime();
  return loading;
}

/**
 * ONNX Runtime, loaded when it is first needed, because it is an optional dependency with a native library.
 *
 * Sessions are made with the package's binding, on which its `InferenceSession` is built too: the latter puts each run
 * off to a later turn of the event loop, which costs a small network a fifth of its time, and cannot be called from
 * synchronous code. The package's version is pinned, and a test runs a model.
 */
async function importRuntime(): Promise<Runtime> {
  try {
    const { env, Tensor } = defaultOf((await import('onnxruntime-node')) as typeof OnnxRuntime);
    // What ONNX Runtime would print it also throws.
    env.logLevel = 'fatal';
    const { binding, initOrt } = defaultOf(await import('onnxruntime-node/dist/binding.js'));
    initOrt();
    return { Tensor, binding };
  } catch (cause) {
    throw new CoxswainError(
      'DEVICE_UNAVAILABLE',
      `ONNX Runtime, which does all numeric work, cannot be loaded: ${messageOf(cause)}. Install the version of onnxruntime-node that package.json names.`,
      { cause },
    );
  }
}

function defaultOf<T extends object>(imported: T & { default?: T }): T {
  return imported.default ?? imported;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Loads a model onto a device. One thread computes: networks of our size are slower with two, which mostly wait for each
 * other, and the bits of a result never depend on the number of cores.
 * @throws CoxswainError DEVICE_UNAVAILABLE with the reason when ONNX Runtime or the device is missing; there is no fallback.
 */
export async function openSession(model: Uint8Array, device: OnnxDevice): Promise<Session> {
  const { Tensor, binding } = await loadRuntime();
  const native = new binding.InferenceSession();
  try {
    native.loadModel(model.buffer as ArrayBuffer, model.byteOffset, model.byteLength, {
      executionProviders: [provider(device)],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
    });
  } catch (cause) {
    if (device.kind === 'cpu') throw cause;
    const reason = providerFailure(device.kind, messageOf(cause));
    throw new CoxswainError('DEVICE_UNAVAILABLE', `Device ${device.name} cannot be used: ${reason}`, { cause });
  }
  return {
    inputs: ports(native.inputMetadata),
    outputs: ports(native.outputMetadata),
    tensor: (type, values, shape) => new Tensor(type as 'float32', values as Float32Array, shape),
    run: (feeds, fetches) => native.run(feeds, fetches, {}) as Record<string, OnnxRuntime.Tensor>,
    release: () => native.dispose(),
  };
}

function provider(device: OnnxDevice): OnnxRuntime.InferenceSession.ExecutionProviderConfig {
  return device.kind === 'cuda' ? { name: 'cuda', deviceId: device.index } : device.kind;
}

/** ONNX Runtime's words for the element types of ONNX, by their numbers. */
const elementTypes: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
};

function ports(metadata: readonly Binding.ValueMetadata[]): SessionPort[] {
  return metadata
    .filter(({ isTensor }) => isTensor)
    .map(({ name, type, shape, symbolicDimensions }) => ({
      name,
      type: elementTypes[type] ?? `element type ${type}`,
      shape: shape.map((length, axis) => (length < 0 ? symbolicDimensions[axis] : length)),
    }));
}
