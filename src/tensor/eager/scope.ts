import * as tf from '@tensorflow/tfjs-core';

import { CoxswainError } from '../../contracts/errors.ts';
import { unsupported, withDeepStacks } from '../unsupported.ts';
import { withBackend } from './backend.ts';
import type { Backend } from './backend.ts';

/**
 * Runs `work`, which must be synchronous, on a backend of TF.js and frees every tensor that it made, also when it throws.
 * `work` gives back values, not tensors.
 * @throws CoxswainError TENSOR_UNSUPPORTED naming an operation that the backend lacks and the line that used it.
 */
export function inScope<T>(device: string, backend: Backend, work: () => T): T {
  return withBackend(backend, () =>
    freeingKept(() => {
      let result: T;
      try {
        withDeepStacks(() => tf.tidy(() => void (result = work())));
      } catch (error) {
        throw explained(error, device);
      }
      return result!;
    }),
  );
}

/**
 * Programs keep what they carry out of the function that they differentiate, because TF.js disposes of all else that is
 * made there. A recorded program keeps nothing in memory by that; here it must be freed when the run is over.
 */
function freeingKept<T>(work: () => T): T {
  const engine = tf.engine();
  const kept: tf.Tensor[] = [];
  const keep = engine.keep.bind(engine);
  engine.keep = (tensor) => {
    kept.push(tensor);
    return keep(tensor);
  };
  try {
    return work();
  } finally {
    Reflect.deleteProperty(engine, 'keep'); // the class's own is there again
    for (const tensor of kept) tensor.dispose();
  }
}

/** TF.js says which kernel or gradient is missing only in the text of a plain error. */
function explained(error: unknown, device: string): unknown {
  if (error instanceof CoxswainError || !(error instanceof Error)) return error;
  const kernel = /^Kernel '(\w+)' not registered for backend '([\w-]+)'/.exec(error.message);
  if (kernel) {
    const what = `Operation ${kernel[1]} is not in TF.js's backend ${kernel[2]}, on which device ${device} computes`;
    return unsupported(`${what}; choose another device`, error.stack);
  }
  if (/gradient/i.test(error.message)) return unsupported(error.message, error.stack);
  return error;
}
