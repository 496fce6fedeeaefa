import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';

import * as tf from '@tensorflow/tfjs-core';
import type { KernelBackend } from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../contracts/errors.ts';
import type { TfjsBackend, TfjsDevice } from '../device.ts';

/** What TF.js must hold for its operations to run on one backend. */
export interface Backend {
  /** TF.js's name of it. */
  readonly backendName: string;
  readonly backendInstance: KernelBackend;
  readonly profiler: unknown;
}

/** How to get a backend: TF.js's name of it, the package that brings it, and what else must be done. */
interface Source {
  readonly backendName: string;
  readonly package: string;
  readonly prepare?: (imported: unknown) => void;
}

const sources: Readonly<Record<TfjsBackend, Source>> = {
  wasm: { backendName: 'wasm', package: '@tensorflow/tfjs-backend-wasm', prepare: prepareWasm },
  cpu: { backendName: 'cpu', package: '@tensorflow/tfjs-backend-cpu' },
  node: { backendName: 'tensorflow', package: '@tensorflow/tfjs-node' },
  'node-gpu': { backendName: 'tensorflow', package: '@tensorflow/tfjs-node-gpu' },
};

/** Backends that are ready or being made ready. */
const ready = new Map<TfjsBackend, Promise<Backend>>();

/**
 * A backend of TF.js, ready for {@link withBackend}. TF.js's current backend stays what it is.
 * @throws CoxswainError DEVICE_UNAVAILABLE when its package is not installed or does not work here; there is no fallback.
 */
export async function prepareBackend(device: TfjsDevice): Promise<Backend> {
  const preparing = ready.get(device.backend) ?? makeReady(device);
  ready.set(device.backend, preparing);
  try {
    return await preparing;
  } catch (error) {
    if (ready.get(device.backend) === preparing) ready.delete(device.backend);
    throw error;
  }
}

async function makeReady({ name, backend }: TfjsDevice): Promise<Backend> {
  const { backendName, package: packageName, prepare } = sources[backend];
  const imported = await importPackage(name, packageName);
  const factory = tf.findBackendFactory(backendName);
  if (!factory) {
    throw unavailable(
      name,
      `${packageName} works with another copy of @tensorflow/tfjs-core; install the version of ours`,
    );
  }
  if (backendName in tf.engine().registry) return snapshot(backendName);
  try {
    prepare?.(imported);
    const instance = await factory();
    register(backendName, instance);
    return snapshot(backendName);
  } catch (cause) {
    throw unavailable(name, messageOf(cause), cause);
  }
}

async function importPackage(device: string, packageName: string): Promise<unknown> {
  try {
    return await import(packageName);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    const reason = missing
      ? `it needs a package that is not installed; run npm install ${packageName}`
      : messageOf(cause);
    throw unavailable(device, reason, cause);
  }
}

/** One thread, as in ONNX Runtime: the bits of a result must not depend on the number of cores. */
function prepareWasm(imported: unknown): void {
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  const { setWasmPaths } = imported as { setWasmPaths(folder: string): void };
  setWasmPaths(dirname(entry) + sep);
}

/** Makes a backend's factory one that needs no waiting, so that nothing can come between when TF.js changes to it. */
function register(backendName: string, instance: KernelBackend): void {
  if (backendName in tf.engine().registry) return;
  tf.removeBackend(backendName);
  tf.registerBackend(backendName, () => instance);
}

function snapshot(backendName: string): Backend {
  return restoring(() => {
    void tf.engine().setBackend(backendName); // synchronous, because the backend's factory is
    return current();
  });
}

/**
 * Runs `work`, which must be synchronous, while TF.js computes on `backend`, and gives TF.js its former backend back
 * whatever happens. TF.js's own change of backend would look up every kernel of the WASM backend each time.
 */
export function withBackend<T>(backend: Backend, work: () => T): T {
  return restoring(() => {
    Object.assign(tf.engine(), backend);
    return work();
  });
}

function restoring<T>(work: () => T): T {
  const former = current();
  try {
    return work();
  } finally {
    Object.assign(tf.engine(), former);
  }
}

function current(): Backend {
  const { backendName, backendInstance, profiler } = tf.engine() as unknown as Backend;
  return { backendName, backendInstance, profiler };
}

function unavailable(device: string, reason: string, cause?: unknown): CoxswainError {
  return new CoxswainError('DEVICE_UNAVAILABLE', `Device ${device} cannot be used: ${reason}.`, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
