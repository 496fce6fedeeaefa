import assert from 'node:assert/strict';
import test from 'node:test';

import { UpdateLayout, UpdateState } from '../../../src/rl/update-state.ts';

const layout = new UpdateLayout({ policy: 2, critic: 1 }, { target: 1 });

test('weights lie first, then the moments of those that are learned', () => {
  assert.deepEqual(Object.entries(layout.sizes), [
    ['policy', 2],
    ['critic', 1],
    ['target', 1],
    ['policy.firstMoment', 2],
    ['policy.secondMoment', 2],
    ['critic.firstMoment', 1],
    ['critic.secondMoment', 1],
  ]);
  assert.equal(layout.weightCount, 4);
  assert.equal(layout.size, 10);
});

test('what an update wrote is present after the turn, and the two copies share no memory', () => {
  const state = new UpdateState(layout);
  state.present.policy.set([1, 2]);
  const { next } = state;
  next['next.policy'].set([3, 4]);
  assert.deepEqual([...state.present.policy], [1, 2]);
  state.turn();
  assert.deepEqual([...state.present.policy], [3, 4]);
  assert.deepEqual([...state.next['next.policy']], [1, 2]);
  assert.equal(state.updates, 1);
});

test('no update takes new memory: two sets of arrays take turns', () => {
  const state = new UpdateState(layout);
  const seen = new Set<ArrayBufferLike>();
  for (let update = 0; update < 100; update++) {
    for (const values of [...Object.values(state.present), ...Object.values(state.next)]) seen.add(values.buffer);
    state.turn();
  }
  assert.equal(seen.size, 2);
});

test('a saved state is a copy, and goes on in another of the same layout', () => {
  const state = new UpdateState(layout);
  state.turn();
  state.present.policy.set([1, 2]);
  state.present['critic.secondMoment'].set([5]);
  const saved = state.save();
  state.present.policy.set([9, 9]);
  assert.deepEqual([...saved.parameters], [1, 2, 0, 0]);
  const other = new UpdateState(layout);
  other.load(saved);
  assert.deepEqual([...other.present.policy], [1, 2]);
  assert.deepEqual([...other.present['critic.secondMoment']], [5]);
  assert.equal(other.updates, 1);
});

test('moments that have all but decayed become 0, weights and living moments stay', () => {
  const state = new UpdateState(layout);
  for (let update = 0; update < 64; update++) {
    state.next['next.policy'].set([1e-35, 1]);
    state.next['next.policy.firstMoment'].set([-1e-35, 1e-20]);
    state.turn();
  }
  assert.deepEqual([...state.present.policy], [Math.fround(1e-35), 1]);
  assert.deepEqual([...state.present['policy.firstMoment']], [0, Math.fround(1e-20)]);
});
