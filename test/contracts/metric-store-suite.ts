import assert from 'node:assert/strict';
import { refusedWith } from './refused-with.ts';
import { point } from './store-fixtures.ts';
import type { It } from './store-suite.ts';

/** What every MetricStore must do. */
export function metricTests(it: It): void {
  it('points come back whole, by series, then step', async ({ metrics }) => {
    await metrics.appendPoints([point('r1', 'train/seed-2', 10), point('r1', 'train/seed-1', 20)]);
    await metrics.appendPoints([point('r1', 'train/seed-1', 3), point('r2', 'train/seed-1', 1)]);
    const points = await metrics.readPoints({ runId: 'r1' });
    assert.deepEqual(points, [
      point('r1', 'train/seed-1', 3),
      point('r1', 'train/seed-1', 20),
      point('r1', 'train/seed-2', 10),
    ]);
    assert.deepEqual(await metrics.listSeries('r1'), ['train/seed-1', 'train/seed-2']);
    assert.deepEqual(await metrics.listSeries('r3'), []);
  });

  it('a point that is there stays as it was first written', async ({ metrics }) => {
    await metrics.appendPoints([point('r1', 's', 1, 0.5)]);
    await metrics.appendPoints([point('r1', 's', 1, 9), point('r1', 's', 2, 0.25), point('r1', 's', 2, 7)]);
    const points = await metrics.readPoints({ runId: 'r1' });
    assert.deepEqual(
      points.map(({ step, values }) => [step, values['loss']]),
      [
        [1, 0.5],
        [2, 0.25],
      ],
    );
  });

  it('values that are not finite come back as they were', async ({ metrics }) => {
    const values = { loss: NaN, ratio: Infinity, logProbability: -Infinity, kl: 5e-324 };
    await metrics.appendPoints([{ ...point('r1', 's', 1), values }]);
    assert.deepEqual((await metrics.readPoints({ runId: 'r1' }))[0]?.values, values);
  });

  it('runs and series whose names begin alike are kept apart', async ({ metrics }) => {
    const names = ['a', 'a b', 'a!', 'a%20b', 'a/b', 'ä', 'a\u0000'];
    for (const name of names) await metrics.appendPoints([point(name, 's', 1), point('r', name, 1)]);
    for (const name of names) {
      assert.deepEqual(await metrics.readPoints({ runId: name }), [point(name, 's', 1)], name);
      assert.deepEqual(await metrics.readPoints({ runId: 'r', series: name }), [point('r', name, 1)], name);
    }
    assert.deepEqual([...(await metrics.listSeries('r'))].sort(), names.toSorted());
  });

  it('two writers of overlapping batches leave no gap and no duplicate', async ({ metrics }) => {
    const batch = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => point('r1', 's', from + index));
    await Promise.all([
      metrics.appendPoints(batch(0, 300)),
      metrics.appendPoints(batch(100, 400)),
      metrics.appendPoints(batch(0, 400).reverse()),
    ]);
    const points = await metrics.readPoints({ runId: 'r1' });
    assert.deepEqual(
      points.map(({ step }) => step),
      Array.from({ length: 400 }, (_, step) => step),
    );
  });

  it('thousands of points are appended at once and again', async ({ metrics }) => {
    const points = Array.from({ length: 3_000 }, (_, step) => point('r1', 's', step));
    await metrics.appendPoints(points);
    await metrics.appendPoints(points);
    const read = await metrics.readPoints({ runId: 'r1', limit: 10_000 });
    assert.equal(read.length, 3_000);
    assert.deepEqual(read.at(-1), points.at(-1));
  });

  it('reads one series after a step, up to the limit', async ({ metrics }) => {
    await metrics.appendPoints([1, 2, 3, 4, 5].flatMap((step) => [point('r1', 'a', step), point('r1', 'b', step)]));
    const read = await metrics.readPoints({ runId: 'r1', series: 'b', afterStep: 2, limit: 2 });
    assert.deepEqual(read, [point('r1', 'b', 3), point('r1', 'b', 4)]);
    const all = await metrics.readPoints({ runId: 'r1', afterStep: 4 });
    assert.deepEqual(all, [point('r1', 'a', 5), point('r1', 'b', 5)]);
    await refusedWith('REQUEST_INVALID', metrics.readPoints({ runId: 'r1', limit: 10_001 }));
  });

  it('appending nothing is allowed', async ({ metrics }) => {
    await metrics.appendPoints([]);
    assert.deepEqual(await metrics.readPoints({ runId: 'r1' }), []);
  });
}
