import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WriteStream } from 'node:tty';
import { loadConfig } from '../config/index.ts';
import { temporalConnection } from '../config/temporal-connection.ts';
import { createLiveProgress } from '../src/cli/live-progress.ts';
import { renderReport, renderReportJson } from '../src/cli/report-view.ts';
import type { CoxswainClient, Run } from '../src/client/index.ts';
import { createCoxswainClient, reportOf } from '../src/client/index.ts';
import type { RunSpec } from '../src/contracts/run-spec.ts';
import { readRunSpecText } from '../src/spec/run-spec-text.ts';
import { parseRunSpec, specSha256 } from '../src/spec/run-spec.ts';
import { createMongoStore } from '../src/store/mongo/mongo-store.ts';
import type { Stack } from './stack.ts';

export interface BundledRunOptions {
  /** The project's folder. */
  readonly root: string;
  /** For progress and the report that people read. */
  readonly output: WriteStream;
  /** Whether the report also goes to standard output, as one line of JSON. */
  readonly json: boolean;
  /** Ends the watching; the run itself goes on. */
  readonly signal: AbortSignal;
}

/**
 * Starts the bundled pipeline on the stack, or goes on with a run of it that an earlier stop interrupted, shows its
 * progress and then its report. Resolves to the exit code: 0 when the run completed, whatever its gate said. Throws when
 * a service cannot be reached or the watching was ended.
 */
export async function runBundledPipeline(stack: Stack, options: BundledRunOptions): Promise<number> {
  const config = loadConfig({ ...process.env, ...stack.environment });
  const store = createMongoStore({ url: config.mongo.url.reveal(), database: config.mongo.database });
  const temporal = { connection: temporalConnection(config.temporal), namespace: config.temporal.namespace };
  const client = createCoxswainClient({ temporal, store });
  const say = (text: string) => void options.output.write(`${text}\n`);
  try {
    const opened = await openRun(client, bundledSpec(options.root, config.client.gitSha), say);
    const run = await watch(client, opened, options);
    say(reportText(run, stack, options.output));
    if (options.json) process.stdout.write(`${renderReportJson(reportOf(run))}\n`);
    return run.status === 'completed' ? 0 : 1;
  } finally {
    await client.close();
    await store.close();
  }
}

/** The bundled spec, with the commit that is checked out where it names none. */
function bundledSpec(root: string, gitSha: string | null): RunSpec {
  const path = join(root, 'config', 'pipelines', 'online-boutique.yaml');
  const spec = parseRunSpec(readRunSpecText(readFileSync(path, 'utf8'), 'yaml'));
  return { ...spec, gitSha: spec.gitSha ?? gitSha ?? commit(root) };
}

/** Null outside a clone. */
function commit(root: string): string | null {
  try {
    const sha = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
    return sha.toString().trim();
  } catch {
    return null;
  }
}

async function openRun(client: CoxswainClient, spec: RunSpec, say: (text: string) => void): Promise<Run> {
  const { runs } = await client.listRuns({ status: 'running', pipeline: spec.name });
  const interrupted = runs.find((run) => run.specSha256 === specSha256(spec));
  if (interrupted === undefined) return client.getRun((await client.startRun({ spec })).runId);
  say('Going on with a run that was interrupted.');
  return interrupted;
}

async function watch(client: CoxswainClient, run: Run, { output, signal }: BundledRunOptions): Promise<Run> {
  output.write(`Run ${run.runId}\n`);
  const progress = createLiveProgress(output, run.createdAt.getTime());
  try {
    for await (const event of client.watch(run.runId, { signal })) {
      if (event.type === 'progress') progress.show(event.progress);
      if (event.type === 'notice') progress.notice(event.message);
      if (event.type === 'end') return event.run;
    }
  } finally {
    progress.end();
  }
  throw new Error(`Watching run ${run.runId} was ended; the run goes on.`);
}

function reportText(run: Run, { temporalUiUrl, apiUrl }: Stack, output: WriteStream): string {
  return `\n${renderReport(reportOf(run), {
    addresses: { temporalUiUrl, apiUrl },
    color: output.isTTY && output.hasColors(),
    width: Math.min(output.columns ?? 80, 110),
    confidence: run.spec?.evaluate.confidence,
  })}`;
}
