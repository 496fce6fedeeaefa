import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { parseAnswer } from '../../../../src/cluster/prometheus/prometheus-answer.ts';

const success = (resultType: string, result: unknown): unknown => ({ status: 'success', data: { resultType, result } });
const refusal = { code: 'OBSERVATION_REFUSED' };

test('a matrix gives its series with labels, times and values, NaN and infinities included', () => {
  const values = [
    [10, '1.5'],
    [20, 'NaN'],
    [30, '+Inf'],
    [40, '-Inf'],
    [50, '1e-3'],
  ];
  const { series } = parseAnswer(success('matrix', [{ metric: { pod: 'a' }, values }]), 'up');
  assert.deepEqual(series, [
    { labels: { pod: 'a' }, times: [10, 20, 30, 40, 50], values: [1.5, NaN, Infinity, -Infinity, 0.001] },
  ]);
});

test('a vector and a scalar are series of one sample; an empty answer is no series', () => {
  const vector = parseAnswer(success('vector', [{ metric: {}, value: [10.5, '2'] }]), 'up');
  assert.deepEqual(vector.series, [{ labels: {}, times: [10.5], values: [2] }]);
  assert.deepEqual(parseAnswer(success('scalar', [10, '3']), '3').series, [{ labels: {}, times: [10], values: [3] }]);
  assert.deepEqual(parseAnswer(success('vector', []), 'absent').series, []);
});

test('warnings come along', () => {
  const body = { ...(success('vector', []) as object), warnings: ['one of two stores did not answer'] };
  assert.deepEqual(parseAnswer(body, 'up').warnings, ['one of two stores did not answer']);
});

test("the server's own error is told, with the query", () => {
  const body = { status: 'error', errorType: 'bad_data', error: 'parse error: unclosed left parenthesis' };
  assert.throws(() => parseAnswer(body, 'sum('), {
    ...refusal,
    message: /cannot answer sum\(: bad_data: parse error: unclosed left parenthesis/,
  });
});

const broken: Readonly<Record<string, unknown>> = {
  'no object': [],
  'another API': { results: [] },
  'no data': { status: 'success' },
  'no result': success('matrix', null),
  'a text': success('string', [1, 'x']),
  'a sample that is no pair': success('vector', [{ metric: {}, value: 3 }]),
  'a value that is no number': success('vector', [{ metric: {}, value: [1, 'abc'] }]),
  'an empty value': success('vector', [{ metric: {}, value: [1, ''] }]),
  'a label that is no text': success('vector', [{ metric: { a: 1 }, value: [1, '1'] }]),
  'a native histogram': success('vector', [{ metric: {}, histogram: [1, { count: '1' }] }]),
};
for (const [name, body] of Object.entries(broken)) {
  test(`${name} is refused`, () => assert.throws(() => parseAnswer(body, 'up'), refusal));
}

const samples = join(import.meta.dirname, '../../../../../shared/data/prometheus-samples/victoriametrics');
const skip = existsSync(samples) ? false : 'optional: the recorded answers are not at hand';

test('recorded answers of other servers that speak the API are read', { skip }, () => {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(samples, name), 'utf8'));
  for (const name of [
    'prometheus__expected_response.json',
    'mimir-tsdb__expected_response.json',
    'thanos-snapshot__expected_all_aggr_response.json',
  ]) {
    const { series } = parseAnswer(read(name), name);
    assert.ok(series.length > 0, name);
    for (const { times, values } of series) {
      assert.equal(times.length, values.length);
      assert.ok(times.every((time, i) => i === 0 || time > times[i - 1]) && values.every(Number.isFinite), name);
    }
  }
  const mimir = parseAnswer(read('mimir-tsdb__expected_response.json'), 'mimir').series[0];
  assert.deepEqual([mimir.times[0], mimir.values[0]], [1734709220, 2.207911691136]);
});
