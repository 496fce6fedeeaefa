import { randomBytes } from 'node:crypto';
import { CoxswainError } from '../contracts/errors.ts';

const allowed = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** A run id for people: `<name>-<UTC yyyymmdd-hhmmss>-<4 hex digits>`. */
export function createRunId(name: string, at = new Date()): string {
  const [day, time] = at.toISOString().slice(0, 19).replace(/[-:]/g, '').split('T');
  return `${name}-${day}-${time}-${randomBytes(2).toString('hex')}`;
}

/**
 * Checks an id that somebody chose: letters, digits, dot, dash and underscore, 1 … 128 characters. A slash is kept for
 * the child workflows of a run.
 * @throws CoxswainError REQUEST_INVALID
 */
export function assertRunId(runId: string): void {
  if (allowed.test(runId)) return;
  const shown = JSON.stringify(runId.slice(0, 140));
  throw new CoxswainError(
    'REQUEST_INVALID',
    `id: found ${shown}; allowed: 1 to 128 letters, digits, dots, dashes and underscores, starting with a letter or digit`,
  );
}
