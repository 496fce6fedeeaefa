import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import { CoxswainError } from '../../contracts/errors.ts';

/** Keys of an S3 account. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Belongs to temporary keys. */
  readonly sessionToken?: string | null;
}

/** Where and how to ask. */
export interface S3RequestOptions {
  /** Address of the bucket, without a slash at the end. */
  readonly bucketUrl: string;
  readonly region: string;
  readonly credentials: S3Credentials;
  /** Time for one attempt, without the time for its bytes. */
  readonly attemptTimeoutMs: number;
  readonly tries: number;
  /** Wait before the second attempt; doubles each time, with jitter. */
  readonly backoffMs: number;
  readonly fetch: typeof globalThis.fetch;
}

/** What is asked for. */
export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  readonly key: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** An answer with a longer body is not read; `body` is then null. */
  readonly maxBytes?: number;
}

/** An answer that was read whole. */
export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Null when it was longer than asked for. */
  readonly body: Uint8Array | null;
  /** Code of the error document, for example `NoSuchKey`; empty when there is none. */
  readonly code: string;
  readonly message: string;
}

const bytesPerMs = 1_000;
const errorBodyBytes = 65_536;
/** Error codes that pass, whatever their status. */
const passingCodes: ReadonlySet<string> = new Set(['RequestTimeout', 'ConditionalRequestConflict', 'SlowDown']);

/**
 * Sends a signed request until it has an answer that repeating would not change. STORE_UNAVAILABLE when every attempt
 * failed: no connection, no answer in time, 429 or a 5xx other than 501 and 507.
 */
export async function askS3(request: S3Request, options: S3RequestOptions): Promise<S3Answer> {
  let reason = '';
  for (let attempt = 0; attempt < options.tries; attempt++) {
    if (attempt > 0) await delay(options.backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
    const { url, headers } = await signed(request, options);
    const timeoutMs = timeLimitMs(request, options);
    try {
      const answer = await attemptOnce(request, url, headers, timeoutMs, options.fetch);
      if (!passes(answer)) return answer;
      reason = `status ${answer.status} ${answer.code}`.trim();
    } catch (error) {
      reason = reasonOf(error);
    }
  }
  const message = `S3 at ${options.bucketUrl} cannot be reached: ${reason} (${options.tries} attempts). Check that it runs.`;
  throw new CoxswainError('STORE_UNAVAILABLE', message);
}

function timeLimitMs({ body, maxBytes = 0 }: S3Request, { attemptTimeoutMs }: S3RequestOptions): number {
  return attemptTimeoutMs + Math.ceil(((body?.byteLength ?? 0) + maxBytes) / bytesPerMs);
}

async function attemptOnce(
  { method, body, maxBytes = Infinity }: S3Request,
  url: string,
  headers: Headers,
  timeoutMs: number,
  fetch: typeof globalThis.fetch,
): Promise<S3Answer> {
  const response = await fetch(url, {
    method,
    headers,
    body: body as RequestInit['body'],
    // The signature is for this address alone.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const limit = response.ok ? maxBytes : errorBodyBytes;
  const bytes = await readAtMost(response, method === 'HEAD' ? 0 : limit);
  const text = response.ok || bytes === null ? '' : new TextDecoder().decode(bytes);
  return {
    status: response.status,
    headers: response.headers,
    body: bytes,
    code: /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? '',
    message: /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? '',
  };
}

async function signed(request: S3Request, options: S3RequestOptions): Promise<{ url: string; headers: Headers }> {
  const { method, key, body } = request;
  const sha256 = createHash('sha256')
    .update(body ?? '')
    .digest('hex');
  const { accessKeyId, secretAccessKey, sessionToken } = options.credentials;
  const signer = new AwsV4Signer({
    method,
    url: `${options.bucketUrl}/${key}`,
    headers: { ...request.headers, 'x-amz-content-sha256': sha256 },
    service: 's3',
    region: options.region,
    accessKeyId,
    secretAccessKey,
    sessionToken: sessionToken ?? undefined,
  });
  const { url, headers } = await signer.sign();
  return { url: url.toString(), headers };
}

/** The body, or null when it is longer than `limit` bytes; the rest is not fetched. */
async function readAtMost(response: Response, limit: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function passes({ status, code }: S3Answer): boolean {
  if (passingCodes.has(code)) return true;
  return status === 429 || (status >= 500 && status !== 501 && status !== 507);
}

/** fetch says "fetch failed"; its cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
