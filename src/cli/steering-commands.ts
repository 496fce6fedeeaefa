import { withSession } from './command-context.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';

/** Options of the commands that steer a run. */
export interface SteeringOptions {
  readonly json?: boolean;
  /** Of `cancel`: wait until the run is over. */
  readonly wait?: boolean;
}

const sentences = {
  pause: 'is asked to pause; it stops at its next checkpoint',
  resume: 'is asked to go on',
  cancel: 'is asked to stop',
} as const;

/** Pauses, resumes or cancels a run. @returns the exit code: 1 when a run that was to be cancelled ended otherwise */
export async function steeringCommand(
  context: CommandContext,
  verb: keyof typeof sentences,
  runId: string,
  { json = false, wait = false }: SteeringOptions,
): Promise<number> {
  return withSession(context, async ({ client, intervalMs }) => {
    await client[verb](runId);
    if (!wait) {
      const text = json ? JSON.stringify({ runId, requested: verb }) : `Run ${runId} ${sentences[verb]}.`;
      context.output.write(`${text}\n`);
      return exitCodes.done;
    }
    const { status, step } = await client.waitForRun(runId, { signal: context.interrupted, intervalMs });
    const text = json
      ? JSON.stringify({ runId, requested: verb, status, step })
      : `Run ${runId} is ${status} in step ${step}.`;
    context.output.write(`${text}\n`);
    return status === 'cancelled' ? exitCodes.done : exitCodes.failed;
  });
}
