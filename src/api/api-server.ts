import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CoxswainError } from '../contracts/errors.ts';
import type { Api } from './create-api.ts';
import type { ApiSettings } from './settings.ts';

/** A listening API. */
export interface ApiServer {
  /** `http://host:port` */
  readonly url: string;
  /** Takes no more requests, ends event streams, lets running requests end for `graceMs` (default 5000). May be called twice. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Listens.
 * @throws CoxswainError CONFIG_INVALID when the address is not loopback and there is no token, or cannot be listened on.
 */
export async function startApiServer(api: Api, settings: ApiSettings): Promise<ApiServer> {
  const { host, port } = settings;
  if (!isLoopback(host) && settings.token === null) {
    throw new CoxswainError(
      'CONFIG_INVALID',
      `COXSWAIN_API_HOST: found "${host}", which other machines can reach; set COXSWAIN_API_TOKEN or listen on 127.0.0.1`,
    );
  }
  const server = limitedServer(api);
  await listen(server, port, host);
  let closing: Promise<void> | null = null;
  return {
    url: urlOf(server),
    close: (graceMs = 5000) => (closing ??= close(server, api, graceMs)),
  };
}

function limitedServer({ app, limits }: Api): Server {
  const server = createServer(
    {
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
    },
    app,
  );
  server.maxConnections = limits.maxConnections;
  // A caller that asks before it sends a body that is too large gets the refusal in place of the invitation.
  server.on('checkContinue', (request, response) => {
    if (Number(request.headers['content-length'] ?? 0) <= limits.bodyBytes) response.writeContinue();
    app(request, response);
  });
  return server;
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new CoxswainError('CONFIG_INVALID', `The API cannot listen on ${host}:${port}: ${error.message}`, {
          cause: error,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

async function close(server: Server, api: Api, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  api.endStreams();
  // A connection that is kept alive gets idle only when its running answer is out.
  const sweep = setInterval(() => server.closeIdleConnections(), 20);
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(force);
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
