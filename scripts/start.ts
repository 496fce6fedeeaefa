/**
 * `npm start [-- --once] [-- --json] [-- --no-run]`: brings up everything on this machine, runs the bundled pipeline,
 * shows its progress and its report, and stays up until Ctrl-C. See {@link usage}.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../config/index.ts';
import { temporalConnection } from '../config/temporal-connection.ts';
import { renderReport, renderReportJson } from '../src/cli/report-view.ts';
import type { CoxswainClient, Run } from '../src/client/index.ts';
import { createCoxswainClient, reportOf } from '../src/client/index.ts';
import { readRunSpecText } from '../src/spec/run-spec-text.ts';
import { parseRunSpec, specSha256 } from '../src/spec/run-spec.ts';
import { createMongoStore } from '../src/store/mongo/mongo-store.ts';
import { tryLock } from './file-lock.mjs';
import { createLiveProgress } from './live-progress.ts';
import { addressesFile, startStack } from './stack.ts';
import type { Stack } from './stack.ts';
import { listenForStop } from './stop-request.ts';

const usage = `Usage: npm start -- [--once] [--json] [--no-run]
  --once    end after the report; the exit code is 0 when the run completed, whatever its gate said
  --json    print the report as one line of JSON, last on standard output; everything else goes to standard error
  --no-run  bring everything up and start no run
`;

const root = dirname(import.meta.dirname);
const dataFolder = join(root, '.coxswain');
const bundledSpec = join(root, 'config', 'pipelines', 'online-boutique.yaml');

/** Exit code of a process that was interrupted before its work was done, as shells count it. */
const interruptedCode = 130;

const flags = readFlags();
const output = flags.json ? process.stderr : process.stdout;
const say = (line: string) => void output.write(`${line}\n`);
let stack: Stack | undefined;
const stop = listenForStop(() => {
  stack?.kill();
  process.exit(interruptedCode);
});

process.chdir(root);
process.exit(await main());

function readFlags() {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ options: { once: flag, json: flag, 'no-run': flag } }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(2);
  }
}

async function main(): Promise<number> {
  mkdirSync(dataFolder, { recursive: true });
  const lock = tryLock(join(dataFolder, 'start.lock'));
  if ('holder' in lock) {
    say(alreadyRunning(lock.holder.pid));
    return 1;
  }
  try {
    return await serve();
  } catch (error) {
    if (!stop.signal.aborted) say(error instanceof Error ? error.message : String(error));
    return stop.signal.aborted ? interruptedCode : 1;
  } finally {
    await stack?.stop();
    lock.release();
  }
}

function alreadyRunning(pid: number): string {
  return `Coxswain is already running from this folder (process ${pid}).${addresses()} Stop it with Ctrl-C first.`;
}

/** What the running one serves; empty while it is still starting. */
function addresses(): string {
  try {
    const { temporalUiUrl, apiUrl } = JSON.parse(readFileSync(join(dataFolder, addressesFile), 'utf8'));
    return ` Its API: ${apiUrl}, its Temporal Web UI: ${temporalUiUrl ?? 'that of your own server'}.`;
  } catch {
    return '';
  }
}

async function serve(): Promise<number> {
  const stopped = new Promise<'stopped'>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  // What is half started when the wish to stop comes ends with this process: keepers and channels see to that.
  const outcome = await Promise.race([startStack({ root, dataFolder, report: say }), stopped]);
  if (outcome === 'stopped') return interruptedCode;
  stack = outcome;
  say(`Temporal Web UI: ${stack.temporalUiUrl ?? 'that of your own server'}\nAPI: ${stack.apiUrl}/docs\n`);
  const code = flags['no-run'] ? 0 : await Promise.race([runPipeline(stack), stack.failed, stopped]);
  if (code === 'stopped') {
    say('Stopping. The run is safe: the next start goes on with it.');
    return interruptedCode;
  }
  if (typeof code === 'string') throw new Error(code);
  if (flags.once) return code;
  say('Everything stays up. Stop it with Ctrl-C.');
  const end = await Promise.race([stack.failed, stopped]);
  if (end !== 'stopped') throw new Error(end);
  say('Stopping …');
  return 0;
}

/** Starts the bundled run, or goes on with the one that was interrupted, and resolves to the exit code of `--once`. */
async function runPipeline({ environment, temporalUiUrl, apiUrl }: Stack): Promise<number> {
  const config = loadConfig({ ...process.env, ...environment });
  const store = createMongoStore({ url: config.mongo.url.reveal(), database: config.mongo.database });
  const { namespace } = config.temporal;
  const client = createCoxswainClient({
    temporal: { connection: temporalConnection(config.temporal), namespace },
    store,
  });
  try {
    const run = await watch(client, await openRun(client));
    const report = reportOf(run);
    const color = Boolean(output.isTTY) && process.env.NO_COLOR === undefined;
    const width = output.columns;
    say(
      renderReport(report, {
        addresses: { temporalUiUrl, apiUrl },
        color,
        width,
        confidence: run.spec?.evaluate.confidence,
      }),
    );
    if (flags.json) process.stdout.write(`${renderReportJson(report)}\n`);
    return run.status === 'completed' ? 0 : 1;
  } finally {
    await client.close();
    await store.close();
  }
}

async function openRun(client: CoxswainClient): Promise<Run> {
  const spec = parseRunSpec(readRunSpecText(readFileSync(bundledSpec, 'utf8'), 'yaml'));
  const { runs } = await client.listRuns({ status: 'running', pipeline: spec.name });
  const interrupted = runs.find((run) => run.specSha256 === specSha256(spec));
  if (interrupted === undefined) return client.getRun((await client.startRun({ spec })).runId);
  say(`Going on with run ${interrupted.runId}, which was interrupted.`);
  return interrupted;
}

async function watch(client: CoxswainClient, { runId, createdAt }: Run): Promise<Run> {
  say(`Run ${runId}`);
  const progress = createLiveProgress(output, createdAt.getTime());
  try {
    for await (const event of client.watch(runId, { signal: stop.signal })) {
      if (event.type === 'progress') progress.show(event.progress);
      if (event.type === 'notice') progress.notice(event.message);
      if (event.type === 'end') return event.run;
    }
  } finally {
    progress.end();
  }
  throw new Error('The watching was stopped.');
}
