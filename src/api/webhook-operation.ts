import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { CoxswainError } from '../contracts/errors.ts';
import type { NonceStore } from '../contracts/stores.ts';
import { sameSecret } from './access.ts';
import { operation } from './operation.ts';
import type { Operation } from './operation.ts';
import type { RunPorts } from './run-operations.ts';
import { readRunRequest, runRequestBody } from './run-request.ts';
import { startedRun } from './run-schemas.ts';
import { apiLimits } from './settings.ts';
import { startedView } from './views.ts';

/** Names of the webhook's headers. */
export const webhookHeaders = {
  timestamp: 'X-Coxswain-Timestamp',
  signature: 'X-Coxswain-Signature',
} as const;

/** The value of the signature header: `sha256=` and the HMAC-SHA256 in hex over `<timestamp>.<body>`. */
export function signWebhook(secret: string, timestamp: string, body: Uint8Array): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')}`;
}

/** What the webhook needs beside the runs' ports. */
export interface WebhookPorts extends Pick<RunPorts, 'client' | 'onStarted'> {
  readonly nonces: NonceStore;
  /** Null switches the webhook off. */
  readonly secret: string | null;
  /** Seconds since 1970. */
  readonly nowSeconds?: () => number;
}

/** POST /api/v1/webhooks/ci: starts a run for a CI system that signs its requests. */
export function webhookOperation({ client, nonces, secret, onStarted, nowSeconds = clock }: WebhookPorts): Operation {
  return operation({
    id: 'startRunFromCi',
    method: 'post',
    path: '/api/v1/webhooks/ci',
    tag: 'Webhooks',
    summary: 'Start a run from CI with a signed request',
    description: `The body is that of \`POST /api/v1/runs\`. \`${webhookHeaders.signature}\` is \`sha256=\` and the HMAC-SHA256, in hex, of the timestamp, a dot and the body, with COXSWAIN_WEBHOOK_SECRET as key. A request works once and within ${apiLimits.webhookWindowSeconds / 60} minutes of its timestamp; to repeat one, sign it again with a new timestamp and the same id.`,
    access: 'signature',
    headers: {
      [webhookHeaders.timestamp]: { description: 'Seconds since 1970.', required: true },
      [webhookHeaders.signature]: { description: '`sha256=<hex>`', required: true },
    },
    body: runRequestBody,
    replies: {
      202: {
        description: 'The run is started, or was there already.',
        schema: startedRun,
        headers: { Location: 'The run.' },
      },
    },
    errors: [
      'SIGNATURE_INVALID',
      'SPEC_INVALID',
      'RUN_CONFLICT',
      'BODY_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'NOT_FOUND',
    ],
    async handle({ request, body }) {
      if (secret === null)
        throw new CoxswainError('NOT_FOUND', 'The webhook is off: COXSWAIN_WEBHOOK_SECRET is not set.');
      const signature = verify(secret, request.headers, body, nowSeconds());
      const runRequest = readRunRequest(request.headers['content-type'], body);
      await spend(nonces, signature, nowSeconds());
      const started = await client.startRun(runRequest);
      if (started.created) onStarted('webhook');
      const view = startedView(started);
      return { status: 202, body: view, headers: { Location: view.links.self } };
    },
  });
}

/** Gives the signature when it fits. The timestamp is judged after it, so that strangers learn nothing of our clock. */
function verify(secret: string, headers: IncomingHttpHeaders, body: Buffer, now: number): string {
  const timestamp = headers[webhookHeaders.timestamp.toLowerCase()];
  const signature = headers[webhookHeaders.signature.toLowerCase()];
  if (typeof timestamp !== 'string' || typeof signature !== 'string') {
    throw refused(`The request lacks ${webhookHeaders.timestamp} or ${webhookHeaders.signature}.`);
  }
  if (!sameSecret(signature, signWebhook(secret, timestamp, body))) {
    throw refused('The signature does not fit timestamp and body.');
  }
  const age = now - Number(timestamp);
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(age) > apiLimits.webhookWindowSeconds) {
    throw refused(
      `The timestamp is more than ${apiLimits.webhookWindowSeconds} seconds away from this server's clock.`,
    );
  }
  return signature;
}

/** A signature is remembered for longer than its timestamp can be valid. */
async function spend(nonces: NonceStore, signature: string, now: number): Promise<void> {
  const expiresAt = new Date((now + 2 * apiLimits.webhookWindowSeconds + 60) * 1000);
  if (!(await nonces.useNonce(`ci:${signature}`, expiresAt))) throw refused('This signed request was used before.');
}

function refused(message: string): CoxswainError {
  return new CoxswainError('SIGNATURE_INVALID', message);
}

function clock(): number {
  return Math.floor(Date.now() / 1000);
}
