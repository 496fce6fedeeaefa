import type { ProcessIdentity } from './process-identity.mjs';

/** Who holds a lock. */
export interface LockHolder extends ProcessIdentity {
  readonly host: string;
}

/** Takes the lock if nobody living holds it; a lock that a dead process left is broken. */
export function tryLock(path: string): { readonly release: () => void } | { readonly holder: LockHolder };

/**
 * Waits for the lock and resolves to the function that gives it back. `timeoutMs` is one hour by default; throws when
 * it has passed. `onWait` is called once, when somebody else holds the lock.
 */
export function lock(
  path: string,
  options?: { readonly timeoutMs?: number; readonly onWait?: (holder: LockHolder) => void },
): Promise<() => void>;
