import type { RunStatus } from '../contracts/runs.ts';
import { isOver } from '../client/run.ts';
import type { Run } from '../client/run.ts';
import { withSession } from './command-context.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodeOfRun, exitCodes } from './exit-codes.ts';
import { followRun, showReport } from './follow-run.ts';
import { renderProgress } from './progress-view.ts';
import { renderRuns } from './run-table.ts';
import { createPaint } from './terminal-text.ts';

/** Shows a run: its progress while it goes on, its report when it is over. @returns the exit code */
export async function statusCommand(
  context: CommandContext,
  runId: string,
  { json = false, wait = false }: { readonly json?: boolean; readonly wait?: boolean },
): Promise<number> {
  return withSession(context, async (session) => {
    if (wait) return followRun(context, session, runId, json);
    const run = await session.client.getRun(runId);
    const { output } = context;
    if (json) {
      const progress = await session.client.progress(runId);
      output.write(`${JSON.stringify({ ...factsOf(run), progress, report: run.report })}\n`);
    } else if (isOver(run.status)) {
      showReport(context, run, session.addresses, false);
    } else {
      const elapsedSeconds = (Date.now() - run.createdAt.getTime()) / 1000;
      const look = { width: output.columns ?? 80, color: output.hasColors?.() ?? false, elapsedSeconds };
      output.write(`Run ${runId}\n${renderProgress(await session.client.progress(runId), look)}\n`);
    }
    return exitCodeOfRun(run.status);
  });
}

/** Options of `coxswain list`. */
export interface ListOptions {
  readonly status?: RunStatus;
  readonly pipeline?: string;
  readonly before?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

/** Lists runs, newest first. @returns the exit code */
export async function listCommand(context: CommandContext, { json, ...query }: ListOptions): Promise<number> {
  return withSession(context, async ({ client }) => {
    const { runs, next } = await client.listRuns(query);
    const { output } = context;
    if (json) output.write(`${JSON.stringify({ runs: runs.map(factsOf), next })}\n`);
    else {
      output.write(`${renderRuns(runs, new Date(), createPaint(output.hasColors?.() ?? false))}\n`);
      if (next !== null) output.write(`Older ones: coxswain list --before ${next}\n`);
    }
    return exitCodes.done;
  });
}

/** What scripts want to know of a run. */
function factsOf({ report: _report, spec: _spec, ...facts }: Run): Omit<Run, 'report' | 'spec'> {
  return facts;
}
