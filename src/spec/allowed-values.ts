import { z } from 'zod';

/*
 * The leaves of the schemas. Each leaf's one message is the sentence of what is allowed, so that every way of breaking
 * it is reported alike, and each carries its unit and meaning for the JSON Schema.
 */

/** A whole number in [min, max]. */
export function wholeNumber(min: number, max: number, meaning: string) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error }).describe(meaning);
}

/** A finite number in [min, max]. */
export function numberBetween(min: number, max: number, meaning: string) {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error }).describe(meaning);
}

/** A finite number in (min, max]. */
export function numberAbove(min: number, max: number, meaning: string) {
  const error = `a number above ${min}, at most ${max}`;
  return z.number({ error }).gt(min, { error }).max(max, { error }).describe(meaning);
}

/** Text of `min` to `max` characters without control characters. */
export function text(min: number, max: number, meaning: string) {
  const error = min > 0 ? `text of ${min} to ${max} characters on one line` : `text of at most ${max} characters`;
  // Ranges in place of \P{Cc}: the JSON Schema is read by tools whose expressions know no Unicode classes.
  const characters =
    min > 0 ? /^[^\u0000-\u001F\u007F-\u009F]*$/u : /^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$/u;
  return z.string({ error }).min(min, { error }).max(max, { error }).regex(characters, { error }).describe(meaning);
}

/** A name that may be part of ids, labels and file names. */
export function dashedName(meaning: string) {
  const error = '1 to 63 lower case letters, digits and dashes, from a letter to a letter or digit';
  return z
    .string({ error })
    .regex(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, { error })
    .describe(meaning);
}

/** Name of a namespace: a DNS label. */
export function kubernetesLabel(meaning: string) {
  const error = '1 to 63 lower case letters, digits and dashes, from and to a letter or digit';
  return z
    .string({ error })
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, { error })
    .describe(meaning);
}

/** Name of a Deployment or StatefulSet: a DNS subdomain. */
export function kubernetesName(meaning: string) {
  const error = '1 to 253 lower case letters, digits, dashes and dots, each part from and to a letter or digit';
  return z
    .string({ error })
    .max(253, { error })
    .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/, { error })
    .describe(meaning);
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words, meaning: string) {
  return z.enum(words, { error: words.join(' | ') }).describe(meaning);
}

/** A list of `min` to `max` different items. */
export function listOf<Item extends z.ZodType>(item: Item, min: number, max: number, meaning: string) {
  const error = `a list of ${min} to ${max} different values`;
  return z
    .array(item, { error })
    .min(min, { error })
    .max(max, { error })
    .refine((values) => new Set(values).size === values.length, { error })
    .describe(meaning);
}

/** A relative path that stays inside its folder. */
export function pathInside(meaning: string) {
  const error = 'a relative path with / between its parts and without `.` or `..`, at most 1024 characters';
  return text(1, 1024, meaning).refine(staysInside, { error });
}

function staysInside(path: string): boolean {
  return !/^[A-Za-z]:|\\/.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** An object of JSON values; what may be in it is for somebody else to check. */
export function jsonRecord(meaning: string) {
  const error = 'an object of JSON values';
  return z.record(z.string(), z.json({ error }), { error }).describe(meaning);
}
