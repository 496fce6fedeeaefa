import { QueryNotRegisteredError, isGrpcServiceError } from '@temporalio/client';
import { CoxswainError } from '../contracts/errors.ts';

/** gRPC status codes, by the numbers of the gRPC specification. */
const grpcCodes = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** True when Temporal says that there is no such workflow, or that it is closed. */
export function isNotFound(error: unknown): boolean {
  return grpcError(error)?.code === grpcCodes.notFound;
}

/** True when the server is there, but no worker answered a query in time, or the workflow knows no such query. */
export function isAnswerMissing(error: unknown): boolean {
  if (error instanceof QueryNotRegisteredError) return true;
  const code = grpcError(error)?.code;
  // The server cancels a query shortly before its deadline when nobody has answered.
  return (
    code === grpcCodes.cancelled ||
    code === grpcCodes.deadlineExceeded ||
    code === grpcCodes.failedPrecondition ||
    code === grpcCodes.notFound
  );
}

/** What a call to Temporal threw, with a code of the error table. */
export function toTemporalError(error: unknown): CoxswainError {
  if (error instanceof CoxswainError) return error;
  const cause = grpcError(error);
  const message = cause?.message ?? (error instanceof Error ? error.message : String(error));
  if (/search attribute/i.test(message)) {
    return new CoxswainError(
      'SEARCH_ATTRIBUTES_MISSING',
      `The Temporal server does not know our search attributes yet (${message}). Start a worker: it registers them.`,
      { cause: error },
    );
  }
  if (cause?.code === grpcCodes.unauthenticated || cause?.code === grpcCodes.permissionDenied) {
    const what = 'The Temporal server refuses our credentials';
    return new CoxswainError(
      'TEMPORAL_UNAVAILABLE',
      `${what} (${message}). Check TEMPORAL_API_KEY and the TLS files.`,
      {
        cause: error,
      },
    );
  }
  if (cause?.code === grpcCodes.invalidArgument) {
    return new CoxswainError('REQUEST_INVALID', `Temporal refused the request: ${message}`, { cause: error });
  }
  if (cause === null && !isConnectionTrouble(message)) return new CoxswainError('INTERNAL', message, { cause: error });
  return new CoxswainError('TEMPORAL_UNAVAILABLE', `The Temporal server does not answer: ${message}`, { cause: error });
}

function isConnectionTrouble(message: string): boolean {
  return /connect|deadline|timed? ?out|closed|unavailable/i.test(message);
}

/** The gRPC error itself, under the wrappers of Temporal's client. */
function grpcError(error: unknown): { readonly code: number; readonly message: string } | null {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (isGrpcServiceError(current)) return { code: current.code, message: current.details || current.message };
  }
  return null;
}
