import { usageError } from './exit-codes.ts';

/**
 * The JSON object that an option was given.
 * @param option name of the option, for the message
 * @throws CoxswainError REQUEST_INVALID when the text is no JSON object.
 */
export function jsonObject(option: string, text: string, example: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, as for every other text that is no object.
  }
  throw usageError(`${option}: found ${text}; allowed: a JSON object, for example '${example}'`);
}
