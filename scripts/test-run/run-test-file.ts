import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Totals as node:test counts them. */
export interface TestCounts {
  readonly tests: number;
  readonly suites: number;
  readonly passed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly skipped: number;
  readonly todo: number;
}

/** A test that was skipped, or is marked as still to do, and the reason that it gives (empty when it gives none). */
export interface SkippedTest {
  readonly name: string;
  readonly reason: string;
}

/** What became of one test file. */
export interface TestFileResult {
  readonly path: string;
  /** Undefined when the process ended without a summary. */
  readonly counts: TestCounts | undefined;
  readonly skips: readonly SkippedTest[];
  /** Why the process itself counts as failed, whatever its tests say. */
  readonly failure: string | undefined;
  /** What the file printed, its tests' results included. */
  readonly output: string;
  readonly seconds: number;
}

export interface RunOptions {
  readonly root: string;
  /** The file is killed, with all that it started, after this time. */
  readonly timeoutMs: number;
  /** A single test fails after this time. */
  readonly testTimeoutMs: number;
  /** Further options of `node`, for example `--test-name-pattern=…`. */
  readonly nodeOptions?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Kills the file when it fires. */
  readonly signal?: AbortSignal;
}

type Fact =
  | {
      readonly type: 'test:pass' | 'test:fail';
      readonly name: string;
      readonly skip?: unknown;
      readonly todo?: unknown;
    }
  | { readonly type: 'test:summary'; readonly counts: TestCounts & { readonly topLevel: number } };

const scripts = join(import.meta.dirname, '..');

/**
 * Runs one test file in a process group of its own, tied to this process. Never throws: what goes wrong is the result.
 */
export async function runTestFile(path: string, options: RunOptions): Promise<TestFileResult> {
  const started = Date.now();
  const child = spawnFile(path, options);
  let stopped: string | undefined;
  const kill = (reason: string) => {
    stopped ??= reason;
    killGroup(child);
  };
  const timer = setTimeout(
    () => kill(`ran longer than ${options.timeoutMs / 1000} s and was killed`),
    options.timeoutMs,
  );
  const onAbort = () => kill('was killed because the test run was stopped');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();
  const [facts, output, ended] = await Promise.all([readFacts(child), readOutput(child), untilEnded(child)]);
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', onAbort);
  killGroup(child);
  const counts = facts.find((fact) => fact.type === 'test:summary')?.counts;
  const skips = facts.flatMap(asSkip);
  return {
    path,
    counts,
    skips,
    failure: stopped === undefined ? processFailure(ended, counts, skips) : `${stopped}; ${lastFinished(facts)}`,
    output,
    seconds: (Date.now() - started) / 1000,
  };
}

function spawnFile(path: string, options: RunOptions): ChildProcess {
  const args = [
    `--import=${join(scripts, 'end-with-parent.mjs')}`,
    `--test-reporter=${join(scripts, 'test-run', 'reporter.mjs')}`,
    '--test-reporter-destination=stdout',
    `--test-timeout=${options.testTimeoutMs}`,
    ...(options.nodeOptions ?? []),
    path,
  ];
  return spawn(process.execPath, args, {
    cwd: options.root,
    // A file that is itself run by `node --test` hands this variable on, and the reporter would not be used.
    env: { ...process.env, ...options.environment, NODE_TEST_CONTEXT: undefined },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
}

async function readFacts(child: ChildProcess): Promise<Fact[]> {
  const facts: Fact[] = [];
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) facts.push(JSON.parse(line) as Fact);
  return facts;
}

async function readOutput(child: ChildProcess): Promise<string> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  await untilEnded(child);
  return output;
}

/** How the process itself ended; the error's message stands for the signal when it could not be started. */
interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

function untilEnded(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: error.message }));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

function asSkip(fact: Fact): SkippedTest[] {
  if (fact.type === 'test:summary') return [];
  const mark = fact.skip ?? fact.todo;
  if (mark === undefined || mark === false) return [];
  return [{ name: fact.name, reason: typeof mark === 'string' ? mark : '' }];
}

function lastFinished(facts: readonly Fact[]): string {
  const last = facts.findLast((fact) => fact.type !== 'test:summary');
  return last === undefined ? 'no test had finished' : `the last test that finished was "${last.name}"`;
}

function processFailure(
  { code, signal }: Ended,
  counts: TestCounts | undefined,
  skips: readonly SkippedTest[],
): string | undefined {
  if (signal !== null) return `was ended by ${signal}`;
  if (counts === undefined) return `ended with code ${code} without having run its tests to the end`;
  // The tests of a skipped suite are not counted.
  if (counts.tests === 0 && skips.length === 0) return 'holds no test';
  if (code !== 0 && counts.failed + counts.cancelled === 0) return `ended with code ${code} although its tests passed`;
  return undefined;
}

/** The group also holds what the tests started and left behind. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}
