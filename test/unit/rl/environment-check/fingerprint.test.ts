import assert from 'node:assert/strict';
import test from 'node:test';
import { Fingerprint } from '../../../../src/rl/environment-check/fingerprint.ts';

const fingerprintOf = (...arrays: ArrayLike<number>[]): string => {
  const fingerprint = new Fingerprint();
  for (const array of arrays) fingerprint.addAll(array);
  return fingerprint.toString();
};

test('equal sequences have equal fingerprints', () => {
  assert.equal(fingerprintOf([1.5, -0.25], [3]), fingerprintOf(Float32Array.of(1.5, -0.25), Int32Array.of(3)));
});

test('one bit, the order, the sign of zero and where an array ends make a difference', () => {
  const all = [
    fingerprintOf([1, 2, 3]),
    fingerprintOf([1, 2, 3 + 2 ** -51]),
    fingerprintOf([1, 3, 2]),
    fingerprintOf([1, 2], [3]),
    fingerprintOf([1], [2, 3]),
    fingerprintOf([0]),
    fingerprintOf([-0]),
    fingerprintOf([]),
    fingerprintOf(),
  ];
  assert.equal(new Set(all).size, all.length);
});

test('a hundred thousand short sequences are told apart', () => {
  const seen = new Set<string>();
  for (let value = 0; value < 100_000; value++) seen.add(fingerprintOf([value % 100, Math.floor(value / 100) / 10]));
  assert.equal(seen.size, 100_000);
});
