import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { CoxswainError } from '../src/contracts/errors.ts';
import { cancellationFailure } from './heartbeat.ts';

const firstPauseMs = 250;
const longestPauseMs = 5_000;

/**
 * Repeats an idempotent store operation while the store is away or full, so that an outage costs time instead of an
 * attempt. Ends with the first other error, or with a cancellation once `signal` is aborted.
 */
export async function untilStored<T>(operation: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await operation();
    } catch (error) {
      if (!isOutage(error)) throw error;
      Context.current().log.warn('The store is away; trying again', { message: error.message, pauseMs });
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) throw cancellationFailure();
    }
  }
}

function isOutage(error: unknown): error is CoxswainError {
  return error instanceof CoxswainError && (error.code === 'STORE_UNAVAILABLE' || error.code === 'STORAGE_FULL');
}
