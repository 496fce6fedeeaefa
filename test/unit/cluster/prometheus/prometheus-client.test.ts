import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createPrometheusClient } from '../../../../src/cluster/prometheus/prometheus-client.ts';
import { answeringServer, sendJson } from '../answering-server.ts';

const matrix = (result: unknown): unknown => ({ status: 'success', data: { resultType: 'matrix', result } });

test('a grid is filled at its times, and what is missing is counted', async (t) => {
  const url = await answeringServer(t, ({ form }, response) => {
    assert.deepEqual(
      ['query', 'start', 'end', 'step'].map((name) => form.get(name)),
      ['rate(x[1m])', '60', '120', '15'],
    );
    const values = [
      [60, '1'],
      [75, 'NaN'],
      [105, '4'],
      [120, '+Inf'],
    ];
    sendJson(response, matrix([{ metric: { service: 'cart' }, values }]));
  });
  const grid = { startSeconds: 60, stepSeconds: 15, points: 5 };
  const { series } = await createPrometheusClient({ url }).queryGrid('rate(x[1m])', grid);
  assert.deepEqual(series, [{ labels: { service: 'cart' }, values: Float64Array.of(1, NaN, NaN, 4, NaN), missing: 3 }]);
});

test('a long grid is asked for in parts, and a series in several parts is one', async (t) => {
  const asked: number[][] = [];
  const url = await answeringServer(t, ({ form }, response) => {
    const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(form.get(name)));
    asked.push([start, end]);
    const count = (end - start) / step + 1;
    const values = Array.from({ length: count }, (_, i) => [start + i * step, String(start / step + i)]);
    sendJson(response, matrix([{ metric: { b: '2', a: '1' }, values }]));
  });
  const grid = { startSeconds: 15_000, stepSeconds: 15, points: 25_000 };
  const { series } = await createPrometheusClient({ url }).queryGrid('x', grid);
  assert.equal(series.length, 1);
  assert.equal(series[0].missing, 0);
  assert.ok(series[0].values.every((value, i) => value === 1000 + i));
  assert.deepEqual(asked, [
    [15_000, 15_000 + 9_999 * 15],
    [15_000 + 10_000 * 15, 15_000 + 19_999 * 15],
    [15_000 + 20_000 * 15, 15_000 + 24_999 * 15],
  ]);
});

test('samples beside the grid belong to the nearest time, further ones to none', async (t) => {
  const values = [
    [59.4, '1'],
    [75.2, '2'],
    [200, '9'],
  ];
  const url = await answeringServer(t, (_request, response) => sendJson(response, matrix([{ metric: {}, values }])));
  const { series } = await createPrometheusClient({ url }).queryGrid('x', {
    startSeconds: 60,
    stepSeconds: 15,
    points: 2,
  });
  assert.deepEqual([...series[0].values], [1, 2]);
});

test('a grid without points or off its own step is refused before anything is asked', async () => {
  const client = createPrometheusClient({ url: 'http://127.0.0.1:1' });
  for (const grid of [
    { startSeconds: 60, stepSeconds: 15, points: 0 },
    { startSeconds: 61, stepSeconds: 15, points: 1 },
    { startSeconds: 60, stepSeconds: 0, points: 1 },
  ]) {
    await assert.rejects(client.queryGrid('x', grid), { code: 'OBSERVATION_REFUSED' });
  }
});

test('warnings of all parts are told once', async (t) => {
  const url = await answeringServer(t, (_request, response) =>
    sendJson(response, { ...(matrix([]) as object), warnings: ['partial'] }),
  );
  const { warnings, series } = await createPrometheusClient({ url }).queryGrid('x', {
    startSeconds: 0,
    stepSeconds: 1,
    points: 20_001,
  });
  assert.deepEqual([warnings, series], [['partial'], []]);
});

test("a refused query carries the server's words", async (t) => {
  const url = await answeringServer(t, (_request, response) =>
    sendJson(response, { status: 'error', errorType: 'bad_data', error: 'unknown function foo' }, 400),
  );
  await assert.rejects(createPrometheusClient({ url }).query('foo(x)', 60), {
    code: 'OBSERVATION_REFUSED',
    message: /foo\(x\): bad_data: unknown function foo/,
  });
});
