import { setTimeout as delay } from 'node:timers/promises';
import { CoxswainError } from '../../contracts/errors.ts';
import { judge, judgeLoss, statusOf } from './api-answer.ts';
import type { Verdict } from './api-answer.ts';
import { exchange, ObjectBody } from './api-exchange.ts';
import type { BodyReader, Outgoing } from './api-exchange.ts';
import { isRefusal, refusal } from './api-refusal.ts';
import { pathOf, whatOf } from './api-resources.ts';
import type { ApiMethod, ApiResource, ApiTarget } from './api-resources.ts';
import { ClusterCredentials } from './cluster-credentials.ts';
import type { ClusterAccess, Connection } from './cluster-credentials.ts';
import { ListBody } from './list-body.ts';

/** How long the API server is waited for. */
export interface Patience {
  /** All requests of one call together, their repetitions included. Default 10 000. */
  readonly callMs?: number;
  /** A request without an answer after this long is sent again. Default 5 000. */
  readonly requestMs?: number;
}

/** One request to the API server. */
export interface ApiRequest {
  readonly method: ApiMethod;
  readonly target: ApiTarget;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** False: an answer that says `later` is final. For interfaces that may be gone for good. Default true. */
  readonly patient?: boolean;
}

/** The API server of one cluster, for the namespaces that the configuration allows. */
export interface KubernetesClient {
  /** @throws CoxswainError NOT_ALLOWED unless the configuration allows the namespace. */
  allow(namespace: string): void;
  /**
   * Does `work` within one time limit, whatever it asks for. When it is over, so are requests that still run.
   * @throws what `signal` was aborted with.
   */
  call<T>(signal: AbortSignal | undefined, work: (api: ApiCall) => Promise<T>): Promise<T>;
}

/**
 * Requests within one call.
 *
 * 1. An answer `later` (429, 502, 503, 504; 500 to a GET) and a lost connection are tried again with growing pauses, or
 *    after what Retry-After says, as long as the call's time lasts; then CLUSTER_UNAVAILABLE.
 * 2. Credentials that are not accepted are read again, once; then CLUSTER_REFUSED.
 * 3. Every other refusal is an {@link ApiRefusal}, which is CLUSTER_REFUSED for who does not look closer.
 */
export interface ApiCall {
  /** Answers with the object. */
  request<T>(request: ApiRequest): Promise<T>;
  /** All objects of a kind, page by page, and again from the start when the list became too old on the way. */
  list<T, Kept>(target: ApiTarget, keep: (item: T) => Kept, options?: ListOptions): Promise<Kept[]>;
  /** True when the API server serves the group of a kind at its version. */
  knows(resource: ApiResource): Promise<boolean>;
  /** The API server's clock at its last answer; null before it. */
  serverTime(): Date | null;
}

export interface ListOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly patient?: boolean;
  /** Read who manages which fields. Default false: it is half of an object. */
  readonly managedFields?: boolean;
}

const defaultPatience = { callMs: 10_000, requestMs: 5_000 };
const pageSize = 500;
const firstPauseMs = 50;
const longestPauseMs = 2_000;
const maxListStarts = 3;

/** Reads the credentials with the first request. */
export function createKubernetesClient(access: ClusterAccess, patience: Patience = {}): KubernetesClient {
  const credentials = new ClusterCredentials(access);
  return {
    allow(namespace) {
      if (access.namespaces.includes(namespace)) return;
      const message = `Namespace ${namespace} may not be touched: COXSWAIN_CLUSTER_NAMESPACES of this worker allows ${access.namespaces.join(', ') || 'none'}.`;
      throw new CoxswainError('NOT_ALLOWED', message);
    },
    async call(signal, work) {
      signal?.throwIfAborted();
      const call = new Call(credentials, { ...defaultPatience, ...patience }, signal);
      try {
        return await work(call);
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        call.end();
      }
    },
  };
}

class Call implements ApiCall {
  private readonly credentials: ClusterCredentials;
  private readonly patience: Required<Patience>;
  private readonly over = new AbortController();
  private readonly deadline: number;
  private readonly signal: AbortSignal;
  private clock: Date | null = null;

  constructor(credentials: ClusterCredentials, patience: Required<Patience>, signal: AbortSignal | undefined) {
    this.credentials = credentials;
    this.patience = patience;
    this.deadline = performance.now() + patience.callMs;
    this.signal = AbortSignal.any([this.over.signal, ...(signal ? [signal] : [])]);
  }

  end(): void {
    this.over.abort();
  }

  serverTime(): Date | null {
    return this.clock;
  }

  async request<T>(request: ApiRequest): Promise<T> {
    return (await this.answer(request, () => new ObjectBody())) as T;
  }

  async list<T, Kept>(target: ApiTarget, keep: (item: T) => Kept, options: ListOptions = {}): Promise<Kept[]> {
    for (let start = 1; ; start++) {
      try {
        return await this.pages(target, keep, options);
      } catch (error) {
        if (!isRefusal(error, 410)) throw error;
        if (start === maxListStarts)
          throw unavailable(target, `its list grew too old ${start} times while it was read`);
      }
    }
  }

