import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricStore } from '../../../src/contracts/stores.ts';
import { readPages, readUnsentLines } from '../../../src/tracking/unsent-lines.ts';
import type { LineQuery } from '../../../src/tracking/unsent-lines.ts';
import { createMemoryStore } from '../../fakes/memory-store.ts';

const startedAt = new Date(0);
const seed = ['train/seed-1', 'validate/seed-1'];

async function storeWith(
  series: string,
  steps: readonly number[],
  metrics = createMemoryStore().metrics,
): Promise<MetricStore> {
  await metrics.appendPoints(steps.map((step) => ({ runId: 'r', series, step, at: startedAt, values: { v: step } })));
  return metrics;
}

async function stepsOf(metrics: MetricStore, query: Partial<LineQuery> = {}): Promise<string[]> {
  const whole = { runId: 'r', series: seed, afterStep: null, isOver: false, limit: 100, startedAt, ...query };
  const lines = await readUnsentLines(metrics, whole);
  return lines.map(({ step, points }) => `${step}x${points}`);
}

test('while the run goes on the newest step is held back: another series may still get a point there', async () => {
  const metrics = await storeWith('train/seed-1', [1, 2, 3]);
  assert.deepEqual(await stepsOf(metrics), ['1x1', '2x1']);
  await storeWith('validate/seed-1', [3], metrics);
  await storeWith('train/seed-1', [4], metrics);
  assert.deepEqual(await stepsOf(metrics, { afterStep: 2 }), ['3x2']);
});

test('when the run is over everything is complete', async () => {
  const metrics = await storeWith('train/seed-1', [1, 2]);
  await storeWith('validate/seed-1', [5], metrics);
  assert.deepEqual(await stepsOf(metrics, { isOver: true }), ['1x1', '2x1', '5x1']);
});

test('a point that the training stores during the read is left for the next time', async () => {
  const metrics = await storeWith('train/seed-1', [1, 2]);
  const racing: MetricStore = {
    ...metrics,
    listSeries: (runId) => metrics.listSeries(runId),
    appendPoints: (points) => metrics.appendPoints(points),
    async readPoints(query) {
      const page = await metrics.readPoints(query);
      await storeWith('validate/seed-1', [2], metrics);
      await storeWith('train/seed-1', [3], metrics);
      return page;
    },
  };
  assert.deepEqual(await stepsOf(racing), ['1x1']);
  assert.deepEqual(await stepsOf(metrics, { afterStep: 1 }), ['2x2']);
});

test('a series of its own is not held back', async () => {
  const metrics = await storeWith('sweep/trial', [1, 2]);
  assert.deepEqual(await stepsOf(metrics, { series: ['sweep/trial'] }), ['1x1', '2x1']);
});

test('only the first page of each series is taken, and no further than every series is known', async () => {
  const metrics = await storeWith('train/seed-1', [1, 2, 3, 4, 5, 6]);
  await storeWith('validate/seed-1', [2, 3, 4], metrics);
  assert.deepEqual(await stepsOf(metrics, { isOver: true, limit: 2 }), ['1x1', '2x2']);
  assert.deepEqual(await stepsOf(metrics, { isOver: true, limit: 3 }), ['1x1', '2x2', '3x2']);
});

test('page after page, every point is in exactly one line', async () => {
  const metrics = await storeWith('train/seed-1', [1, 2, 3, 5, 8, 13]);
  await storeWith('validate/seed-1', [2, 4, 6, 8, 13, 14], metrics);
  const seen: string[] = [];
  for (let afterStep: number | null = null; ;) {
    const steps: string[] = await stepsOf(metrics, { isOver: true, limit: 2, afterStep });
    if (steps.length === 0) break;
    seen.push(...steps);
    afterStep = Number(steps.at(-1)!.split('x')[0]);
  }
  assert.deepEqual(seen, ['1x1', '2x2', '3x1', '4x1', '5x1', '6x1', '8x2', '13x2', '14x1']);
});

test('pages cover a series that fills its last page', async () => {
  const metrics = await storeWith('train/seed-1', [1, 2, 3, 4]);
  const pages: number[] = [];
  for await (const page of readPages(metrics, { runId: 'r', series: 'train/seed-1', limit: 2 }))
    pages.push(page.length);
  assert.deepEqual(pages, [2, 2, 0]);
});
