/**
 * `npm start [-- --once] [-- --json] [-- --no-run]`: brings up everything on this machine, runs the bundled pipeline,
 * shows its progress and its report, and stays up until Ctrl-C. See {@link usage}.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { findLocalServices } from '../config/local-services.ts';
import { runBundledPipeline } from './bundled-run.ts';
import { tryLock } from './file-lock.mjs';
import { startStack } from './stack.ts';
import type { Stack } from './stack.ts';
import { listenForStop } from './stop-request.ts';

const usage = `Usage: npm start -- [--once] [--json] [--no-run]
  --once    end after the report; the exit code is 0 when the run completed, whatever its gate said
  --json    print the report as one line of JSON, last on standard output; everything else goes to standard error
  --no-run  bring everything up and start no run
`;

const root = dirname(import.meta.dirname);
const dataFolder = join(root, '.coxswain');

/** Said where the user's own Temporal server is used and nobody named its Web UI (TEMPORAL_UI_URL). */
const ownWebUi = 'that of your own server';

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
  const services = findLocalServices(root);
  if (services === null) return '';
  return ` Its API: ${services.apiUrl}, its Temporal Web UI: ${services.temporalUiUrl ?? ownWebUi}.`;
}

async function serve(): Promise<number> {
  const stopped = new Promise<'stopped'>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  // What is half started when the wish to stop comes ends with this process: keepers and channels see to that.
  const outcome = await Promise.race([startStack({ root, dataFolder, report: say }), stopped]);
  if (outcome === 'stopped') return interruptedCode;
  stack = outcome;
  say(`Temporal Web UI: ${stack.temporalUiUrl ?? ownWebUi}\nAPI: ${stack.apiUrl}/docs\n`);
  const code = flags['no-run']
    ? 0
    : await Promise.race([
        runBundledPipeline(stack, { root, output, json: flags.json, signal: stop.signal }),
        stack.failed,
        stopped,
      ]);
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
