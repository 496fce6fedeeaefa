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

/** DEPLOYMENT_NOT_FOUND for `name`. */
export function deploymentNotFound(name: string): CoxswainError {
  return new CoxswainError('DEPLOYMENT_NOT_FOUND', `No deployment has the name ${name}.`);
}

/** DEPLOYMENT_CONFLICT: another spec runs under the name. */
export function deploymentConflict(name: string): CoxswainError {
  const message = `Deployment ${name} runs with another spec. Stop it first, or choose another name.`;
  return new CoxswainError('DEPLOYMENT_CONFLICT', message);
}

/** WORKLOAD_CLAIMED: a running deployment has the workload. */
export function workloadClaimed(workload: string, name: string, holder: string): CoxswainError {
  const message = `Deployment ${holder} steers ${workload}, so ${name} cannot. Stop ${holder}, or take the workload out of ${name}.`;
  return new CoxswainError('WORKLOAD_CLAIMED', message, { details: { workload, deployment: holder } });
}

/** INTERNAL: a result came for a step without a decision. */
export function decisionMissing(deployment: string, step: number): CoxswainError {
  return new CoxswainError('INTERNAL', `Step ${step} of deployment ${deployment} has no decision to complete.`);
}
