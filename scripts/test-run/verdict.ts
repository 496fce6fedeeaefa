import type { TestCounts, TestFileResult } from './run-test-file.ts';

/** The outcome of a test run. */
export interface Verdict {
  readonly counts: TestCounts;
  /** One sentence for everything that makes the run red beside failed tests; each counts as one more failed test. */
  readonly problems: readonly string[];
  readonly green: boolean;
}

/** Tests on real servers, and of killed processes, prove what the product promises: they may not be left out. */
const neverSkipped = /^test\/(integration|workflows|activities|replay)\/|temporal|mongo|kill/i;

/**
 * Judges a run. `expected` are the files that were to run, `results` those that did. Red are: a failed test, a failed
 * process, a file that did not run, a skip without a reason, and a skip where none is allowed (see `neverSkipped`; a
 * reason that starts with "optional:" is).
 */
export function judge(expected: readonly string[], results: readonly TestFileResult[]): Verdict {
  const problems = [
    ...results.flatMap((result) => (result.failure === undefined ? [] : [`${result.path} ${result.failure}.`])),
    ...expected.filter((path) => !results.some((result) => result.path === path)).map((path) => `${path} did not run.`),
    ...results.flatMap(forbiddenSkips),
  ];
  const sum = results.reduce((total, { counts }) => (counts === undefined ? total : add(total, counts)), zero);
  const counts = { ...sum, tests: sum.tests + problems.length, failed: sum.failed + problems.length };
  return { counts, problems, green: counts.failed + counts.cancelled === 0 && counts.passed > 0 };
}

function forbiddenSkips({ path, skips }: TestFileResult): string[] {
  return skips.flatMap(({ name, reason }) => {
    if (reason === '') return [`${path}: "${name}" is skipped without a reason.`];
    if (!neverSkipped.test(path) && !neverSkipped.test(name)) return [];
    return reason.startsWith('optional:') ? [] : [`${path}: "${name}" may not be skipped (${reason}).`];
  });
}

const zero: TestCounts = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };

function add(a: TestCounts, b: TestCounts): TestCounts {
  return {
    tests: a.tests + b.tests,
    suites: a.suites + b.suites,
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    cancelled: a.cancelled + b.cancelled,
    skipped: a.skipped + b.skipped,
    todo: a.todo + b.todo,
  };
}

/** The closing summary, in the words of node:test's own. */
export function summaryLines({ counts }: Verdict, seconds: number): string[] {
  return [
    `ℹ tests ${counts.tests}`,
    `ℹ suites ${counts.suites}`,
    `ℹ pass ${counts.passed}`,
    `ℹ fail ${counts.failed}`,
    `ℹ cancelled ${counts.cancelled}`,
    `ℹ skipped ${counts.skipped}`,
    `ℹ todo ${counts.todo}`,
    `ℹ duration_ms ${Math.round(seconds * 1000)}`,
    `${counts.passed} passed, ${counts.failed + counts.cancelled} failed, ${counts.skipped + counts.todo} skipped`,
  ];
}
