import { CoxswainError } from '../../contracts/errors.ts';
import type { ApiStatus } from './api-objects.ts';
import { rightOf, whatOf } from './api-resources.ts';
import type { ApiMethod, ApiTarget } from './api-resources.ts';

/** CLUSTER_REFUSED with what the API server said, for those who know what to make of a 404 or a 409. */
export class ApiRefusal extends CoxswainError {
  readonly httpStatus: number;
  /** The API server's own word: `NotFound`, `Conflict`, `AlreadyExists` … */
  readonly reason: string;

  constructor(httpStatus: number, reason: string, message: string) {
    super('CLUSTER_REFUSED', message, { details: { status: httpStatus, reason } });
    this.httpStatus = httpStatus;
    this.reason = reason;
  }
}

/** True for a refusal with one of these statuses. */
export function isRefusal(error: unknown, ...statuses: readonly number[]): error is ApiRefusal {
  return error instanceof ApiRefusal && statuses.includes(error.httpStatus);
}

/** The sentence for a refusal: what was asked, and what is missing. */
export function refusal(method: ApiMethod, target: ApiTarget, httpStatus: number, status: ApiStatus): ApiRefusal {
  const reason = status.reason ?? '';
  return new ApiRefusal(
    httpStatus,
    reason,
    `${sentence(method, target, httpStatus, status)} ${status.message ?? ''}`.trim(),
  );
}

function sentence(method: ApiMethod, target: ApiTarget, httpStatus: number, { message }: ApiStatus): string {
  const what = whatOf(target);
  // A namespace that is being removed and a quota are told with a 403 as well.
  if (httpStatus === 403 && (message?.includes(' cannot ') ?? true)) {
    const where = target.namespace === null ? 'for the whole cluster' : `in namespace ${target.namespace}`;
    return `The API server refuses ${what}: the right to ${rightOf(method, target)} ${where} is missing.`;
  }
  if (httpStatus === 404 && message === undefined) return `The API server does not serve ${what}.`;
  return `The API server refuses ${method} ${what} with status ${httpStatus}${message === undefined ? '.' : ':'}`;
}
