import { quoted } from './trace-error.ts';

/** What is wrong with a field, as the end of a sentence that names file and line. */
export class FieldProblem extends Error {}

/** How the first row writes time; the other rows must write it alike. */
export type TimeForm = 'date' | 'epoch-seconds' | 'epoch-milliseconds';

/** Epoch numbers from here on are milliseconds: as seconds they would lie beyond the year 5000. */
const firstMilliseconds = 1e11;

const dateForm =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:(Z)|([+-])(\d\d):?(\d\d))?)?$/;

/** Which of the forms of time `text` has. @throws FieldProblem when it has none. */
export function timeFormOf(text: string): TimeForm {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) < firstMilliseconds ? 'epoch-seconds' : 'epoch-milliseconds';
  if (dateForm.test(text)) return 'date';
  throw notATime(text);
}

/**
 * Milliseconds since 1970 UTC. Dates are ISO 8601 with T or a space between date and time; without an offset they are UTC.
 * @throws FieldProblem when the text is no time of that form.
 */
export function parseTime(text: string, form: TimeForm): number {
  if (form === 'date') return parseDate(text);
  if (!/^\d{1,15}(\.\d+)?$/.test(text)) throw notATime(text);
  return form === 'epoch-seconds' ? Number(text) * 1000 : Number(text);
}

/** A number of requests or a rate. @throws FieldProblem when it is empty, no plain number, or negative. */
export function parseCount(text: string, unit: 'requests-per-bin' | 'requests-per-second'): number {
  const trimmed = text.trim();
  if (trimmed === '') throw new FieldProblem('found nothing; expected a number');
  if (!/^-?\d+(\.\d+)?([eE][+-]?\d{1,3})?$/.test(trimmed))
    throw new FieldProblem(`found ${quoted(text)}; expected a number`);
  const value = Number(trimmed);
  if (value < 0) throw new FieldProblem(`found ${trimmed}; expected a number that is not negative`);
  if (!Number.isFinite(value)) throw new FieldProblem(`found ${trimmed}; expected a smaller number`);
  if (unit === 'requests-per-bin' && !Number.isInteger(value))
    throw new FieldProblem(
      `found ${trimmed}; expected a whole number of requests (if the column holds a rate, set unit: requests-per-second)`,
    );
  return value;
}

/** A time as messages show it. */
export function timeText(milliseconds: number): string {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString().replace('.000Z', 'Z');
}

function parseDate(text: string): number {
  const match = dateForm.exec(text);
  if (!match) throw notATime(text);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC lets 31 February run over into March.
  const isReal = new Date(time).getUTCDate() === day && month <= 12 && hour < 24 && minute < 60 && second < 60;
  if (!isReal) throw new FieldProblem(`found ${quoted(text)}; expected a time that exists`);
  const offsetMinutes = Number(match[10] ?? 0) * 60 + Number(match[11] ?? 0);
  const fraction = Number(`0.${match[7] ?? 0}`) * 1000;
  return time + fraction - (match[9] === '-' ? -1 : 1) * offsetMinutes * 60_000;
}

function notATime(text: string): FieldProblem {
  const found = text === '' ? 'nothing' : quoted(text);
  return new FieldProblem(
    `found ${found}; expected a time such as 2026-01-31 12:00:00 (UTC), 2026-01-31T12:00:00Z or seconds since 1970, ` +
      'written alike in every row',
  );
}
