import { CoxswainError } from '../contracts/errors.ts';

/** What `work` gives, or `otherwise` when a store is away for now. Other errors pass. */
export async function withoutOutage<T, U>(work: () => Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CoxswainError && error.retryable && error.code !== 'INTERNAL') return otherwise;
    throw error;
  }
}
