import { CoxswainError, toCoxswainError } from '../contracts/errors.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import type { RunStatus } from '../contracts/runs.ts';

/** Exit codes of the command. */
export const exitCodes = {
  done: 0,
  /** The run failed or was cancelled, or Coxswain itself failed. */
  failed: 1,
  badInput: 2,
  unreachable: 3,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;

const unreachable: readonly ErrorCode[] = [
  'TEMPORAL_UNAVAILABLE',
  'STORE_UNAVAILABLE',
  'SEARCH_ATTRIBUTES_MISSING',
  'CLUSTER_UNAVAILABLE',
];

/**
 * The exit code of an error: what the caller can put right is 2, what a service must is 3; a defect of ours, and a check
 * that found something, is 1.
 */
export function exitCodeOf(error: unknown): number {
  const { code, status } = toCoxswainError(error);
  if (unreachable.includes(code)) return exitCodes.unreachable;
  if (code === 'REPLAY_DIFFERS') return exitCodes.failed;
  return status < 500 || code === 'CONFIG_INVALID' ? exitCodes.badInput : exitCodes.failed;
}

/** The exit code that tells how a run stands. */
export function exitCodeOfRun(status: RunStatus): number {
  return status === 'failed' || status === 'cancelled' ? exitCodes.failed : exitCodes.done;
}

/** Bad input of the command line itself. */
export function usageError(message: string): CoxswainError {
  return new CoxswainError('REQUEST_INVALID', message);
}