  async knows(resource: ApiResource): Promise<boolean> {
    try {
      await this.request({ method: 'GET', target: { resource: { ...resource, resource: '' }, namespace: null } });
      return true;
    } catch (error) {
      if (isRefusal(error, 404)) return false;
      throw error;
    }
  }

  private async pages<T, Kept>(target: ApiTarget, keep: (item: T) => Kept, options: ListOptions): Promise<Kept[]> {
    const { query, patient, managedFields = false } = options;
    const kept: Kept[] = [];
    let next: string | undefined;
    do {
      const page = { limit: String(pageSize), ...(next === undefined ? {} : { continue: next }) };
      const request: ApiRequest = { method: 'GET', target, query: { ...query, ...page }, patient };
      const read = await this.answer(request, () => new ListBody(keep, managedFields));
      for (const item of read.kept) kept.push(item);
      next = read.next;
    } while (next !== undefined);
    return kept;
  }

  /** @param reader made anew for each time that it is sent. */
  private async answer<T>(request: ApiRequest, reader: () => BodyReader<T>): Promise<T> {
    const { target, patient = true } = request;
    let renewed = false;
    for (let attempt = 0; ; attempt++) {
      const { verdict, connection } = await this.attempt(request, reader());
      if (verdict.kind === 'later' && patient) {
        await this.pause(target, verdict, attempt);
      } else if (verdict.kind === 'stale' && !renewed) {
        renewed = true;
        this.credentials.forget(connection);
      } else {
        return settled(request, verdict) as T;
      }
    }
  }

  /** Sends it once. Rejects only when the call is over or the credentials cannot be had. */
  private async attempt(
    request: ApiRequest,
    reader: BodyReader<unknown>,
  ): Promise<{ verdict: Verdict; connection: Connection | null }> {
    const limitMs = Math.max(1, Math.ceil(Math.min(this.patience.requestMs, this.deadline - performance.now())));
    const limit = AbortSignal.timeout(limitMs);
    const signal = AbortSignal.any([this.signal, limit]);
    let connection: Connection | null = null;
    try {
      connection = await orAborted(this.credentials.connection(), signal);
      const answer = await exchange(connection, outgoingOf(request), reader, signal);
      this.clock = answer.headers.date === undefined ? this.clock : new Date(answer.headers.date);
      return { verdict: judge(request.method, answer), connection };
    } catch (error) {
      this.signal.throwIfAborted();
      if (error instanceof CoxswainError) throw error;
      if (error instanceof SyntaxError) throw notJson(request.target, error);
      const why = limit.aborted ? `no answer within ${limitMs} ms` : reasonOf(error);
      return { verdict: judgeLoss(error, why), connection };
    }
  }

  private async pause(target: ApiTarget, { why, waitMs }: Verdict & { kind: 'later' }, attempt: number): Promise<void> {
    const growing = Math.min(longestPauseMs, firstPauseMs * 2 ** attempt) * (0.5 + Math.random() / 2);
    const pauseMs = waitMs ?? growing;
    if (performance.now() + pauseMs >= this.deadline) {
      const wish = waitMs === null ? '' : `, and it wants to be left alone for ${Math.ceil(waitMs / 1000)} s`;
      throw unavailable(target, `${why}${wish}; a call may take ${this.patience.callMs} ms`);
    }
    await delay(pauseMs, undefined, { signal: this.signal });
  }
}

function outgoingOf({ method, target, query, body }: ApiRequest): Outgoing {
  const path = pathOf(target) + (query ? `?${new URLSearchParams(query).toString()}` : '');
  return { method, path, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
}

/** The answer of a request that is not sent again, or what it comes to. */
function settled({ method, target }: ApiRequest, verdict: Verdict): unknown {
  switch (verdict.kind) {
    case 'done':
      return verdict.answer.body;
    case 'refused':
      throw refusal(method, target, verdict.answer.status, statusOf(verdict.answer.text));
    case 'stale':
      throw new CoxswainError('CLUSTER_REFUSED', `${verdict.why}, asked for ${whatOf(target)}.`);
    case 'later':
    case 'failed':
      throw unavailable(target, verdict.why);
  }
}

function notJson(target: ApiTarget, cause: SyntaxError): CoxswainError {
  const message = `The answer for ${whatOf(target)} is no JSON: check that the address of the kubeconfig is that of an API server.`;
  return new CoxswainError('CLUSTER_REFUSED', message, { cause });
}

function unavailable(target: ApiTarget, why: string): CoxswainError {
  return new CoxswainError('CLUSTER_UNAVAILABLE', `The API server did not answer for ${whatOf(target)}: ${why}.`);
}

/** What the system says; the error's own message may be empty where several addresses were tried. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}

/** Plug-ins that give credentials may hang. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
