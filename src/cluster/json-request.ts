import { CoxswainError } from '../contracts/errors.ts';

/** Where and how to ask a server for JSON. */
export interface JsonServer {
  /** What it is called in messages: `Prometheus`, `Kiali`. */
  readonly name: string;
  /** http or https, without query; a path prefix is kept. */
  readonly url: string;
  /** A bearer token, asked for at each request because mounted ones are renewed. Default none. */
  readonly token?: () => string | null;
  /** A request that has not been answered after this long is given up. Default 10 000. */
  readonly timeoutMs?: number;
  /** Answers larger than this are refused. Default 64 MiB. */
  readonly maxAnswerBytes?: number;
}

/** One request. */
export interface JsonRequest {
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** `post` sends the parameters as a form, for long ones. Default `get`. */
  readonly method?: 'get' | 'post';
  readonly signal?: AbortSignal;
}

/** A JSON answer, of whatever status. */
export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

const defaultTimeoutMs = 10_000;
const defaultMaxAnswerBytes = 64 * 1024 * 1024;

/**
 * Asks for JSON. The token goes to this server only: redirects are refused.
 * @throws CoxswainError OBSERVATION_UNAVAILABLE when the server is not there, too slow, or overloaded (429, 502, 503, 504);
 * OBSERVATION_REFUSED when it wants other rights or answers no JSON; what `signal` was aborted with.
 */
export async function requestJson(server: JsonServer, request: JsonRequest): Promise<JsonAnswer> {
  const { timeoutMs = defaultTimeoutMs } = server;
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit;
  try {
    const response = await fetch(addressOf(server, request), { ...initOf(server, request), signal });
    const text = await textOf(response, server);
    refuseStatus(response, server, request);
    return { status: response.status, body: parsed(text, response, server, request) };
  } catch (error) {
    request.signal?.throwIfAborted();
    if (error instanceof CoxswainError) throw error;
    const reason = limit.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error);
    throw unavailable(server, request, reason, error);
  }
}

function addressOf({ url }: JsonServer, { path, parameters, method }: JsonRequest): URL {
  const address = new URL(url.replace(/\/+$/, '') + path);
  if (method !== 'post') address.search = new URLSearchParams(parameters).toString();
  return address;
}

function initOf({ token }: JsonServer, { parameters, method }: JsonRequest): RequestInit {
  const bearer = token?.() ?? null;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (bearer !== null) headers.authorization = `Bearer ${bearer}`;
  if (method !== 'post') return { headers, redirect: 'error' };
  return { method: 'POST', headers, body: new URLSearchParams(parameters), redirect: 'error' };
}

async function textOf(
  response: Response,
  { name, maxAnswerBytes = defaultMaxAnswerBytes }: JsonServer,
): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > maxAnswerBytes) {
      throw new CoxswainError(
        'OBSERVATION_REFUSED',
        `${name} answers with more than ${maxAnswerBytes} bytes; ask for less.`,
      );
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

const overloaded = [429, 502, 503, 504];

function refuseStatus({ status }: Response, server: JsonServer, request: JsonRequest): void {
  if (overloaded.includes(status)) throw unavailable(server, request, `status ${status}`);
  if (status === 401 || status === 403) {
    throw new CoxswainError(
      'OBSERVATION_REFUSED',
      `${server.name} refuses ${request.path} with status ${status}: the token is missing, expired or lacks the right.`,
    );
  }
}

function parsed(text: string, { status }: Response, { name }: JsonServer, { path }: JsonRequest): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${name} answers ${path} with status ${status} and no JSON; check that the address is that of its API.`;
    throw new CoxswainError('OBSERVATION_REFUSED', message, { cause });
  }
}

function unavailable({ name }: JsonServer, { path }: JsonRequest, reason: string, cause?: unknown): CoxswainError {
  return new CoxswainError('OBSERVATION_UNAVAILABLE', `${name} did not answer ${path}: ${reason}.`, { cause });
}

/** fetch tells only `fetch failed`; the system's reason is its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error
    ? cause.message || (cause as NodeJS.ErrnoException).code || error.message
    : error.message;
}
