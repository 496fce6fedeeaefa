import { CoxswainError } from '../contracts/errors.ts';
import { TrackerFailure } from './tracker.ts';
import { createSend, excerpt, scrub } from './wandb-attempts.ts';
import type { WandbLimits } from './wandb-attempts.ts';

/** Where W&B is and who asks. */
export interface WandbTransportOptions {
  /** Never appears in a message. */
  readonly apiKey: string;
  /** For example `https://api.wandb.ai`. */
  readonly baseUrl: string;
  readonly limits?: Partial<WandbLimits>;
  /** Uniform in [0, 1), for the pauses. Default Math.random. */
  readonly random?: () => number;
}

/** A GraphQL operation with its variables. */
export interface GraphqlCall {
  readonly operationName: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly alsoRetry?: readonly number[];
}

/** HTTP to W&B. Calls are bounded, repeated and fail as {@link createSend} says. */
export interface WandbTransport {
  /** The operation's `data`. A GraphQL error is a refusal, also inside a 200. */
  graphql(call: GraphqlCall, signal: AbortSignal): Promise<unknown>;
  /** Posts JSON to a path below the base URL; gives the JSON answer. */
  post(path: string, body: unknown, signal: AbortSignal): Promise<unknown>;
  /** Puts bytes to a signed address, which gets no credentials. `headers` are `Name:Value` texts. */
  upload(
    file: { name: string; url: string; headers: readonly string[]; bytes: Uint8Array },
    signal: AbortSignal,
  ): Promise<void>;
}

/** @throws CoxswainError CONFIG_INVALID when the base URL is not an http(s) address without credentials. */
export function createWandbTransport(options: WandbTransportOptions): WandbTransport {
  const baseUrl = readBaseUrl(options.baseUrl);
  const authorization = `Basic ${Buffer.from(`api:${options.apiKey}`).toString('base64')}`;
  const jsonHeaders = { authorization, 'content-type': 'application/json', 'user-agent': 'coxswain' };
  const secrets = [options.apiKey, authorization.slice('Basic '.length)];
  const send = createSend(options, secrets);
  return {
    async graphql({ alsoRetry, ...call }, signal) {
      const name = call.operationName;
      const url = `${baseUrl}/graphql`;
      const exchange = {
        name,
        method: 'POST',
        url,
        headers: jsonHeaders,
        body: JSON.stringify(call),
        alsoRetry,
      } as const;
      return dataOf(name, await send(exchange, signal), secrets);
    },
    post: (path, body, signal) =>
      send(
        { name: path, method: 'POST', url: `${baseUrl}/${path}`, headers: jsonHeaders, body: JSON.stringify(body) },
        signal,
      ),
    async upload({ name, url, headers, bytes }, signal) {
      const body = Uint8Array.from(bytes); // fetch adds a content type to text, which breaks signed addresses
      await send({ name: `upload of ${name}`, method: 'PUT', url, headers: headersOf(headers), body }, signal);
    },
  };
}

function readBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    const message = 'The address of W&B (WANDB_BASE_URL) must be an http:// or https:// URL without user and password.';
    throw new CoxswainError('CONFIG_INVALID', message);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function dataOf(name: string, answer: unknown, secrets: readonly string[]): unknown {
  const { data, errors } = (answer ?? {}) as { data?: unknown; errors?: { message?: unknown }[] };
  if (Array.isArray(errors) && errors.length > 0) {
    const reasons = errors.map((error) => String(error?.message)).join('; ');
    throw new TrackerFailure('refused', `W&B refused ${name}: ${excerpt(scrub(reasons, secrets))}`);
  }
  if (data === null || data === undefined) throw new TrackerFailure('refused', `W&B answered ${name} without data`);
  return data;
}

function headersOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => text.split(/:(.*)/s, 2).map((part) => part.trim())));
}
