import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { CoxswainError } from '../src/contracts/errors.ts';

/** How far a worker is: it takes work only when it is `ready`. */
export type HealthPhase = 'starting' | 'ready' | 'stopping';

export interface HealthServerOptions {
  /** 0 = any free port. */
  readonly port: number;
  /** Default: every address, because a kubelet asks from outside of the pod. */
  readonly host?: string;
  readonly phase: () => HealthPhase;
  readonly registry: Registry;
}

/** A listening health server. */
export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Tells how a worker is:
 *
 * - `/livez`: 200 as long as the process turns;
 * - `/readyz`: 200 while it polls its task queues, else 503;
 * - `/metrics`: the registry, in the text format of Prometheus.
 *
 * @throws CoxswainError CONFIG_INVALID when the port cannot be listened on.
 */
export async function startHealthServer({ port, host, phase, registry }: HealthServerOptions): Promise<HealthServer> {
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) => {
    const path = new URL(request.url ?? '/', 'http://worker').pathname;
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, { status: 'only GET' });
    if (path === '/livez') return answer(response, 200, { status: phase() });
    if (path === '/readyz') return answer(response, phase() === 'ready' ? 200 : 503, { status: phase() });
    if (path === '/metrics') return void answerMetrics(response, registry);
    answer(response, 404, { status: 'there are /livez, /readyz and /metrics' });
  });
  server.maxConnections = 50;
  await listen(server, port, host);
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

function answer(response: ServerResponse, status: number, body: { readonly status: string }): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

async function answerMetrics(response: ServerResponse, registry: Registry): Promise<void> {
  try {
    const text = await registry.metrics();
    response.writeHead(200, { 'Content-Type': registry.contentType }).end(text);
  } catch {
    answer(response, 500, { status: 'a metric could not be read' });
  }
}

async function listen(server: Server, port: number, host: string | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const message = `COXSWAIN_HEALTH_PORT: cannot listen on ${port}: ${error.message}; choose a free port`;
      reject(new CoxswainError('CONFIG_INVALID', message, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
