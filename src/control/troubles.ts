import { CoxswainError, toCoxswainError } from '../contracts/errors.ts';

/**
 * Does the same with each, all at once: trouble with one does not keep the others back.
 * @param about what a trouble's message begins with; empty = nothing.
 * @returns what went wrong, in the order of the items.
 */
export async function troublesWith<Item>(
  items: readonly Item[],
  about: (item: Item) => string,
  work: (item: Item) => Promise<unknown>,
): Promise<CoxswainError[]> {
  const outcomes = await Promise.allSettled(items.map(work));
  return outcomes.flatMap((outcome, i) => {
    if (outcome.status === 'fulfilled') return [];
    const { code, message } = toCoxswainError(outcome.reason);
    const prefix = about(items[i]);
    return [new CoxswainError(code, prefix === '' ? message : `${prefix}: ${message}`, { cause: outcome.reason })];
  });
}

/** Throws them as one error, which may be tried again as long as that may help with any of them. */
export function throwTogether(troubles: readonly CoxswainError[]): void {
  if (troubles.length === 0) return;
  const { code } = troubles.find(({ retryable }) => retryable) ?? troubles[0];
  throw new CoxswainError(code, troubles.map(({ message }) => message).join('; '), { cause: troubles[0] });
}
