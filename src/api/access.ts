import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { Request, RequestHandler } from 'express';
import { CoxswainError } from '../contracts/errors.ts';
import type { ApiSettings } from './settings.ts';

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Refuses requests that a foreign web page made a browser send.
 *
 * 1. The Host header must be an IP address or a name that we answer to: a page that lets its own name point to this
 *    machine (DNS rebinding) sends its own name.
 * 2. An Origin header must be our own address or an allowed one.
 * 3. Allowed origins get the CORS headers, and their preflight requests are answered.
 *
 * @throws CoxswainError FORBIDDEN
 */
export function checkHostAndOrigin(
  settings: Pick<ApiSettings, 'host' | 'allowedHosts' | 'allowedOrigins'>,
): RequestHandler {
  const hosts = [...loopbackNames, bracketed(settings.host), ...settings.allowedHosts].map((host) =>
    host.toLowerCase(),
  );
  return (request, response, next) => {
    const host = (request.headers.host ?? '').toLowerCase();
    if (!isAllowedHost(host, hosts)) {
      const shown = JSON.stringify(host.slice(0, 100));
      throw new CoxswainError('FORBIDDEN', `The Host header ${shown} is not ours. Add it to COXSWAIN_ALLOWED_HOSTS.`);
    }
    const { origin } = request.headers;
    if (origin === undefined || isOwnOrigin(origin, host)) return next();
    if (!settings.allowedOrigins.includes(origin)) {
      const shown = JSON.stringify(origin.slice(0, 100));
      throw new CoxswainError(
        'FORBIDDEN',
        `Pages of ${shown} may not call this API. Add it to COXSWAIN_ALLOWED_ORIGINS.`,
      );
    }
    response.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': 'Location, X-Request-Id' });
    response.vary('Origin');
    if (request.method !== 'OPTIONS') return next();
    response
      .set({
        'Access-Control-Allow-Methods': 'GET, POST',
        'Access-Control-Allow-Headers': 'Authorization, Content-Type, Last-Event-ID',
        'Access-Control-Max-Age': '600',
      })
      .status(204)
      .end();
  };
}

/**
 * Asks for the bearer token, when there is one.
 * @throws CoxswainError UNAUTHENTICATED
 */
export function assertToken(request: Request, token: string | null): void {
  if (token === null) return;
  const given = /^Bearer +([^\s]+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) throw new CoxswainError('UNAUTHENTICATED', 'This API asks for a bearer token.');
  if (!sameSecret(given, token)) throw new CoxswainError('UNAUTHENTICATED', 'The bearer token is wrong.');
}

/** Equality whose time tells nothing about where, or in how many characters, the two differ. */
export function sameSecret(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a, b);
}

function isAllowedHost(host: string, allowed: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '');
  return allowed.includes(host) || allowed.includes(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}

function isOwnOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
