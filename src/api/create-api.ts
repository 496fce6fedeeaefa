import express from 'express';
import type { Express, Request, RequestHandler, Response } from 'express';
import type { CoxswainClient } from '../client/coxswain-client.ts';
import { CoxswainError } from '../contracts/errors.ts';
import type { Store } from '../contracts/stores.ts';
import { assertToken, checkHostAndOrigin } from './access.ts';
import { createApiMetrics } from './api-metrics.ts';
import type { ApiMetrics } from './api-metrics.ts';
import { deploymentOperations } from './deployment-operations.ts';
import { docsPage } from './docs-page.ts';
import { createEventStreams } from './event-streams.ts';
import type { Log } from './json-log.ts';
import { modelOperations } from './model-operations.ts';
import { openApiDocument } from './openapi.ts';
import type { OpenApiDocument } from './openapi.ts';
import { checked } from './operation.ts';
import type { Operation, Reply } from './operation.ts';
import { problemHandler, requestIdOf } from './problem.ts';
import { createReadinessCheck } from './readiness.ts';
import { hasBody, readBody } from './request-body.ts';
import { observeRequests } from './request-log.ts';
import { runOperations } from './run-operations.ts';
import { apiLimits } from './settings.ts';
import type { ApiLimits, ApiSettings } from './settings.ts';
import { systemOperations } from './system-operations.ts';
import { webhookOperation } from './webhook-operation.ts';

/** What the API is made of. */
export interface ApiPorts {
  readonly client: CoxswainClient;
  readonly store: Pick<Store, 'nonces' | 'ping'>;
  readonly settings: ApiSettings;
  readonly log: Log;
  /** Version of Coxswain, for the OpenAPI document. */
  readonly version: string;
  readonly limits?: Partial<ApiLimits>;
}

/** The API as an Express application, without a server. */
export interface Api {
  readonly app: Express;
  readonly document: OpenApiDocument;
  readonly limits: ApiLimits;
  /** Ends the streams of server-sent events, so that a server can close. */
  endStreams(): void;
}

/** The API; it listens nowhere yet (see {@link file://./api-server.ts}). */
export function createApi(ports: ApiPorts): Api {
  const { client, settings, log } = ports;
  const limits: ApiLimits = { ...apiLimits, ...ports.limits };
  const metrics = createApiMetrics();
  const streams = createEventStreams({
    client,
    log,
    heartbeatMs: limits.heartbeatMs,
    intervalMs: limits.watchIntervalMs,
    onCount: metrics.setOpenStreams,
  });
  const operations = operationsOf(ports, metrics, limits, streams);
  const document = openApiDocument(operations, { version: ports.version, asksForToken: settings.token !== null });
  const app = express();
  app.disable('x-powered-by').set('query parser', 'simple').set('etag', false).set('case sensitive routing', true);
  app.use(secureHeaders, observeRequests(log, metrics), checkHostAndOrigin(settings));
  for (const each of operations) {
    app[each.method](each.path.replaceAll(/\{(\w+)\}/g, ':$1'), handlerOf(each, settings, limits));
  }
  serveDocument(app, document);
  refuseTheRest(app, [...operations.map(({ path, method }) => ({ path, method })), ...documentRoutes]);
  app.use(problemHandler(log));
  return { app, document, limits, endStreams: () => streams.close() };
}

function operationsOf(
  { client, store, settings }: ApiPorts,
  metrics: ApiMetrics,
  limits: ApiLimits,
  streams: ReturnType<typeof createEventStreams>,
): Operation[] {
  const onStarted = metrics.countStartedRun;
  const pings = { temporal: () => client.pingTemporal(), store: () => store.ping() };
  return [
    ...runOperations({ client, streams, onStarted }),
    ...modelOperations(client),
    ...deploymentOperations(client),
    webhookOperation({ client, onStarted, nonces: store.nonces, secret: settings.webhookSecret }),
    ...systemOperations({ metrics, checkReadiness: createReadinessCheck(pings, limits.readinessTimeoutMs) }),
  ];
}

/** Checks access, parameters and body in this order, then answers. */
function handlerOf(each: Operation, settings: ApiSettings, limits: ApiLimits): RequestHandler {
  return async (request, response) => {
    if (each.access === 'token') assertToken(request, settings.token);
    const path = checked(each.pathParameters, request.params, 'path');
    const query = checked(each.queryParameters, request.query, 'query');
    const body = hasBody(request) ? await readBody(request, limits.bodyBytes) : Buffer.alloc(0);
    if (each.body === undefined && body.length > 0 && body.toString().trim() !== '{}') {
      throw new CoxswainError('REQUEST_INVALID', 'body: this operation takes none');
    }
    const reply = await each.handle({ path, query, body, request, response });
    if (reply !== null) sendReply(response, reply);
  };
}

function sendReply(response: Response, { status, body, headers = {}, type }: Reply): void {
  response.status(status).set(headers);
  if (type === undefined) response.type('application/json').send(JSON.stringify(body));
  else response.type(type).send(String(body));
}

const documentRoutes = [
  { path: '/openapi.json', method: 'get' },
  { path: '/docs', method: 'get' },
  { path: '/', method: 'get' },
];

function serveDocument(app: Express, document: OpenApiDocument): void {
  const json = JSON.stringify(document);
  const page = docsPage(document);
  app.get('/openapi.json', (_request, response) => void response.type('application/json').send(json));
  app.get('/docs', (_request, response) => {
    response.set('Content-Security-Policy', page.contentSecurityPolicy).type('html').send(page.html);
  });
  app.get('/', (_request, response) => response.redirect(303, '/docs'));
}

/** 405 with the methods that an address takes, 404 for every other address. */
function refuseTheRest(app: Express, routes: readonly { readonly path: string; readonly method: string }[]): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes
      .filter((route) => route.path === path)
      .flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
    app.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), (request, response) => {
      response.set('Allow', methods.join(', '));
      throw new CoxswainError(
        'METHOD_NOT_ALLOWED',
        `${request.method} is not for ${path}; allowed: ${methods.join(', ')}`,
      );
    });
  }
  app.use((request: Request) => {
    throw new CoxswainError('NOT_FOUND', `Nothing is at ${JSON.stringify(request.path.slice(0, 200))}. See /docs.`);
  });
}

const secureHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cache-Control': 'no-store',
    'X-Request-Id': requestIdOf(response),
  });
  next();
};
