import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CoxswainError, toCoxswainError } from '../../src/contracts/errors.ts';
import type { PolicyAnswer, PolicyProcesses, PolicyQuestion } from '../../src/contracts/policy-process.ts';
import type { ArtifactReference } from '../../src/contracts/stores.ts';
import type { FromPolicy, ToPolicy } from './protocol.ts';

/** Settings of the policy processes. */
export interface PolicyProcessOptions {
  /** The processes' whole environment: what the system needs, no secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** The bytes of a policy. */
  readonly load: (policy: ArtifactReference) => Promise<Uint8Array>;
  /** How long a process may take to start and load its policy. Default 20 000. */
  readonly startTimeoutMs?: number;
  /** How long an answer may take. Default 5 000. */
  readonly answerTimeoutMs?: number;
  /** The process's program; only tests give another. Default: `policy-process` beside this file. */
  readonly program?: string;
}

/** A deployment's process from the moment that it is wanted. */
interface Place {
  readonly sha256: string;
  readonly started: Promise<PolicyProcess>;
  readonly stop: AbortController;
}

/**
 * Policies in processes of their own, one a deployment; they stay between questions. That one died, also between two
 * questions, is said once: whoever asks next must know that the policy is not to be relied on.
 */
export function createPolicyProcesses(options: PolicyProcessOptions): PolicyProcesses {
  const places = new Map<string, Place>();
  const vacate = async (deployment: string, place: Place): Promise<void> => {
    if (places.get(deployment) === place) places.delete(deployment);
    place.stop.abort(new Error('The policy is not wanted any more.'));
    const started = await place.started.catch(() => null);
    await started?.end();
  };
  /** The place of a policy; another one's is vacated first, so that no deployment has two processes. */
  const placeOf = async ({ deployment, policy }: PolicyQuestion): Promise<Place> => {
    for (let place = places.get(deployment); place !== undefined; place = places.get(deployment)) {
      if (place.sha256 === policy.sha256) return place;
      await vacate(deployment, place);
    }
    const stop = new AbortController();
    const place = { sha256: policy.sha256, started: PolicyProcess.start(policy, options, stop.signal), stop };
    places.set(deployment, place);
    return place;
  };
  return {
    async ask(question, signal) {
      signal?.throwIfAborted();
      const place = await placeOf(question);
      try {
        const process = await orAborted(place.started, signal);
        return await process.ask(question, signal);
      } catch (error) {
        // What did not answer may never do: the next question starts another process.
        await vacate(question.deployment, place);
        signal?.throwIfAborted();
        const { message, code } = toCoxswainError(error);
        if (code === 'STORE_UNAVAILABLE' || code === 'ARTIFACT_CORRUPT' || code === 'ARTIFACT_NOT_FOUND') throw error;
        throw new CoxswainError('POLICY_UNAVAILABLE', message, { cause: error });
      }
    },
    async release(deployment) {
      const place = places.get(deployment);
      if (place !== undefined) await vacate(deployment, place);
    },
  };
}

/** What `work` comes to, or what `signal` was aborted with before that. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const settled = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: settled.signal });
    if (signal.aborted) reject(signal.reason as Error);
  });
  return Promise.race([work, aborted]).finally(() => settled.abort());
}

/** One process with its policy loaded. */
class PolicyProcess {
  readonly sha256: string;
  private readonly child: ChildProcess;
  private readonly exited: Promise<string>;
  private readonly answerTimeoutMs: number;
  private questions = 0;
  isRunning = true;

  private constructor(sha256: string, child: ChildProcess, answerTimeoutMs: number) {
    this.sha256 = sha256;
    this.child = child;
    this.answerTimeoutMs = answerTimeoutMs;
    this.exited = new Promise((resolve) => {
      const ended = (how: string): void => {
        this.isRunning = false;
        resolve(how);
      };
      child.once('exit', (code, killedBy) => ended(killedBy === null ? `exit code ${code}` : `signal ${killedBy}`));
      child.once('error', (error) => ended(error.message));
    });
  }

  static async start(
    policy: ArtifactReference,
    options: PolicyProcessOptions,
    signal: AbortSignal,
  ): Promise<PolicyProcess> {
    const { environment, load, startTimeoutMs = 20_000, answerTimeoutMs = 5_000 } = options;
    const onnx = await load(policy);
    signal.throwIfAborted();
    // Beside this file, with this file's own extension: .ts in the project, .js in the package.
    const path =
      options.program ?? fileURLToPath(new URL(`./policy-process${extname(import.meta.url)}`, import.meta.url));
    const child = fork(path, [], {
      env: environment,
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const started = new PolicyProcess(policy.sha256, child, answerTimeoutMs);
    try {
      const loaded = started.expect((message) => message.kind === 'loaded', null, startTimeoutMs, signal);
      started.send({ kind: 'load', onnx });
      await loaded;
      return started;
    } catch (error) {
      await started.end();
      throw error;
    }
  }

  async ask({ observation, mask, memory }: PolicyQuestion, signal?: AbortSignal): Promise<PolicyAnswer> {
    const id = this.questions++;
    const answered = this.expect(
      (message) => message.kind === 'answer' && message.id === id,
      id,
      this.answerTimeoutMs,
      signal,
    );
    this.send({ kind: 'ask', id, observation, mask, memory });
    const { action, memory: next } = (await answered) as FromPolicy & { kind: 'answer' };
    return { action, memory: next };
  }

  async end(): Promise<void> {
    if (this.isRunning) this.child.kill('SIGKILL');
    await this.exited;
  }

  private send(message: ToPolicy): void {
    this.child.send(message, () => {}); // a broken channel shows as the process's end
  }

  /** The first message that fits. @throws Error when the process fails, ends or takes too long. */
  private async expect(
    fits: (message: FromPolicy) => boolean,
    id: number | null,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<FromPolicy> {
    const settled = new AbortController();
    try {
      return await new Promise<FromPolicy>((resolve, reject) => {
        const fail = (reason: string): void => reject(new Error(reason));
        const hear = (message: FromPolicy): void => {
          if (fits(message)) resolve(message);
          else if (message.kind === 'failed' && message.id === id)
            fail(`The policy process failed: ${message.message}`);
        };
        this.child.on('message', hear);
        settled.signal.addEventListener('abort', () => this.child.off('message', hear));
        const timer = setTimeout(() => fail(`The policy process did not answer within ${timeoutMs} ms.`), timeoutMs);
        settled.signal.addEventListener('abort', () => clearTimeout(timer));
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { signal: settled.signal });
        if (signal?.aborted) reject(signal.reason as Error);
        // Not a reaction on `exited`: those of every question would stay as long as the process.
        const gone = (): void => void this.exited.then((how) => fail(`The policy process ended with ${how}.`));
        if (!this.isRunning) gone();
        this.child.once('exit', gone);
        settled.signal.addEventListener('abort', () => this.child.off('exit', gone));
      });
    } finally {
      settled.abort();
    }
  }
}
