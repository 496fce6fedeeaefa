import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CoxswainError } from '../../src/contracts/errors.ts';
import type {
  EvaluateOutcome,
  FitOutcome,
  NumericProcesses,
  TrainHooks,
  TrainOutcome,
} from '../../src/contracts/numeric.ts';
import type { FromChild, ToChild } from './protocol.ts';

/** The end of the child's standard error that goes into a failure's message, characters. */
const keptErrorOutput = 2_000;

/** Settings of the numeric children. */
export interface ChildProcessOptions {
  /** The children's whole environment: what the system needs, no secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** The child's program; only tests give another. Default: `child` beside this file. */
  readonly program?: string;
  /** A child that was told to stop and has not ended after this long is killed. Default 5 000. */
  readonly stopPatienceMs?: number;
  /** Absolute paths of modules with algorithms beside our own. Default none. */
  readonly algorithmModules?: readonly string[];
  /** GPUs that trainings on `cuda` share, one at a time each. Default 1. */
  readonly gpus?: number;
}

const defaultStopPatienceMs = 5_000;

/**
 * Numeric jobs in child processes, one a job.
 *
 * 1. A child ends by itself when its channel to this process is gone, so killing a worker leaves nothing running.
 * 2. When `train`, `evaluate` or `fit` settles, the child has ended.
 */
export function createNumericProcesses(options: ChildProcessOptions): NumericProcesses {
  const { algorithmModules = [] } = options;
  const freeGpus = Array.from({ length: options.gpus ?? 1 }, (_, index) => index);
  return {
    async train(job, hooks, signal) {
      const gpu = job.device === 'cuda' ? freeGpus.shift() : undefined;
      const placed = gpu === undefined ? job : { ...job, device: `cuda:${gpu}` as const };
      try {
        return (await runChild(
          options,
          { kind: 'train', job: placed, algorithmModules },
          hooks,
          signal,
        )) as TrainOutcome;
      } finally {
        if (gpu !== undefined) freeGpus.push(gpu);
      }
    },
    async evaluate(job, signal) {
      const outcome = await runChild(options, { kind: 'evaluate', job }, null, signal);
      if ('status' in outcome) throw signal.reason;
      return outcome as EvaluateOutcome;
    },
    async fit(job, signal) {
      const outcome = await runChild(options, { kind: 'fit', job }, null, signal);
      if ('status' in outcome) throw signal.reason;
      return outcome as FitOutcome;
    },
  };
}

type Outcome = TrainOutcome | EvaluateOutcome | FitOutcome;

async function runChild(
  options: ChildProcessOptions,
  job: ToChild,
  hooks: TrainHooks | null,
  signal: AbortSignal,
): Promise<Outcome> {
  if (signal.aborted) return { status: 'cancelled' };
  const child = start(options);
  const errorOutput = tailOf(child);
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, killedBy) => resolve(killedBy === null ? `exit code ${code}` : `signal ${killedBy}`));
    child.once('error', (error) => resolve(error.message));
  });
  const patienceMs = options.stopPatienceMs ?? defaultStopPatienceMs;
  const stopping = stopOnAbort(child, signal, patienceMs);
  try {
    return await Promise.race([
      conversation(child, job, hooks),
      exited.then((end) => endedEarly(end, errorOutput(), signal)),
    ]);
  } finally {
    stopping.abort();
    if (child.connected) child.disconnect();
    await killUnlessGone(child, exited, patienceMs);
  }
}

function start({ environment, program }: ChildProcessOptions): ChildProcess {
  // Beside this file, with this file's own extension: .ts in the project, .js in the package.
  const path = program ?? fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url));
  const stdio: ['ignore', 'ignore', 'pipe', 'ipc'] = ['ignore', 'ignore', 'pipe', 'ipc'];
  return fork(path, [], { env: environment, execArgv: [], serialization: 'advanced', stdio });
}

/** Gives the job, answers the child's messages in order, and resolves with its outcome. */
function conversation(child: ChildProcess, job: ToChild, hooks: TrainHooks | null): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const send = (message: ToChild): void => void child.send(message, () => {}); // a broken channel shows as its exit
    const store = async (step: number, bytes: Uint8Array): Promise<void> => {
      await hooks?.onCheckpoint({ step, bytes });
      send({ kind: 'stored' });
    };
    child.on('message', (message: FromChild) => {
      if (message.kind === 'ready') send(job);
      else if (message.kind === 'point') hooks?.onPoint(message.point);
      else if (message.kind === 'checkpoint') store(message.step, message.bytes).catch(reject);
      else if (message.kind === 'done') resolve(message.outcome);
      else reject(new CoxswainError(message.code, message.message, { details: message.details }));
    });
  });
}

function stopOnAbort(child: ChildProcess, signal: AbortSignal, patienceMs: number): AbortController {
  const ended = new AbortController();
  const stop = (): void => {
    if (child.connected) child.send({ kind: 'stop' } satisfies ToChild, () => {});
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    ended.signal.addEventListener('abort', () => clearTimeout(timer));
  };
  signal.addEventListener('abort', stop, { signal: ended.signal, once: true });
  return ended;
}

function endedEarly(end: string, errorOutput: string, signal: AbortSignal): Outcome {
  if (signal.aborted) return { status: 'cancelled' };
  const said = errorOutput === '' ? '' : `; it said: ${errorOutput}`;
  throw new CoxswainError('CHILD_PROCESS_FAILED', `The numeric process ended early with ${end}${said}`);
}

/** After its last message the child ends by itself; one that hangs in native code is killed. */
async function killUnlessGone(child: ChildProcess, exited: Promise<string>, patienceMs: number): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await exited;
  clearTimeout(timer);
}

function tailOf(child: ChildProcess): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-keptErrorOutput);
  });
  return () => tail.trim();
}
