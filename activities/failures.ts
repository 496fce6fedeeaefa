import { Context } from '@temporalio/activity';
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { toCoxswainError } from '../src/contracts/errors.ts';
import type { CoxswainError } from '../src/contracts/errors.ts';

/** Attempts after which a defect in a light activity ends the run: a quarter of an hour. */
const maximumDefectAttempts = 60;

type Activities = Record<string, (input: never) => Promise<unknown>>;

/**
 * The activities with their errors translated for Temporal: an ApplicationFailure whose type is the code of the error
 * table. Temporal's own failures (a cancellation) pass as they are.
 * @param maximumAttempts after which a defect is given up.
 */
export function withTranslatedErrors<T extends object>(activities: T, maximumAttempts = maximumDefectAttempts): T {
  const entries = Object.entries(activities as unknown as Activities).map(
    ([name, run]) => [name, translated(run, maximumAttempts)] as const,
  );
  return Object.fromEntries(entries) as T;
}

function translated(
  run: (input: never) => Promise<unknown>,
  maximumAttempts: number,
): (input: never) => Promise<unknown> {
  return async (input) => {
    try {
      return await run(input);
    } catch (error) {
      throw error instanceof TemporalFailure
        ? error
        : failureOf(toCoxswainError(error), Context.current().info.attempt, maximumAttempts);
    }
  };
}

/**
 * The ApplicationFailure of an error at its `attempt`-th attempt. Outages are waited for without limit; a defect, which
 * waiting does not cure, gives up after `maximumAttempts`.
 */
export function failureOf(
  error: CoxswainError,
  attempt: number,
  maximumAttempts = maximumDefectAttempts,
): ApplicationFailure {
  const givesUp = isDefect(error) && attempt >= maximumAttempts;
  return ApplicationFailure.create({
    type: error.code,
    message: givesUp ? `${error.message} (gave up after ${attempt} attempts)` : error.message,
    nonRetryable: !error.retryable || givesUp,
    details: error.details === undefined ? [] : [error.details],
    cause: error,
  });
}

/** True for an error of our own programs, not of what they depend on. */
export function isDefect({ code }: CoxswainError): boolean {
  return code === 'CHILD_PROCESS_FAILED' || code === 'INTERNAL';
}
