import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { splitTime } from '../../../src/recordings/split.ts';

const shares = { train: 0.6, validate: 0.2, heldOut: 0.2 };

describe('splitTime', () => {
  test('cuts the time line in order, without gaps, at the shares', () => {
    assert.deepEqual(splitTime(100, shares, 20), {
      train: { from: 0, to: 60 },
      validate: { from: 60, to: 80 },
      heldOut: { from: 80, to: 100 },
    });
  });

  test('rounds boundaries to bins and loses none', () => {
    for (let bins = 10; bins < 200; bins++) {
      const { train, validate, heldOut } = splitTime(bins, { train: 0.7, validate: 0.1, heldOut: 0.2 }, 1);
      assert.deepEqual([train.from, validate.from, heldOut.from, heldOut.to], [0, train.to, validate.to, bins]);
      assert.ok(Math.abs(train.to - 0.7 * bins) <= 0.5);
      assert.ok(Math.abs(validate.to - 0.8 * bins) <= 0.5 + 1e-9);
    }
  });

  test('refuses a recording with a part shorter than an episode and names each such part', () => {
    assert.throws(() => splitTime(100, shares, 21), {
      code: 'RECORDING_TOO_SHORT',
      message: /Of the recording's 100 bins validate has 20, heldOut has 20; an episode needs 21\./,
    });
  });
});
