import { z } from 'zod';
import { errorTable } from '../contracts/errors.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import { link } from './schema-parts.ts';

export const health = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' });

const check = z.strictObject({ ok: z.boolean(), code: z.string().nullable().describe('Code of the error, or null.') });

export const readiness = z
  .strictObject({ ready: z.boolean(), temporal: check, store: check })
  .meta({ id: 'Readiness', description: 'Whether the services behind the API answer.' });

const codes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

export const problem = z
  .strictObject({
    type: link('Explanation of the code.'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(codes),
    requestId: z.string(),
    issues: z.unknown().optional().describe('Each broken rule of a bad spec.'),
  })
  .meta({ id: 'Problem', description: 'Problem document (RFC 9457).' });
