import { CoxswainError } from '../contracts/errors.ts';
import type { MetricCursor } from '../client/run-watch.ts';

/** Id of the event after which nothing comes. */
export const endEventId = 'end';

/** The id of an event: where a reader who has got it stands in each series. */
export function eventIdOf(cursor: MetricCursor): string {
  const entries = Object.entries(cursor).map(([series, step]): [string, string] => [series, String(step)]);
  return `at:${new URLSearchParams(entries).toString()}`;
}

/**
 * The cursor of an event's id.
 * @throws CoxswainError REQUEST_INVALID for an id that we never gave.
 */
export function cursorOf(eventId: string): MetricCursor {
  const form = /^at:([^]*)$/.exec(eventId);
  const entries = form ? [...new URLSearchParams(form[1])] : null;
  if (entries === null || !entries.every(([, step]) => /^\d{1,16}$/.test(step))) {
    throw new CoxswainError('REQUEST_INVALID', 'Last-Event-ID: not an id of this stream; leave it out to begin anew');
  }
  return Object.fromEntries(entries.map(([series, step]) => [series, Number(step)]));
}
