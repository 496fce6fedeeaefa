import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterReader, ClusterState } from '../contracts/cluster.ts';
import { CoxswainError, toCoxswainError } from '../contracts/errors.ts';

/** The adapter has limits of its own; this one is for what goes wrong there. */
const readTimeoutMs = 15_000;

/** What a watch tells. */
export interface ClusterWatchEvents {
  /** @param receivedAtMs since 1970. */
  state(state: ClusterState, receivedAtMs: number): void;
  /** A sentence for people: the cluster cannot be read, or can be again. */
  notice(sentence: string): void;
}

/** Reads a namespace again and again. What cannot be read now is read later; until then what was known last holds. */
export class ClusterWatch {
  readonly #reader: ClusterReader;
  readonly #namespace: string;
  readonly #pollMs: number;
  readonly #events: ClusterWatchEvents;
  #failingSinceMs: number | null = null;
  #error: string | null = null;

  constructor(reader: ClusterReader, namespace: string, pollMs: number, events: ClusterWatchEvents) {
    this.#reader = reader;
    this.#namespace = namespace;
    this.#pollMs = pollMs;
    this.#events = events;
  }

  /** Why the cluster cannot be read at present; null when it can. */
  get error(): string | null {
    return this.#error;
  }

  /** Reads once. @throws CoxswainError CLUSTER_UNAVAILABLE, CLUSTER_REFUSED, and what `signal` was aborted with. */
  async readOnce(signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.timeout(readTimeoutMs);
    const limited = AbortSignal.any([signal, limit]);
    const state = await this.#reader.read({ namespaces: [this.#namespace] }, limited).catch((error: unknown) => {
      if (error !== limit.reason) throw error;
      const message = `Namespace ${this.#namespace} could not be read within ${readTimeoutMs / 1000} s.`;
      throw new CoxswainError('CLUSTER_UNAVAILABLE', message, { cause: error });
    });
    this.#events.state(state, nowMs());
  }

  /** Goes on until `signal` is aborted. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#pollMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.readOnce(signal);
        this.#noteSuccess();
      } catch (error) {
        if (!signal.aborted) this.#noteFailure(error);
      }
    }
  }

  #noteFailure(error: unknown): void {
    const { message } = toCoxswainError(error);
    this.#error = message;
    if (this.#failingSinceMs !== null) return;
    this.#failingSinceMs = nowMs();
    this.#events.notice(`The cluster cannot be read; the load goes on with the pods last seen. ${message}`);
  }

  #noteSuccess(): void {
    if (this.#failingSinceMs === null) return;
    const seconds = Math.round((nowMs() - this.#failingSinceMs) / 1000);
    this.#failingSinceMs = null;
    this.#error = null;
    this.#events.notice(`The cluster can be read again, after ${seconds} s.`);
  }
}

/** Milliseconds since 1970 by a clock that only goes forward while the process runs. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
