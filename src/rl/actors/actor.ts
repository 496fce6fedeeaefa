import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CoxswainError } from '../../contracts/errors.ts';
import type { FromActor, ToActor } from './protocol.ts';

/** The end of an actor's standard error that goes into a failure's message, characters. */
const keptErrorOutput = 2_000;
/** An actor that is not ready after this long counts as hung. */
const startPatienceMs = 60_000;
/** An actor that was told to end and has not after this long is killed. */
const endPatienceMs = 5_000;

/** The answer to a question. */
type AnswerTo<Question extends ToActor['kind']> = Extract<
  FromActor,
  { kind: { 'set-up': 'ready'; begin: 'gradient'; 'go-on': 'gradient'; finish: 'finished' }[Question] }
>;

/**
 * An actor process, seen from the training.
 *
 * 1. One question at a time; the next one follows the answer.
 * 2. After an error of `ask` the actor is of no use: `end` it.
 * 3. The process ends by itself when its channel is gone, so nothing outlives the training's process.
 */
export class Actor {
  private readonly name: string;
  private readonly patienceMs: number;
  private readonly child: ChildProcess;
  private readonly exited: Promise<string>;
  private errorOutput = '';
  private waiting: { resolve: (answer: FromActor) => void; reject: (error: CoxswainError) => void } | null = null;
  /** How the process ended; null while it lives. */
  private ended: string | null = null;

  /** @param patienceMs without an answer for this long the actor counts as hung, once it is set up. */
  constructor(index: number, patienceMs: number) {
    this.name = `Actor ${index}`;
    this.patienceMs = patienceMs;
    // Beside this file, with this file's own extension: .ts in the project, .js in the package.
    const program = fileURLToPath(new URL(`./actor-process${extname(import.meta.url)}`, import.meta.url));
    const stdio: ['ignore', 'ignore', 'pipe', 'ipc'] = ['ignore', 'ignore', 'pipe', 'ipc'];
    this.child = fork(program, [], { execArgv: [], serialization: 'advanced', stdio });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errorOutput = (this.errorOutput + text).slice(-keptErrorOutput);
    });
    this.child.on('message', (answer: FromActor) => this.waiting?.resolve(answer));
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
      this.child.once('error', (error) => resolve(error.message));
    });
    void this.exited.then((end) => {
      this.ended = end;
      this.waiting?.reject(this.endedEarly(end));
    });
  }

  /**
   * Asks and waits for the answer.
   * @throws CoxswainError what the actor failed with, or CHILD_PROCESS_FAILED when it ended or hangs.
   */
  async ask<Question extends ToActor>(question: Question): Promise<AnswerTo<Question['kind']>> {
    const answer = await this.answer(question);
    if (answer.kind === 'failed') throw new CoxswainError(answer.code, `${this.name}: ${answer.message}`);
    return answer as AnswerTo<Question['kind']>;
  }

  /** Ends the process and waits until it is gone. */
  async end(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), endPatienceMs);
    await this.exited;
    clearTimeout(timer);
  }

  private answer(question: ToActor): Promise<FromActor> {
    if (this.ended !== null) return Promise.reject(this.endedEarly(this.ended));
    return new Promise<FromActor>((resolve, reject) => {
      const patienceMs = question.kind === 'set-up' ? startPatienceMs : this.patienceMs;
      const timer = setTimeout(() => reject(this.hung(question, patienceMs)), patienceMs);
      const settled = (): void => {
        clearTimeout(timer);
        this.waiting = null;
      };
      this.waiting = {
        resolve: (answer) => {
          settled();
          resolve(answer);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      this.child.send(question, () => {}); // a broken channel shows as the exit
    });
  }

  private endedEarly(end: string): CoxswainError {
    const said = this.errorOutput.trim();
    return new CoxswainError(
      'CHILD_PROCESS_FAILED',
      `${this.name} ended early with ${end}${said === '' ? '' : `; it said: ${said}`}`,
    );
  }

  private hung({ kind }: ToActor, patienceMs: number): CoxswainError {
    this.child.kill('SIGKILL');
    return new CoxswainError(
      'CHILD_PROCESS_FAILED',
      `${this.name} did not answer "${kind}" within ${patienceMs / 1000} s. If a rollout can take so long, raise actorPatienceSeconds.`,
    );
  }
}

/**
 * Starts actors and sets them up; when one fails, none is left.
 * @throws CoxswainError as {@link Actor.ask} does.
 */
export async function startActors(
  count: number,
  setup: Extract<ToActor, { kind: 'set-up' }>['setup'],
  patienceMs: number,
): Promise<Actor[]> {
  const actors = Array.from({ length: count }, (_, index) => new Actor(index, patienceMs));
  try {
    await Promise.all(actors.map((actor) => actor.ask({ kind: 'set-up', setup })));
    return actors;
  } catch (error) {
    await endActors(actors);
    throw error;
  }
}

/** Ends them all and waits until they are gone. */
export async function endActors(actors: readonly Actor[]): Promise<void> {
  await Promise.all(actors.map((actor) => actor.end()));
}
