import assert from 'node:assert/strict';
import type { ErrorCode } from '../../src/contracts/errors.ts';
import { CoxswainError } from '../../src/contracts/errors.ts';

/** Asserts that the promise is refused with `code`. */
export async function refusedWith(code: ErrorCode, promise: Promise<unknown>): Promise<CoxswainError> {
  const error = await promise.then(
    () => assert.fail(`expected ${code}, but it was accepted`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof CoxswainError, `expected ${code}, got ${String(error)}`);
  assert.equal(error.code, code, error.message);
  return error;
}
