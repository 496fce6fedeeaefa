import { ActivityFailure, ApplicationFailure, CancelledFailure, isCancellation } from '@temporalio/workflow';
import type { RunFailure, StepName } from '../src/contracts/runs.ts';

/**
 * True when the work ended because it was cancelled: also when it was cancelled and then failed in another way, since
 * Temporal repeats no attempt after that (tried: a worker that is gone, an outage, a shutdown).
 */
export function endedByCancellation(error: unknown): boolean {
  return (
    isCancellation(error) ||
    causeChain(error).some((cause) => cause instanceof ActivityFailure && cause.retryState === 'CANCEL_REQUESTED')
  );
}

/** The failure that people should see: the innermost cause with a code, under Temporal's own wrappers. */
export function describeFailure(error: unknown, step: StepName): RunFailure {
  return { ...codedFailure(error), step };
}

/** Code and message of the innermost cause with a code. */
export function codedFailure(error: unknown): Omit<RunFailure, 'step'> {
  const causes = causeChain(error);
  const coded = causes.findLast((cause) => cause instanceof ApplicationFailure && Boolean(cause.type));
  const innermost = causes.at(-1);
  const code = coded instanceof ApplicationFailure && coded.type ? coded.type : 'INTERNAL';
  const message = (coded ?? innermost)?.message ?? String(error);
  return { code, message };
}

/** What the workflow throws at its end: never a plain Error, which would make its task retry for ever. */
export function failureToThrow(error: unknown, failure: { code: string; message: string; step: string }): unknown {
  if (isCancellation(error)) return error;
  if (endedByCancellation(error)) return new CancelledFailure(failure.message);
  return ApplicationFailure.nonRetryable(`${failure.step}: ${failure.message}`, failure.code);
}

function causeChain(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  for (let current = error; current instanceof Error; current = current.cause) chain.push(current);
  return chain;
}
