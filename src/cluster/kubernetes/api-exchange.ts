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

/** Reads the body of an answer as it arrives. */
export interface BodyReader<T> {
  write(part: Buffer): void;
  /** @throws SyntaxError when it was no JSON. */
  end(): T;
}

/** An answer of whatever status. */
export interface Incoming {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** What was read, when it did what it was asked (2xx). */
  readonly body: unknown;
  /** What it says, when it did not. */
  readonly text: string;
}

/** Far above a page of any list: what is larger comes from something that is no API server. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** Sends a request and reads its answer. Rejects when there is none, and when `signal` is aborted. */
export function exchange(
  connection: Connection,
  outgoing: Outgoing,
  reader: BodyReader<unknown>,
  signal: AbortSignal,
): Promise<Incoming> {
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
      readAnswer(response, reader).then(resolve, reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage, reader: BodyReader<unknown>): Promise<Incoming> {
  const { statusCode: status = 0, headers } = response;
  const done = status >= 200 && status < 300;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxAnswerBytes) throw new Error(`an answer of more than ${maxAnswerBytes} bytes`);
    if (done) reader.write(part);
    else parts.push(part);
  }
  return { status, headers, body: done ? reader.end() : undefined, text: Buffer.concat(parts).toString('utf8') };
}

/** One object. */
export class ObjectBody implements BodyReader<unknown> {
  private readonly parts: Buffer[] = [];

  write(part: Buffer): void {
    this.parts.push(part);
  }

  end(): unknown {
    return JSON.parse(Buffer.concat(this.parts).toString('utf8'));
  }
}
