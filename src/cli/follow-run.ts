import { reportOf } from '../client/run.ts';
import type { Run } from '../client/run.ts';
import type { CommandContext, Session } from './command-context.ts';
import { exitCodeOfRun, exitCodes } from './exit-codes.ts';
import { createLiveProgress } from './live-progress.ts';
import { renderReport, renderReportJson } from './report-view.ts';

/**
 * Shows a run's progress until its end and then its report. With `json` the report is one line on standard output and
 * the progress goes to standard error. Ctrl-C leaves the run alone and says how to go on.
 * @returns the exit code
 */
export async function followRun(
  context: CommandContext,
  { client, addresses, intervalMs }: Session,
  runId: string,
  json: boolean,
): Promise<number> {
  const output = json ? context.errors : context.output;
  const { createdAt } = await client.getRun(runId);
  const progress = createLiveProgress(output, createdAt.getTime());
  try {
    for await (const event of client.watch(runId, { signal: context.interrupted, intervalMs })) {
      if (event.type === 'progress') progress.show(event.progress);
      if (event.type === 'notice') progress.notice(event.message);
      if (event.type === 'end') {
        progress.end();
        showReport(context, event.run, addresses, json);
        return exitCodeOfRun(event.run.status);
      }
    }
  } finally {
    progress.end();
  }
  output.write(`${detached(runId)}\n`);
  return exitCodes.interrupted;
}

/** Writes the report of a run that is over. */
export function showReport({ output }: CommandContext, run: Run, addresses: Session['addresses'], json: boolean): void {
  const report = reportOf(run);
  const color = output.hasColors?.() ?? false;
  const confidence = run.spec?.evaluate.confidence;
  const text = json
    ? renderReportJson(report)
    : `\n${renderReport(report, { addresses, color, confidence, width: Math.min(output.columns ?? 80, 110) })}`;
  output.write(`${text}\n`);
}

function detached(runId: string): string {
  return [
    `Detached; run ${runId} goes on.`,
    `  coxswain status ${runId} --wait   shows it again`,
    `  coxswain cancel ${runId}          ends it`,
  ].join('\n');
}
