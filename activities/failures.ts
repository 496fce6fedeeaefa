import { Context } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { toCoxswainError } from '../src/contracts/errors.ts';
import type { CoxswainError } from '../src/contracts/errors.ts';

/** Attempts after which a defect, or a process that keeps dying, ends the run. Outages are waited for without limit. */
const maximumDefectAttempts = 10;

type Activities = Record<string, (input: never) => Promise<unknown>>;

/**
 * The activities with their errors translated for Temporal: an ApplicationFailure whose type is the code of the error
 * table. Temporal's own failures (a cancellation) pass as they are.
 */
export function withTranslatedErrors<T extends object>(activities: T): T {
  const entries = Object.entries(activities as unknown as Activities).map(
    ([name, run]) => [name, translated(run)] as const,
  );
  return Object.fromEntries(entries) as T;
}

function translated(run: (input: never) => Promise<unknown>): (input: never) => Promise<unknown> {
  return async (input) => {
    try {
      return await run(input);
    } catch (error) {
      throw error instanceof TemporalFailure
        ? error
        : failureOf(toCoxswainError(error), Context.current().info.attempt);
    }
  };
}

/** The ApplicationFailure of an error at its `attempt`-th attempt. */
export function failureOf(error: CoxswainError, attempt: number): ApplicationFailure {
  const isDefect = error.code === 'CHILD_PROCESS_FAILED' || error.code === 'INTERNAL';
  const givesUp = isDefect && attempt >= maximumDefectAttempts;
  return ApplicationFailure.create({
    type: error.code,
    message: givesUp ? `${error.message} (gave up after ${attempt} attempts)` : error.message,
    nonRetryable: !error.retryable || givesUp,
    details: error.details === undefined ? [] : [error.details],
    cause: error,
  });
}
