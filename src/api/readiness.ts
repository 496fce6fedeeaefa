import { CoxswainError, toCoxswainError } from '../contracts/errors.ts';
import type { ErrorCode } from '../contracts/errors.ts';

/** Whether one service answers. */
export interface ServiceCheck {
  readonly ok: boolean;
  readonly code: ErrorCode | null;
}

export interface Readiness {
  readonly ready: boolean;
  readonly temporal: ServiceCheck;
  readonly store: ServiceCheck;
}

/**
 * Asks both services, within `timeoutMs`. Everybody may ask for readiness, so the answer is shared by all who ask within
 * a second and says no more than a code.
 */
export function createReadinessCheck(
  pings: { readonly temporal: () => Promise<void>; readonly store: () => Promise<void> },
  timeoutMs: number,
): () => Promise<Readiness> {
  let latest: { readonly at: number; readonly answer: Promise<Readiness> } | null = null;
  const ask = async (): Promise<Readiness> => {
    const [temporal, store] = await Promise.all([
      check(pings.temporal, timeoutMs, 'TEMPORAL_UNAVAILABLE'),
      check(pings.store, timeoutMs, 'STORE_UNAVAILABLE'),
    ]);
    return { ready: temporal.ok && store.ok, temporal, store };
  };
  return () => {
    if (latest === null || Date.now() - latest.at > 1000) latest = { at: Date.now(), answer: ask() };
    return latest.answer;
  };
}

async function check(ping: () => Promise<void>, timeoutMs: number, late: ErrorCode): Promise<ServiceCheck> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new CoxswainError(late, 'No answer in time.')), timeoutMs);
  });
  try {
    await Promise.race([ping(), timeout]);
    return { ok: true, code: null };
  } catch (error) {
    return { ok: false, code: toCoxswainError(error).code };
  } finally {
    clearTimeout(timer);
  }
}
