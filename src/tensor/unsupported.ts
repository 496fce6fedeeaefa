import { CoxswainError } from '../contracts/errors.ts';

/** Frames of TF.js and of this compiler; what called them is the user's code. */
const ownFrames = /node_modules[\\/]@tensorflow|src[\\/]tensor[\\/]|dist[\\/]tensor[\\/]|node:internal/;

const isFrame = (line: string): boolean => /^\s+at .*:\d+:\d+/.test(line);

/**
 * The error for what a compiled program cannot do. It names the innermost line of code that is neither ours nor TF.js's.
 * @param what the operation and what is wrong with it.
 * @param stack where it was used. Default: here.
 */
export function unsupported(what: string, stack = currentStack()): CoxswainError {
  const frame = stack.split('\n').find((line) => isFrame(line) && !ownFrames.test(line));
  const place = frame
    ?.trim()
    .replace(/^at (?:.*\()?/, '')
    .replace(/\)$/, '')
    .replace('file://', '');
  return new CoxswainError('TENSOR_UNSUPPORTED', place ? `${what} (used at ${place})` : what);
}

/** The function of TF.js that the user's code called, as he knows it: `dataSync`, `whereAsync`, `dropout`. */
export function calledFunction(stack = currentStack()): string {
  const frames = stack.split('\n').filter(isFrame);
  const user = frames.findIndex((line) => !ownFrames.test(line));
  const called = /^\s+at (?:async )?(?:\w+\.)*(\w+)/.exec(frames[user - 1] ?? '')?.[1] ?? 'a function';
  return called.replace(/(?:__op|_)$/, '');
}

/** The names of the innermost functions that are running. */
export function runningFunctions(count: number): string[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = count;
    Error.prepareStackTrace = (_error, sites) => sites.map((site) => site.getFunctionName() ?? '');
    return new Error().stack as unknown as string[];
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
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
