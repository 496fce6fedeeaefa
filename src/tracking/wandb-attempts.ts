import { setTimeout as delay } from 'node:timers/promises';
import { TrackerFailure } from './tracker.ts';

/** How long W&B may take. */
export interface WandbLimits {
  /** One attempt, from connecting to the last byte. Default 20 000. */
  readonly attemptMs: number;
  /** A call with all its attempts and the pauses between them. Default 60 000. */
  readonly callMs: number;
  /** Attempts of a call. Default 3. */
  readonly attempts: number;
  /** Pause after the first attempt; doubles with each, up to a minute, and is drawn from its upper half. Default 1 000. */
  readonly backoffMs: number;
}

const defaultLimits: WandbLimits = { attemptMs: 20_000, callMs: 60_000, attempts: 3, backoffMs: 1_000 };

/** One HTTP exchange with W&B. */
export interface Exchange {
  /** For messages: what is being done. */
  readonly name: string;
  readonly method: 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** Statuses that are worth another attempt although they are refusals elsewhere. */
  readonly alsoRetry?: readonly number[];
}

/** Makes an exchange, with repetitions; gives the JSON of the answer, null for an upload. */
export type Send = (exchange: Exchange, signal: AbortSignal) => Promise<unknown>;

/**
 * Every exchange is bounded in time and repeated as W&B's own client does it: after a broken connection and after every 4xx and
 * 5xx except those that say no for good. Fails with a {@link TrackerFailure}, or rejects with the signal's reason.
 * @param secrets never appear in a message.
 */
export function createSend(
  options: { limits?: Partial<WandbLimits>; random?: () => number },
  secrets: readonly string[],
): Send {
  const limits = { ...defaultLimits, ...options.limits };
  const random = options.random ?? Math.random;
  return async (exchange, signal) => {
    const timeIsUp = AbortSignal.timeout(limits.callMs);
    for (let attempt = 1; ; attempt++) {
      const failed = await tryOnce(exchange, AbortSignal.any([signal, timeIsUp]), limits, secrets);
      if (failed instanceof Answer) return failed.json;
      signal.throwIfAborted();
      if (failed.failure.kind !== 'unavailable' || attempt >= limits.attempts || timeIsUp.aborted) throw failed.failure;
      const pauseMs = failed.pauseMs ?? Math.min(60_000, limits.backoffMs * 2 ** (attempt - 1)) * (0.5 + random() / 2);
      await delay(pauseMs, null, { signal: AbortSignal.any([signal, timeIsUp]) }).catch(() => {
        signal.throwIfAborted();
        throw failed.failure;
      });
    }
  };
}

class Answer {
  readonly json: unknown;
  constructor(json: unknown) {
    this.json = json;
  }
}

interface Failed {
  readonly failure: TrackerFailure;
  /** What the server asks to wait. */
  readonly pauseMs: number | null;
}

async function tryOnce(
  exchange: Exchange,
  signal: AbortSignal,
  limits: WandbLimits,
  secrets: readonly string[],
): Promise<Answer | Failed> {
  const { method, url, headers, body } = exchange;
  const timeIsUp = AbortSignal.timeout(limits.attemptMs);
  try {
    const response = await fetch(url, {
      method,
      headers,
      body,
      redirect: 'manual', // credentials go to the configured address only
      signal: AbortSignal.any([signal, timeIsUp]),
    });
    return await readResponse(exchange, response, secrets);
  } catch (error) {
    const reason = timeIsUp.aborted ? `no answer within ${limits.attemptMs / 1000} s` : describe(error);
    return unavailable(`W&B did not take ${exchange.name}: ${scrub(reason, secrets)}`);
  }
}

/** Statuses after which W&B's own client does not try again. */
const finalStatuses = [400, 404, 409, 410, 413, 422, 501];

async function readResponse(
  exchange: Exchange,
  response: Response,
  secrets: readonly string[],
): Promise<Answer | Failed> {
  const { status } = response;
  const text = await readText(response);
  if (response.ok) return exchange.method === 'PUT' ? new Answer(null) : readJson(exchange, text);
  const message = `W&B answered ${exchange.name} with ${status}: ${excerpt(scrub(text, secrets))}`;
  if (status === 401 || status === 403) return refused(message, exchange.method === 'PUT');
  if (status < 400 || (finalStatuses.includes(status) && !exchange.alsoRetry?.includes(status)))
    return refused(message, true);
  return { ...unavailable(message), pauseMs: retryAfterMs(response) };
}

/** More than any answer of W&B; an endless one must not fill the memory. */
const maxAnswerBytes = 16 * 1024 * 1024;

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readJson({ name }: Exchange, text: string): Answer | Failed {
  try {
    return new Answer(JSON.parse(text));
  } catch {
    return unavailable(`W&B answered ${name} with something other than JSON`);
  }
}

/** The server's `Retry-After` in seconds, at most a minute; null when it gives none. */
function retryAfterMs(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return seconds >= 0 ? Math.min(60, seconds) * 1000 : null;
}

function unavailable(message: string): Failed {
  return { failure: new TrackerFailure('unavailable', message), pauseMs: null };
}

/** @param isSingle false when every other exchange will be refused too; a signed address only speaks for itself. */
function refused(message: string, isSingle: boolean): Failed {
  return { failure: new TrackerFailure(isSingle ? 'refused' : 'unauthorized', message), pauseMs: null };
}

/** Node's fetch says only "fetch failed"; its cause says why. */
function describe(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const { name, code, message } = cause as { name?: unknown; code?: unknown; message?: unknown };
  if (name === 'TimeoutError') return 'no answer in time';
  return String(typeof code === 'string' ? code : (message ?? cause));
}

/** The beginning of a server's text, on one line. */
export function excerpt(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 300);
}

/** A server may echo what it was sent. */
export function scrub(text: string, secrets: readonly string[]): string {
  return secrets.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, '***'), text);
}
