import { CoxswainError } from '../contracts/errors.ts';
import type { Fence } from '../contracts/stores.ts';

/** STALE_ATTEMPT: a writer with a higher fence has the series. */
export function staleFence(runId: string, series: string, fence: Fence, held: Fence): CoxswainError {
  return new CoxswainError(
    'STALE_ATTEMPT',
    `Fence ${fence} on ${series} of run ${runId} is below ${held}, which has taken over. Stop writing.`,
  );
}

/** STALE_ATTEMPT: the series is past this step. */
export function staleStep(runId: string, series: string, step: number, stored: number): CoxswainError {
  return new CoxswainError(
    'STALE_ATTEMPT',
    `Checkpoint of step ${step} on ${series} of run ${runId} is older than the stored one of step ${stored}. Stop writing.`,
  );
}

/** REGISTRY_CONFLICT: the alias is not where the caller believes. */
export function aliasConflict(
  model: string,
  alias: string,
  expected: number | null,
  current: number | null,
): CoxswainError {
  const at = current === null ? 'nowhere' : `at version ${current}`;
  const believed = expected === null ? 'nowhere' : `at version ${expected}`;
  return new CoxswainError(
    'REGISTRY_CONFLICT',
    `Alias ${alias} of model ${model} points ${at}, expected ${believed}. Read it again and repeat.`,
  );
}

/** MODEL_NOT_FOUND for a version. */
export function versionNotFound(model: string, version: number): CoxswainError {
  return new CoxswainError('MODEL_NOT_FOUND', `Model ${model} has no version ${version}.`);
}

/** REGISTRY_CONFLICT: somebody else wrote the ledger. */
export function ledgerConflict(key: string, expectedRevision: number | null): CoxswainError {
  const expected = expectedRevision === null ? 'absent' : `at revision ${expectedRevision}`;
  return new CoxswainError('REGISTRY_CONFLICT', `Ledger ${key} is not ${expected} any more. Read it again and repeat.`);
}
