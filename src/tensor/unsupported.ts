import { CoxswainError } from '../contracts/errors.ts';

/** Frames of TF.js and of this compiler; what called them is the user's code. */
const ownFrames = /node_modules[\\/]@tensorflow|src[\\/]tensor[\\/]|dist[\\/]tensor[\\/]|node:internal/;

/**
 * The error for what a compiled program cannot do. It names the innermost line of code that is neither ours nor TF.js's.
 * @param what the operation and what is wrong with it.
 * @param stack where it was used. Default: here.
 */
export function unsupported(what: string, stack = currentStack()): CoxswainError {
  const frame = stack.split('\n').find((line) => /^\s+at .*:\d+:\d+/.test(line) && !ownFrames.test(line));
  const place = frame
    ?.trim()
    .replace(/^at (?:.*\()?/, '')
    .replace(/\)$/, '')
    .replace('file://', '');
  return new CoxswainError('TENSOR_UNSUPPORTED', place ? `${what} (used at ${place})` : what);
}

function currentStack(): string {
  return withDeepStacks(() => new Error().stack ?? '');
}

/** Runs `work` with stacks long enough to hold the many frames that TF.js puts between an operation and who asked for it. */
export function withDeepStacks<T>(work: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
