import { readFile } from 'node:fs/promises';
import { CoxswainError } from '../contracts/errors.ts';
import { applyOverrides } from '../spec/overrides.ts';
import { parseRunSpec } from '../spec/run-spec.ts';
import { readRunSpecText, specFormatOf } from '../spec/run-spec-text.ts';
import { withSession } from './command-context.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { followRun } from './follow-run.ts';

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
  const raw = applyOverrides(await readSpec(context, spec), options.set ?? []);
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

/** `-` is standard input, which counts as YAML, of which JSON is a part; a name without a file may be a bundled pipeline. */
async function readSpec({ readInput }: CommandContext, spec: string): Promise<unknown> {
  if (spec === '-') return readRunSpecText(await readInput(), 'yaml');
  return readRunSpecText(await readSpecFile(spec), specFormatOf(spec));
}

async function readSpecFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const bundled = /^[a-z0-9-]+$/.test(path) ? await readBundled(path) : null;
    if (bundled !== null) return bundled;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw usageError(`cannot read the spec ${path} (${reason}); name a YAML or JSON file, or - for standard input`);
  }
}

async function readBundled(name: string): Promise<string | null> {
  return readFile(new URL(`../../config/pipelines/${name}.yaml`, import.meta.url), 'utf8').catch(() => null);
}

function withGitSha(raw: unknown, gitSha: string | null): unknown {
  if (typeof raw !== 'object' || raw === null) throw new CoxswainError('SPEC_INVALID', 'the spec: not an object');
  if (gitSha === null || ('gitSha' in raw && raw.gitSha !== null)) return raw;
  return { ...raw, gitSha };
}
