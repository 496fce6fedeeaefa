import { randomUUID } from 'node:crypto';
import type { ErrorRequestHandler, Request, Response } from 'express';
import { CoxswainError, errorTable, toCoxswainError } from '../contracts/errors.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import type { Log } from './json-log.ts';
import { answerUnread, isLongBodyUnread } from './request-body.ts';

/** A problem document (RFC 9457). */
export interface Problem {
  /** Address of the code's explanation, relative to the API. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  /** Id of the request, under which the log has more. */
  readonly requestId: string;
  /** Each broken rule of a bad spec. */
  readonly issues?: unknown;
}

/** The problem document of an error. What went wrong inside (5xx) is for the log alone. */
export function problemOf(error: CoxswainError, requestId: string): Problem {
  const { code, status, message, details } = error;
  const hidden = status >= 500;
  return {
    type: `/docs#${code}`,
    title: titleOf(code),
    status,
    detail: hidden ? errorTable[code].help : message,
    code,
    requestId,
    ...(hidden || details === undefined ? {} : { issues: details }),
  };
}

/** Sends an error as a problem document. */
function sendProblem(request: Request, response: Response, problem: Problem): void {
  if (problem.status === 401) response.set('WWW-Authenticate', 'Bearer');
  response.status(problem.status).type('application/problem+json');
  const body = JSON.stringify(problem);
  if (isLongBodyUnread(request)) answerUnread(request, response, body);
  else response.send(body);
}

/** Express's last handler: every error becomes a problem document; those of ours alone are logged with their cause. */
export function problemHandler(log: Log): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const error = fromExpress(thrown);
    const requestId = requestIdOf(response);
    if (error.status >= 500) {
      log('error', error.message, { requestId, code: error.code, stack: error.stack, cause: causeText(error.cause) });
    }
    // Too late for another answer: the only sign of failure that is left is a broken connection.
    if (response.headersSent) response.destroy();
    else sendProblem(request, response, problemOf(error, requestId));
  };
}

/** The id that a request's log line and problem document share. */
export function requestIdOf(response: Response): string {
  response.locals.requestId ??= randomUUID();
  return response.locals.requestId as string;
}

/** What Express and its router throw carries a status; 4xx ones are the caller's fault. */
function fromExpress(thrown: unknown): CoxswainError {
  const status =
    thrown instanceof Error && 'status' in thrown && !(thrown instanceof CoxswainError) ? thrown.status : 0;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new CoxswainError('REQUEST_INVALID', (thrown as Error).message, { cause: thrown });
  }
  return toCoxswainError(thrown);
}

function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words[0].toUpperCase() + words.slice(1);
}

function causeText(cause: unknown): string | undefined {
  return cause === undefined ? undefined : cause instanceof Error ? cause.message : String(cause);
}
