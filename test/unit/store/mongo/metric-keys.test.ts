import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricCollectionName, metricIdRange, metricPointId } from '../../../../src/store/mongo/metric-keys.ts';

test('ids sort by run, series and step', () => {
  const ids = [
    metricPointId('a', 's', 9),
    metricPointId('a', 's', 10),
    metricPointId('a', 's', 2 ** 53 - 1),
    metricPointId('a', 's/1', 0),
    metricPointId('a!', 's', 0),
    metricPointId('b', 's', 0),
  ];
  assert.deepEqual(ids.toSorted(), ids);
});

test('a range holds the ids of its run or series and no others', () => {
  const inside = (id: string, [above, below]: readonly [string, string]): boolean => id > above && id < below;
  assert.ok(inside(metricPointId('a', 's', 5), metricIdRange('a')));
  assert.ok(inside(metricPointId('a', 's', 5), metricIdRange('a', 's')));
  for (const [run, series] of [
    ['a', 's2'],
    ['a', 's!'],
    ['a s', 's'],
    ['a!', 's'],
    ['b', 's'],
  ] as const) {
    assert.ok(!inside(metricPointId(run, series, 5), metricIdRange('a', 's')), `${run} ${series}`);
  }
});

test('runs spread over all 64 collections, always to the same', () => {
  const names = Array.from({ length: 2_000 }, (_, index) => metricCollectionName(`run-${index}`));
  assert.equal(new Set(names).size, 64);
  assert.ok(names.every((name) => /^metricPoints_[0-3][0-9a-f]$/.test(name)));
  assert.equal(metricCollectionName('run-7'), names[7]);
});
