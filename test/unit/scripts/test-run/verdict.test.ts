import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestCounts, TestFileResult } from '../../../../scripts/test-run/run-test-file.ts';
import { judge, summaryLines } from '../../../../scripts/test-run/verdict.ts';

const counts: TestCounts = { tests: 3, suites: 0, passed: 3, failed: 0, cancelled: 0, skipped: 0, todo: 0 };

function result(path: string, changes: Partial<TestFileResult> = {}): TestFileResult {
  return { path, counts, skips: [], failure: undefined, output: '', seconds: 1, ...changes };
}

const unit = 'test/unit/a.test.ts';
const integration = 'test/integration/b.test.ts';

test('a run in which everything passed is green', () => {
  const verdict = judge([unit, integration], [result(unit), result(integration)]);
  assert.equal(verdict.green, true);
  assert.equal(verdict.counts.passed, 6);
  assert.deepEqual(verdict.problems, []);
});

test('one failed or cancelled test is red', () => {
  assert.equal(judge([unit], [result(unit, { counts: { ...counts, failed: 1 } })]).green, false);
  assert.equal(judge([unit], [result(unit, { counts: { ...counts, cancelled: 1 } })]).green, false);
});

test('a file on disk that did not run is red', () => {
  const verdict = judge([unit, integration], [result(unit)]);
  assert.equal(verdict.green, false);
  assert.deepEqual(verdict.problems, [`${integration} did not run.`]);
  assert.equal(verdict.counts.failed, 1);
});

test('a file whose process failed is red even though its tests passed', () => {
  const verdict = judge([unit], [result(unit, { failure: 'ended with code 3 although its tests passed' })]);
  assert.equal(verdict.green, false);
  assert.deepEqual(verdict.problems, [`${unit} ended with code 3 although its tests passed.`]);
});

test('a run in which nothing passed is not green', () => {
  assert.equal(judge([unit], [result(unit, { counts: { ...counts, passed: 0, skipped: 3 } })]).green, false);
});

test('a skipped test of real servers is red, unless it is optional', () => {
  const skip = (reason: string) => judge([integration], [result(integration, { skips: [{ name: 'x', reason }] })]);
  assert.equal(skip('no server').green, false);
  assert.equal(skip('optional: no GPU here').green, true);
});

test('a skipped test that is named after Temporal, MongoDB or a kill is red wherever it is', () => {
  for (const name of ['survives kill -9', 'the Temporal server is away', 'MongoDB answers']) {
    assert.equal(judge([unit], [result(unit, { skips: [{ name, reason: 'later' }] })]).green, false, name);
  }
  assert.equal(judge([unit], [result(unit, { skips: [{ name: 'reads real data', reason: 'no data' }] })]).green, true);
});

test('a skip without a reason is red', () => {
  assert.equal(judge([unit], [result(unit, { skips: [{ name: 'x', reason: '' }] })]).green, false);
});

test('the summary counts every problem as a failed test and ends with the totals', () => {
  const lines = summaryLines(judge([unit, integration], [result(unit)]), 1.5);
  assert.ok(lines.includes('ℹ tests 4'));
  assert.ok(lines.includes('ℹ fail 1'));
  assert.ok(lines.includes('ℹ duration_ms 1500'));
  assert.equal(lines.at(-1), '3 passed, 1 failed, 0 skipped');
});
