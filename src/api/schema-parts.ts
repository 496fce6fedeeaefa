import { z } from 'zod';
import { stepNames } from '../contracts/runs.ts';

/*
 * Parts of the schemas. What goes in and out over HTTP is described once: the OpenAPI document is made of these schemas,
 * and tests hold every answer against them.
 */

export const text = (meaning: string) => z.string().describe(meaning);
export const time = (meaning: string) => z.iso.datetime().describe(`${meaning} UTC.`);
export const sha256 = (meaning: string) =>
  z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe(meaning);
export const count = (meaning: string) => z.int().min(0).describe(meaning);
export const link = (meaning: string) => z.string().describe(`${meaning} Path on this server.`);
export const figures = (meaning: string) => z.record(z.string(), z.number()).describe(meaning);

/** A whole number written in a query. */
export function wholeNumber(min: number, max: number, meaning: string) {
  return z
    .string()
    .regex(/^\d{1,16}$/, { error: `a whole number from ${min} to ${max}` })
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .optional()
    .describe(meaning);
}

export const runStatus = z.enum(['running', 'paused', 'completed', 'failed', 'cancelled']);
export const stepStatus = z.enum(['pending', 'running', 'completed', 'failed', 'cancelled']);
export const stepName = z.enum(stepNames);

/** Id of a run, as a caller may choose it. */
export const runId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, { error: '1 to 128 letters, digits, dots, dashes and underscores' })
  .describe('Id of the run, which is the id of its workflow in Temporal.');

/** Id of a run that is there: whoever starts workflows with other tools may have chosen any. */
export const anyRunId = z.string().min(1).max(255).describe('Id of the run.');

export const artifact = z
  .strictObject({ sha256: sha256('Content address.'), bytes: count('Size.') })
  .describe('Bytes in the artifact store.');
