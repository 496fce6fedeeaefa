import { CoxswainError } from '../../contracts/errors.ts';

/**
 * Runs `work` with a signal that is aborted after a time limit, by the given signal, and when `work` fails (what else it
 * still asks for is then given up).
 * @throws CoxswainError OBSERVATION_UNAVAILABLE with `message` after the limit; what `signal` was aborted with.
 */
export async function withinTime<T>(
  message: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(timeoutMs);
  const end = new AbortController();
  try {
    return await work(AbortSignal.any([limit, end.signal, ...(signal ? [signal] : [])]));
  } catch (error) {
    signal?.throwIfAborted();
    throw limit.aborted ? new CoxswainError('OBSERVATION_UNAVAILABLE', message, { cause: error }) : error;
  } finally {
    end.abort();
  }
}
