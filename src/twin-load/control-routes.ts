import { CoxswainError } from '../contracts/errors.ts';
import { jsonReply } from './http-server.ts';
import type { Routes } from './http-server.ts';
import type { Load } from './load.ts';

/** Most requests/s that a twin plays. */
export const maxRequestsPerSecond = 1_000_000;
/** Largest peak of a flash crowd, and longest. */
export const maxCrowdPeak = 100;
export const maxCrowdMinutes = 1_440;

/**
 * The controls of a load:
 * `POST /load {"requestsPerSecond": 120}` sends exactly that many from now on, `null` what the trace says;
 * `POST /flash-crowd {"peak": 3, "minutes": 5}` lets a crowd come now.
 */
export function controlRoutes(load: Load, clock: { readonly seconds: number }): Routes {
  const rate = (): ReturnType<typeof jsonReply> => jsonReply({ requestsPerSecond: load.rateAt(clock.seconds) });
  return {
    'POST /load': (body) => {
      const { requestsPerSecond } = objectIn(body, ['requestsPerSecond']);
      load.fix(
        requestsPerSecond === null ? null : numberIn('requestsPerSecond', requestsPerSecond, 0, maxRequestsPerSecond),
      );
      return rate();
    },
    'POST /flash-crowd': (body) => {
      const { peak, minutes } = objectIn(body, ['peak', 'minutes']);
      const crowd = {
        peak: numberIn('peak', peak, 1, maxCrowdPeak),
        minutes: numberIn('minutes', minutes, 0.1, maxCrowdMinutes),
      };
      load.addCrowd({ ...crowd, atSeconds: clock.seconds }, clock.seconds);
      return rate();
    },
  };
}

function objectIn<Name extends string>(body: string, names: readonly Name[]): Record<Name, unknown> {
  const value = parsed(body);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const given = isObject ? Object.keys(value) : [];
  if (isObject && given.length === names.length && names.every((name) => Object.hasOwn(value, name))) {
    return value as Record<Name, unknown>;
  }
  throw new CoxswainError('REQUEST_INVALID', `The body must be a JSON object with ${names.join(' and ')}.`);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function numberIn(name: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && value >= low && value <= high) return value;
  throw new CoxswainError(
    'REQUEST_INVALID',
    `${name}: found ${JSON.stringify(value)}; allowed: a number from ${low} to ${high}`,
  );
}
