import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricPoint } from '../../../src/contracts/stores.ts';
import { historyLines, lineText } from '../../../src/tracking/history-lines.ts';

const startedAt = new Date('2026-01-02T03:04:05.000Z');

function point(series: string, step: number, seconds: number, values: MetricPoint['values']): MetricPoint {
  return { runId: 'r', series, step, at: new Date(startedAt.getTime() + seconds * 1000), values };
}

test('a line holds step, time and values under the first word of the series, in a fixed order', () => {
  const [line] = historyLines([point('train/seed-1', 64, 1.5, { loss: 0.25, approxKl: 1e-9 })], startedAt);
  assert.equal(
    lineText(line),
    '{"_step":64,"_timestamp":1767323046.5,"_runtime":1.5,"train/approxKl":1e-9,"train/loss":0.25}',
  );
});

test('points of one step share a line, whatever order they come in', () => {
  const train = point('train/seed-1', 64, 1, { b: 1, a: 2 });
  const validate = point('validate/seed-1', 64, 2, { score: 3 });
  const expected = '{"_step":64,"_timestamp":1767323047,"_runtime":2,"train/a":2,"train/b":1,"validate/score":3}';
  for (const points of [
    [train, validate],
    [validate, train],
  ]) {
    const lines = historyLines(points, startedAt);
    assert.deepEqual(lines.map(lineText), [expected]);
    assert.equal(lines[0].points, 2);
  }
});

test('lines come by rising step', () => {
  const points = [point('v/s', 9, 0, {}), point('t/s', 10, 0, {}), point('t/s', 2, 0, {})];
  assert.deepEqual(
    historyLines(points, startedAt).map(({ step }) => step),
    [2, 9, 10],
  );
});

test('numbers that JSON lacks are the texts that W&B reads, so the line stays JSON', () => {
  const [line] = historyLines([point('t/s', 1, 0, { a: NaN, b: Infinity, c: -Infinity })], startedAt);
  assert.deepEqual(JSON.parse(lineText(line)), {
    _step: 1,
    _timestamp: 1767323045,
    _runtime: 0,
    't/a': 'NaN',
    't/b': 'Infinity',
    't/c': '-Infinity',
  });
});

test('a name with quotes or a line end does not break the line', () => {
  const [line] = historyLines([point('t/s', 1, 0, { 'a"\n': 1 })], startedAt);
  assert.equal((JSON.parse(lineText(line)) as Record<string, number>)['t/a"\n'], 1);
  assert.equal(lineText(line).includes('\n'), false);
});
