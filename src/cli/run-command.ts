import { CoxswainError } from '../contracts/errors.ts';
import { applyOverrides } from '../spec/overrides.ts';
import { parseRunSpec } from '../spec/run-spec.ts';
import { withSession } from './command-context.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';
import { followRun } from './follow-run.ts';
import { readSpec } from './read-spec.ts';

/** Options of `coxswain run`. */
export interface RunOptions {
  /** `path=value` */
  readonly set?: readonly string[];
  readonly id?: string;
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** Starts a run. The spec is checked before anything is connected. @returns the exit code */
export async function runCommand(context: CommandContext, spec: string, options: RunOptions): Promise<number> {
  const raw = applyOverrides(await readSpec(context, spec, 'pipelines'), options.set ?? []);
  parseRunSpec(raw);
  return withSession(context, async (session) => {
    const request = { spec: withGitSha(raw, session.gitSha), runId: options.id };
    const { runId, created, specSha256 } = await session.client.startRun(request);
    const { json = false, wait = false } = options;
    const notes = json ? context.errors : context.output;
    const what = created ? 'Started run' : 'Run is there already:';
    if (wait || !json) notes.write(`${what} ${runId}\n`);
    if (wait) return followRun(context, session, runId, json);
    if (json) context.output.write(`${JSON.stringify({ runId, specSha256, created })}\n`);
    else context.output.write(`  coxswain status ${runId} --wait   shows its progress and its report\n`);
    return exitCodes.done;
  });
}

function withGitSha(raw: unknown, gitSha: string | null): unknown {
  if (typeof raw !== 'object' || raw === null) throw new CoxswainError('SPEC_INVALID', 'the spec: not an object');
  if (gitSha === null || ('gitSha' in raw && raw.gitSha !== null)) return raw;
  return { ...raw, gitSha };
}
