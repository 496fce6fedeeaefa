import type { RequestHandler } from 'express';
import type { ApiMetrics } from './api-metrics.ts';
import type { Log } from './json-log.ts';
import { requestIdOf } from './problem.ts';

/** Routes whose requests are too many and too dull for the log. */
const quietRoutes = ['/healthz', '/readyz', '/metrics'];

/**
 * One log line and one measurement a request, when its answer is over. Neither headers nor query nor body are logged:
 * they may hold secrets.
 */
export function observeRequests(log: Log, metrics: ApiMetrics): RequestHandler {
  return (request, response, next) => {
    const startedMs = performance.now();
    response.once('close', () => {
      const route = routeOf(request.route as { path?: unknown } | undefined);
      const seconds = (performance.now() - startedMs) / 1000;
      // A caller that left before the answer was begun got no status: 499, as nginx logs it.
      const status = response.headersSent ? response.statusCode : 499;
      const method = knownMethods.includes(request.method) ? request.method : 'OTHER';
      metrics.observeRequest({ method, route, status }, seconds);
      log(quietRoutes.includes(route) && status < 400 ? 'debug' : 'info', 'request', {
        requestId: requestIdOf(response),
        method,
        path: request.path.slice(0, 300),
        status,
        seconds: Number(seconds.toFixed(4)),
        complete: response.writableFinished,
      });
    });
    next();
  };
}

const knownMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

function routeOf(route: { path?: unknown } | undefined): string {
  return typeof route?.path === 'string' ? route.path : 'none';
}
