import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type * as OnnxRuntime from 'onnxruntime-node';

import { CoxswainError } from '../contracts/errors.ts';
import { parseDevice } from './device.ts';
import type { DeviceName } from './device.ts';

/** The module of ONNX Runtime. */
export type Runtime = typeof OnnxRuntime;

let loading: Promise<Runtime> | null = null;

/**
 * ONNX Runtime, loaded when it is first needed, because it is an optional dependency with a native library.
 * @throws CoxswainError DEVICE_UNAVAILABLE when it is not installed or its library does not load on this platform.
 */
export function loadRuntime(): Promise<Runtime> {
  loading ??= importRuntime();
  return loading;
}

async function importRuntime(): Promise<Runtime> {
  try {
    const imported = (await import('onnxruntime-node')) as Runtime & { default?: Runtime };
    const runtime = imported.default ?? imported;
    // What ONNX Runtime would print it also throws.
    runtime.env.logLevel = 'fatal';
    return runtime;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CoxswainError(
      'DEVICE_UNAVAILABLE',
      `ONNX Runtime, which does all numeric work, cannot be loaded: ${reason}. Install the package onnxruntime-node.`,
      { cause },
    );
  }
}

/**
 * Loads a model onto a device. One thread computes: networks of our size are slower with two, which mostly wait for each
 * other, and the bits of a result never depend on the number of cores.
 * @throws CoxswainError DEVICE_UNAVAILABLE with the reason when the device is missing; there is no fallback.
 */
export async function createSession(model: Uint8Array, device: DeviceName): Promise<OnnxRuntime.InferenceSession> {
  const target = parseDevice(device);
  const runtime = await loadRuntime();
  const provider = target.kind === 'cpu' ? 'cpu' : { name: 'cuda', deviceId: target.index };
  try {
    return await runtime.InferenceSession.create(model, {
      executionProviders: [provider],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
    });
  } catch (cause) {
    if (target.kind === 'cpu') throw cause;
    throw new CoxswainError('DEVICE_UNAVAILABLE', `Device ${device} cannot be used: ${cudaReason(cause)}`, { cause });
  }
}

/**
 * Why CUDA does not work. ONNX Runtime's error says only that a library did not load; loading the
 * libraries once more gives the reason.
 */
function cudaReason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const reasons = ['shared', 'cuda'].map((name) => loadFailure(`libonnxruntime_providers_${name}.so`));
  return [message, ...reasons.filter((reason) => reason !== null)].join('; ');
}

function loadFailure(library: string): string | null {
  if (process.platform !== 'linux') return null;
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  const path = join(dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch, library);
  try {
    process.dlopen({ exports: {} }, path);
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // A library that loads but is no Node addon is reported so: then it was not the reason.
    return message.includes('self-register') ? null : message;
  }
}
