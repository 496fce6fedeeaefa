import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Connection } from './cluster-credentials.ts';

/** One request as it goes out. */
export interface Outgoing {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

/** An answer of whatever status. */
export interface Incoming {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

/** Far above a page of any list: what is larger comes from something that is no API server. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** Sends a request and reads its answer. Rejects when there is none, and when `signal` is aborted. */
export function exchange(connection: Connection, outgoing: Outgoing, signal: AbortSignal): Promise<Incoming> {
  const { server, agent, headers, auth } = connection;
  const { method, path, body } = outgoing;
  const send = server.startsWith('http:') ? requestHttp : requestHttps;
  const sent = {
    ...headers,
    accept: 'application/json',
    'user-agent': 'coxswain',
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
  return new Promise((resolve, reject) => {
    const request = send(server + path, { method, agent, headers: sent, auth, signal }, (response) => {
      readText(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        reject,
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxAnswerBytes) throw new Error(`an answer of more than ${maxAnswerBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
