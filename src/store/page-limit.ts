import { CoxswainError } from '../contracts/errors.ts';

/** How many entries a read gives when the caller does not say, and at most. */
export interface PageSize {
  readonly fallback: number;
  readonly max: number;
}

/** Page sizes of the store's reads. */
export const pageSizes = {
  runs: { fallback: 50, max: 200 },
  points: { fallback: 1_000, max: 10_000 },
  decisions: { fallback: 200, max: 1_000 },
  controlEvents: { fallback: 200, max: 200 },
} as const satisfies Record<string, PageSize>;

/** The number of entries to read. REQUEST_INVALID when `limit` is not a whole number in 1 … max. */
export function pageLimit(limit: number | undefined, size: PageSize): number {
  if (limit === undefined) return size.fallback;
  if (Number.isInteger(limit) && limit >= 1 && limit <= size.max) return limit;
  throw new CoxswainError('REQUEST_INVALID', `limit is ${limit}; give a whole number from 1 to ${size.max}.`);
}
