/**
 * `npm test [-- FILTER…] [-- --node-option…]`: runs every test file on disk, or those whose path holds one of the
 * filters, against real local servers that are started for the run. Ends with the summary of the whole run; the exit
 * code is 0 only when everything passed.
 */
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { obtainForTests } from './local-services/programs-or-skip.ts';
import { removeAbandonedTestData } from './local-services/test-data.ts';
import type { TestServices } from './local-services/test-services.ts';
import { sharedServersVariables, startTestServices } from './local-services/test-services.ts';
import type { RunOptions, TestFileResult } from './test-run/run-test-file.ts';
import { runTestFile } from './test-run/run-test-file.ts';
import { neededPrograms, needsServices, testFiles } from './test-run/test-files.ts';
import { judge, summaryLines } from './test-run/verdict.ts';

const root = dirname(import.meta.dirname);
const fileTimeoutMs = 10 * 60_000;
const testTimeoutMs = 5 * 60_000;
const parallel = Math.min(availableParallelism(), 4);

const started = Date.now();
const stop = new AbortController();
let preparing = true;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

const args = process.argv.slice(2);
const filters = args.filter((arg) => !arg.startsWith('--'));
const nodeOptions = args.filter((arg) => arg.startsWith('--'));
process.exitCode = await main();

async function main(): Promise<number> {
  const expected = selected();
  if (expected.length === 0) {
    console.error(`No test file's path holds ${filters.join(' or ')}.`);
    return 1;
  }
  await removeAbandonedTestData();
  const missing = await obtainForTests(neededPrograms(root, expected), say);
  const services = expected.some((path) => needsServices(root, path)) ? await startTestServices(say) : undefined;
  preparing = false;
  try {
    const results = await runAll(expected, {
      root,
      timeoutMs: fileTimeoutMs,
      testTimeoutMs,
      nodeOptions,
      environment: { ...missing, ...(services === undefined ? {} : addresses(services)) },
      signal: stop.signal,
    });
    return conclude(results);
  } finally {
    await services?.stop();
  }
}

/** A build may take minutes: it is not waited for, and its keeper ends it when this process is gone. */
function onSignal(): void {
  if (preparing) process.exit(1);
  stop.abort();
}

function selected(): string[] {
  return testFiles(root).filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)));
}

function addresses(services: TestServices): NodeJS.ProcessEnv {
  return {
    [sharedServersVariables.temporalAddress]: services.temporalAddress,
    [sharedServersVariables.temporalUiUrl]: services.temporalUiUrl,
    [sharedServersVariables.mongoUrl]: services.mongoUrl,
  };
}

/** As many files at a time as there are processors: a test on real servers mostly waits, one of numbers computes. */
async function runAll(paths: readonly string[], options: RunOptions): Promise<TestFileResult[]> {
  const waiting = [...paths];
  const results: TestFileResult[] = [];
  const work = async () => {
    for (let path = waiting.shift(); path !== undefined && !stop.signal.aborted; path = waiting.shift()) {
      const result = await runTestFile(path, options);
      results.push(result);
      print(result);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return results;
}

function print(result: TestFileResult): void {
  const failed = result.failure !== undefined || (result.counts?.failed ?? 0) + (result.counts?.cancelled ?? 0) > 0;
  if (failed) console.log(result.output.trimEnd());
  console.log(
    `${failed ? '✖' : '✔'} ${result.path} (${result.counts?.tests ?? 0} tests, ${result.seconds.toFixed(1)} s)`,
  );
  for (const { name, reason } of result.skips) console.log(`  ﹣ ${name} # ${reason || 'SKIP'}`);
}

/** The files on disk are listed again: what appeared or vanished during the run must not pass for tested. */
function conclude(results: readonly TestFileResult[]): number {
  const verdict = judge(selected(), results);
  console.log();
  for (const problem of verdict.problems) console.log(`✖ ${problem}`);
  for (const line of summaryLines(verdict, (Date.now() - started) / 1000)) console.log(line);
  return verdict.green ? 0 : 1;
}

function say(line: string): void {
  console.log(line);
}
