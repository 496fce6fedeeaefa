/**
 * JSON values inside documents. MongoDB and FerretDB refuse or mangle some of them (keys with dots or dollars, arrays
 * directly inside arrays, numbers that are not finite), so those are written differently:
 *
 * | value                        | stored as                                     |
 * | ---------------------------- | --------------------------------------------- |
 * | key with `%`, `.`, `$`, NUL  | the same key with these percent-encoded       |
 * | array inside an array        | `{ "%array": […] }`                           |
 * | NaN, Infinity, -Infinity     | `{ "%number": "NaN" }` and so on              |
 *
 * Everything else is stored as it is, so documents stay readable and can be queried. Keys that begin with `%` and are
 * not percent-encoded cannot come from outside, so nothing collides.
 */
const arrayKey = '%array';
const numberKey = '%number';

/** The stored form of a JSON value. Properties that are undefined are left out. */
export function toStored(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return { [numberKey]: String(value) };
  if (Array.isArray(value)) return value.map((item) => (Array.isArray(item) ? wrapArray(item) : toStored(item)));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [encodeKey(key), toStored(item)]));
}

/** The value whose stored form this is. `T` is what was stored; it is not checked again. */
export function fromStored<T>(stored: unknown): T {
  return decode(stored) as T;
}

function decode(stored: unknown): unknown {
  if (Array.isArray(stored)) return stored.map(decode);
  if (typeof stored !== 'object' || stored === null) return stored;
  if (arrayKey in stored) return decode(stored[arrayKey]);
  if (numberKey in stored) return Number(stored[numberKey]);
  return Object.fromEntries(Object.entries(stored).map(([key, item]) => [decodeURIComponent(key), decode(item)]));
}

function wrapArray(items: readonly unknown[]): unknown {
  return { [arrayKey]: toStored(items) };
}

function encodeKey(key: string): string {
  return key.replace(/[%.$\0]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
