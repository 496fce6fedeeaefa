import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CoxswainError, toCoxswainError } from '../contracts/errors.ts';

const maxBodyBytes = 16 * 1024;

/** An answer to a request. */
export interface Reply {
  readonly status?: number;
  readonly type: string;
  readonly body: string;
}

/** Answers one address. @param body of the request, as text; empty for GET. */
export type Handler = (body: string) => Reply;

/** `METHOD /path` and who answers. */
export type Routes = Readonly<Record<string, Handler>>;

/** A server that listens. */
export interface ListeningServer {
  /** `http://host:port` */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves a few addresses. A handler may throw a CoxswainError.
 * @param loopbackOnly refuse requests that a browser was led to send: other Host headers, and bodies that are no JSON.
 * @throws CoxswainError CONFIG_INVALID when it cannot listen there.
 */
export async function serve(
  routes: Routes,
  { host, port, loopbackOnly = false }: { host: string; port: number; loopbackOnly?: boolean },
): Promise<ListeningServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000, keepAliveTimeout: 5_000 });
  server.maxConnections = 256;
  server.on('request', (request, response) => {
    answer(routes, request, loopbackOnly)
      .catch((error: unknown) => problem(error))
      .then((reply) => send(response, reply))
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const message = `The twin cannot listen on ${host}:${port}: ${error.message}. Choose another port, or 0 for a free one.`;
      reject(new CoxswainError('CONFIG_INVALID', message, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  return {
    url: urlOf(server.address() as AddressInfo),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A JSON reply. */
export function jsonReply(value: unknown, status = 200): Reply {
  return { status, type: 'application/json', body: `${JSON.stringify(value)}\n` };
}

async function answer(routes: Routes, request: IncomingMessage, loopbackOnly: boolean): Promise<Reply> {
  const path = (request.url ?? '/').split('?', 1)[0];
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  if (loopbackOnly && !isLoopbackName(request.headers.host ?? '')) {
    throw new CoxswainError('FORBIDDEN', 'The Host header is not that of this machine itself; call it by 127.0.0.1.');
  }
  const handler = Object.hasOwn(routes, `${method} ${path}`) ? routes[`${method} ${path}`] : undefined;
  if (handler === undefined) {
    const there = Object.keys(routes).join(', ');
    const isElsewhere = Object.keys(routes).some((route) => route.endsWith(` ${path}`));
    throw new CoxswainError(isElsewhere ? 'METHOD_NOT_ALLOWED' : 'NOT_FOUND', `${method} ${path}: there are ${there}.`);
  }
  if (method === 'GET') return handler('');
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new CoxswainError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.');
  }
  return handler(await bodyOf(request));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) {
      throw new CoxswainError('BODY_TOO_LARGE', `The body is above ${maxBodyBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function problem(error: unknown): Reply {
  const { code, message, status } = toCoxswainError(error);
  return jsonReply({ error: { code, message } }, status);
}

function send(response: ServerResponse, { status = 200, type, body }: Reply): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function isLoopbackName(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
