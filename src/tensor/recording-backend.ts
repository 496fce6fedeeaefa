import * as tf from '@tensorflow/tfjs-core';
import type { BackendValues, DataType, KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';

import type { CoxswainError } from '../contracts/errors.ts';
import { registerGradient } from './gradients/gradient.ts';
import { gradients } from './gradients/index.ts';
import { elementCount } from './graph.ts';
import type { ConstantValues } from './graph.ts';
import { kernels } from './kernels/index.ts';
import { randomFunctions, refusedKernels } from './kernels/refused.ts';
import { takesTruthValues } from './kernels/truth-values.ts';
import { Recorder, recordingBackendName } from './recorder.ts';
import { calledFunction, runningFunctions, unsupported } from './unsupported.ts';

/**
 * A backend of TF.js that computes nothing: its kernels note each operation in a {@link Recorder}, so everything that
 * TF.js builds on kernels, gradients included, is recorded too.
 */
class RecordingBackend extends tf.KernelBackend {
  private active: Recorder | null = null;

  /** Runs `record` with a fresh recorder. */
  recordWith<T>(record: (recorder: Recorder) => T): T {
    this.active = new Recorder((dataId) => numeric(tf.engine().readSync(dataId)));
    try {
      return record(this.active);
    } finally {
      this.active = null;
    }
  }

  get recorder(): Recorder {
    if (!this.active) throw unsupported('Tensors of a traced program cannot be used outside of it');
    return this.active;
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): object {
    refuseRandom();
    return this.recorder.fixedTensor(numeric(values), shape, dtype).dataId;
  }

  override readSync(): BackendValues {
    throw readRefused();
  }

  /**
   * Nobody may be there to catch what an asynchronous function of TF.js throws: the trace throws it when the program ends.
   * The promise is never settled.
   */
  override read(): Promise<BackendValues> {
    this.recorder.refusal ??= readRefused();
    return new Promise(() => {});
  }

  // A trace is short and its tensors hold no memory: nothing is counted or freed.
  override disposeData(): boolean {
    return true;
  }
  override numDataIds(): number {
    return 0;
  }
  override refCount(): number {
    return 1;
  }
  override incRef(): void {}
  override dispose(): void {}
  override floatPrecision(): 16 | 32 {
    return 32;
  }
  override timerAvailable(): boolean {
    return false;
  }
}

function readRefused(): CoxswainError {
  return unsupported(
    `A traced value was read by ${calledFunction()}; it has no value until the compiled program runs. Compute with it instead, and choose with tf.where`,
  );
}

/** How many calls lie between a random function of TF.js and the backend at most. */
const randomDepth = 16;

/** Random numbers would become constants of the program. */
function refuseRandom(): void {
  const drawn = runningFunctions(randomDepth).some((name) => randomFunctions.has(name.replace(/(?:__op|_)$/, '')));
  if (!drawn) return;
  throw unsupported(
    `${calledFunction()} draws random numbers, which a compiled program would repeat at every run; pass random numbers as inputs`,
  );
}

/** A copy, since callers may reuse their arrays before the trace ends. */
function numeric(values: BackendValues): ConstantValues {
  if (values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array)
    return values.slice();
  return Array.from(values as unknown as ArrayLike<number | boolean>, Number);
}

/**
 * What a kernel gives, as TF.js wants it. TF.js tells tensors apart by object: a kernel that changes nothing must not give
 * back the object it got. And a tensor without elements is known, so nothing that ONNX Runtime refuses to do with it is done.
 */
function settled({ dataId, shape, dtype }: TensorInfo): TensorInfo {
  if (elementCount(shape) === 0) return backend.recorder.fixedTensor([], shape, dtype);
  return { dataId, shape: [...shape], dtype };
}

function refuseTruthValues(kernelName: string, inputs: Readonly<Record<string, TensorInfo | undefined>>): void {
  if (takesTruthValues(kernelName) || !Object.values(inputs).some((input) => input?.dtype === 'bool')) return;
  throw unsupported(`Operation ${kernelName} of truth values cannot be compiled; cast them to numbers first`);
}

const backend = new RecordingBackend();
tf.registerBackend(recordingBackendName, () => backend, 0);
for (const [kernelName, kernel] of Object.entries(kernels)) {
  const kernelFunc: KernelConfig['kernelFunc'] = ({ inputs, attrs }) => {
    refuseTruthValues(kernelName, inputs as Record<string, TensorInfo>);
    const result = kernel(inputs as Record<string, TensorInfo>, attrs ?? {}, backend.recorder);
    return Array.isArray(result) ? result.map(settled) : settled(result);
  };
  tf.registerKernel({ kernelName, backendName: recordingBackendName, kernelFunc });
}
for (const [kernelName, { reason, instead }] of Object.entries(refusedKernels)) {
  const kernelFunc: KernelConfig['kernelFunc'] = () => {
    throw unsupported(`Operation ${kernelName} cannot be compiled: ${reason}; ${instead}`);
  };
  tf.registerKernel({ kernelName, backendName: recordingBackendName, kernelFunc });
}
for (const [kernelName, entry] of Object.entries(gradients)) registerGradient(kernelName, entry);

/**
 * Runs `record` while TF.js records, and gives TF.js its former backend back whatever happens.
 * @throws CoxswainError TENSOR_UNSUPPORTED naming an operation that has no kernel or no gradient.
 */
export function withRecorder<T>(record: (recorder: Recorder) => T): T {
  const engine = tf.engine();
  const former = engine.backendName as string | null;
  void engine.setBackend(recordingBackendName); // synchronous, because the backend's factory is
  try {
    return backend.recordWith(record);
  } finally {
    if (former) void engine.setBackend(former);
    else Object.assign(engine, { backendName: null, backendInstance: null });
  }
}
