import assert from 'node:assert/strict';
import test from 'node:test';

import type { AgentState } from '../../../../src/rl/agent.ts';
import { readCheckpoint, writeCheckpoint } from '../../../../src/rl/checkpoint.ts';
import { CartPole } from '../../../../src/rl/environments/cart-pole.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { ReplayBuffer } from '../../../../src/rl/replay/replay-buffer.ts';
import type { Minibatch, ReplayOptions } from '../../../../src/rl/replay/replay-buffer.ts';
import { VectorEnvironment } from '../../../../src/rl/vector-environment.ts';
import { recordSteps, resultsOf, toyDescription } from './recorded-steps.ts';
import type { Happening } from './recorded-steps.ts';

/** Samples by the observation that they begin with: [reward, discount, next observation, action]. */
function sampled(buffer: ReplayBuffer, draws = 512): Record<string, number[]> {
  const minibatch = buffer.minibatch(draws);
  buffer.sample(minibatch, new Generator(1));
  const entries = Array.from(minibatch.observations, (observation, row) => [
    String(observation),
    [minibatch.rewards[row], minibatch.discounts[row], minibatch.nextObservations[row], minibatch.actions[row]],
  ]);
  return Object.fromEntries(entries) as Record<string, number[]>;
}

/** Records an episode after the observations 0, 1, 2 …: observation t + 1 follows step t, actions alternate. */
function recordEpisode(buffer: ReplayBuffer, happenings: readonly Happening[]): void {
  buffer.start(Float32Array.of(0), null);
  happenings.forEach((happening, step) =>
    buffer.record(Int32Array.of(step % 2), resultsOf([happening]), {
      observations: Float32Array.of(step + 1),
      masks: null,
    }),
  );
}

const half = { capacity: 100, discount: 0.5 };

test('a step that goes on, one that terminates and one that is cut off have the targets worked out by hand', () => {
  const buffer = new ReplayBuffer(toyDescription(), 1, half);
  recordEpisode(buffer, [
    { reward: 1 },
    { reward: 2, end: 'terminated' },
    { reward: 3, end: 'truncated', last: 77 },
    { reward: 4 },
  ]);
  assert.equal(buffer.size, 4);
  assert.deepEqual(sampled(buffer), {
    0: [1, 0.5, 1, 0],
    1: [2, 0, 2, 1],
    2: [3, 0.5, 77, 0],
    3: [4, 0.5, 4, 1],
  });
});

test('returns over three steps end with the episode and with the present', () => {
  const buffer = new ReplayBuffer(toyDescription(), 1, { ...half, returnSteps: 3 });
  recordEpisode(buffer, [
    { reward: 1 },
    { reward: 2 },
    { reward: 4 },
    { reward: 8, end: 'terminated' },
    { reward: 16 },
    { reward: 32, end: 'truncated', last: 77 },
    { reward: 64 },
    { reward: 128 },
  ]);
  assert.deepEqual(sampled(buffer), {
    0: [1 + 1 + 1, 0.125, 3, 0],
    1: [2 + 2 + 2, 0, 4, 1],
    2: [4 + 4, 0, 4, 0],
    3: [8, 0, 4, 1],
    4: [16 + 16, 0.25, 77, 0],
    5: [32, 0.5, 77, 1],
    6: [64 + 64, 0.25, 8, 0],
    7: [128, 0.5, 8, 1],
  });
});

test('over the seam of a full ring only the latest transitions are left, with what followed them', () => {
  const capacity = 6;
  const buffer = new ReplayBuffer(toyDescription(), 2, { capacity, discount: 0.5, returnSteps: 2 });
  // Steps 0 to 10 of two environments; 8, 9 and 10 fit. Every fourth step cuts the episodes off: 3, 7.
  recordSteps(buffer, 2, 0, 11, 4);
  assert.equal(buffer.size, capacity);
  assert.deepEqual(sampled(buffer), {
    80: [8 + 4.5, 0.25, 100, 0],
    81: [8 + 4.5, 0.25, 101, 0],
    90: [9 + 5, 0.25, 110, 1],
    91: [9 + 5, 0.25, 111, 1],
    100: [10, 0.5, 110, 0],
    101: [10, 0.5, 111, 0],
  });
  recordSteps(buffer, 2, 11, 13, 4);
  assert.deepEqual(sampled(buffer)[100], [10 + 5.5, 0.25, -110, 0]);
  assert.deepEqual(sampled(buffer)[111], [11, 0.5, -111, 1]);
});

test('masks come with the observations that they belong to, also with the last one of an episode', () => {
  const description = toyDescription({ actionSpace: { kind: 'discrete', n: 3 }, actionMaskSize: 3 });
  const buffer = new ReplayBuffer(description, 1, half);
  buffer.start(Float32Array.of(0), Uint8Array.of(1, 0, 0));
  const second = { observations: Float32Array.of(1), masks: Uint8Array.of(0, 1, 0) };
  buffer.record(Int32Array.of(0), resultsOf([{ reward: 1 }]), second);
  const third = { observations: Float32Array.of(2), masks: Uint8Array.of(1, 1, 1) };
  const cutOff: Happening = { reward: 1, end: 'truncated', last: 77, lastMask: [0, 0, 1] };
  buffer.record(Int32Array.of(1), resultsOf([cutOff]), third);
  const minibatch = buffer.minibatch(16);
  buffer.sample(minibatch, new Generator(1));
  for (let row = 0; row < 16; row++) {
    const [mask, next] = [minibatch.masks, minibatch.nextMasks].map((bits) => [...bits.subarray(3 * row, 3 * row + 3)]);
    const first = minibatch.observations[row] === 0;
    assert.deepEqual([mask, next], first ? [[1, 0, 0], [0, 1, 0]] : [[0, 1, 0], [0, 0, 1]]); // prettier-ignore
  }
});

test('continuous actions and wide observations keep every number', () => {
  const description = toyDescription({
    observationSpace: { kind: 'box', shape: [300], low: -1, high: 1 },
    actionSpace: { kind: 'box', shape: [2], low: -1, high: 1 },
  });
  const buffer = new ReplayBuffer(description, 1, half);
  const observation = (step: number): Float32Array => Float32Array.from({ length: 300 }, (_, i) => step + i / 1000);
  buffer.start(observation(0), null);
  buffer.record(Float32Array.of(0.25, -0.75), resultsOf([{ reward: 1 }]), {
    observations: observation(1),
    masks: null,
  });
  const minibatch = buffer.minibatch(2);
  buffer.sample(minibatch, new Generator(1));
  assert.deepEqual(minibatch.actions, Float32Array.of(0.25, -0.75, 0.25, -0.75));
  assert.deepEqual(minibatch.observations.subarray(300), observation(0));
  assert.deepEqual(minibatch.nextObservations.subarray(300), observation(1));
});

test('uniform sampling takes every transition about equally often', () => {
  const buffer = new ReplayBuffer(toyDescription(), 1, { capacity: 10, discount: 1 });
  recordSteps(buffer, 1, 0, 25);
  const counts = countsOf(buffer, 20_000);
  assert.equal(Object.keys(counts).length, 10);
  // 2000 ± 5 standard deviations of √(20000 × 0.1 × 0.9)
  for (const count of Object.values(counts)) assert.ok(Math.abs(count - 2000) < 212, String(count));
});

/** How often each observation begins a sample. */
function countsOf(buffer: ReplayBuffer, draws: number): Record<string, number> {
  const minibatch = buffer.minibatch(draws / 10);
  const generator = new Generator(3);
  const counts: Record<string, number> = {};
  for (let repetition = 0; repetition < 10; repetition++) {
    buffer.sample(minibatch, generator);
    for (const observation of minibatch.observations) counts[observation] = (counts[observation] ?? 0) + 1;
  }
  return counts;
}

/** Gives transition k of a sampled minibatch the error `errorOf(step of k)`. */
function setErrors(buffer: ReplayBuffer, minibatch: Minibatch, errorOf: (step: number) => number): void {
  buffer.setPriorities(
    minibatch,
    Float32Array.from(minibatch.rewards, (step) => errorOf(step)),
  );
}

const prioritised: ReplayOptions = { capacity: 8, discount: 1, prioritised: { exponent: 0.5, offset: 0 } };

test('prioritised sampling takes transitions in proportion to |δ|^α', () => {
  const buffer = new ReplayBuffer(toyDescription(), 1, prioritised);
  recordSteps(buffer, 1, 0, 20);
  const minibatch = buffer.minibatch(64);
  buffer.sample(minibatch, new Generator(2));
  // Steps 12 to 19 are left. |δ|^½ is 1 … 8, some with a negative sign before the root.
  setErrors(buffer, minibatch, (step) => (step % 2 ? -1 : 1) * (step - 11) ** 2);
  const counts = countsOf(buffer, 36_000);
  for (let step = 12; step < 20; step++) {
    const expected = 1000 * (step - 11);
    assert.ok(Math.abs(counts[10 * step] - expected) < 6 * Math.sqrt(expected), `${step}: ${counts[10 * step]}`);
  }
});

test('importance weights are those of the paper, divided by the largest', () => {
  const buffer = new ReplayBuffer(toyDescription(), 1, prioritised);
  recordSteps(buffer, 1, 0, 8);
  const minibatch = buffer.minibatch(64);
  buffer.sample(minibatch, new Generator(2));
  assert.deepEqual(minibatch.weights, new Float32Array(64).fill(1));
  setErrors(buffer, minibatch, (step) => (step + 1) ** 2);
  buffer.sample(minibatch, new Generator(2), 0.4);
  minibatch.rewards.forEach((step, row) => {
    // (8 p / 36)^−0.4 over that of p = 1
    const expected = (step + 1) ** -0.4;
    assert.ok(Math.abs(minibatch.weights[row] - expected) < 1e-6, `${step}: ${minibatch.weights[row]}`);
  });
});

test('a new transition is as likely as the most surprising one so far', () => {
  const buffer = new ReplayBuffer(toyDescription(), 1, prioritised);
  recordSteps(buffer, 1, 0, 7);
  const minibatch = buffer.minibatch(64);
  buffer.sample(minibatch, new Generator(2));
  setErrors(buffer, minibatch, (step) => (step === 3 ? 100 : 1));
  recordSteps(buffer, 1, 7, 8);
  const counts = countsOf(buffer, 26_000);
  // Weights 10, 10 and six times 1
  for (const observation of [30, 70])
    assert.ok(Math.abs(counts[observation] - 10_000) < 600, String(counts[observation]));
});

const kinds: Record<string, ReplayOptions> = {
  uniform: { capacity: 40, discount: 0.9, returnSteps: 3 },
  prioritised: { capacity: 40, discount: 0.9, returnSteps: 3, prioritised: { exponent: 0.6 } },
};

/** Samples and changes priorities, and returns everything that was sampled. */
function lived(buffer: ReplayBuffer, from: number, end: number, generator: Generator): number[] {
  const minibatch = buffer.minibatch(8);
  const seen: number[] = [];
  for (let step = from; step < end; step++) {
    recordSteps(buffer, 2, step, step + 1, 7);
    buffer.sample(minibatch, generator, 0.4);
    buffer.setPriorities(
      minibatch,
      minibatch.rewards.map(() => generator.normal()),
    );
    const { observations, nextObservations, rewards, discounts, weights } = minibatch;
    for (const values of [observations, nextObservations, rewards, discounts, weights]) seen.push(...values);
  }
  return seen;
}

for (const [kind, options] of Object.entries(kinds)) {
  test(`${kind}: after going back over the seam the same happens again`, () => {
    const buffer = new ReplayBuffer(toyDescription(), 2, options);
    const generator = new Generator(4);
    lived(buffer, 0, 33, generator);
    for (const later of [5, 70, 1500]) {
      buffer.mark();
      const state = generator.saveState();
      const before = buffer.save();
      const first = lived(buffer, 33, 33 + later, generator);
      buffer.rewind();
      generator.loadState(state);
      assert.deepEqual(buffer.save(), before);
      assert.deepEqual(lived(buffer, 33, 33 + later, generator), first);
      buffer.rewind();
      generator.loadState(state);
    }
  });

  test(`${kind}: a buffer that was loaded from a checkpoint's bytes goes on like the one that was saved`, () => {
    for (const steps of [0, 9, 33, 120]) {
      const buffer = new ReplayBuffer(toyDescription(), 2, options);
      const generator = new Generator(4);
      lived(buffer, 0, steps, generator);
      const { arrays, values } = buffer.save();
      const bytes = writeCheckpoint({
        identity: '',
        device: 'cpu',
        arrays: { parameters: new Float32Array(0), ...arrays },
        values,
        warnings: [],
      });
      const read = readCheckpoint(bytes);
      const loaded = new ReplayBuffer(toyDescription(), 2, options);
      loaded.load(read.arrays as AgentState['arrays'], read.values);
      const copied = new Generator(0);
      copied.loadState(generator.saveState());
      assert.equal(loaded.size, buffer.size);
      assert.deepEqual(lived(loaded, steps, steps + 60, copied), lived(buffer, steps, steps + 60, generator));
      assert.deepEqual(loaded.save(), buffer.save());
    }
  });
}

test('a million transitions of CartPole take less than 60 MB, prioritised, and no more however long it goes on', () => {
  const environments = new VectorEnvironment([new CartPole()], new Generator(1));
  const buffer = new ReplayBuffer(environments.description, 1, {
    capacity: 1_000_000,
    discount: 0.99,
    prioritised: { exponent: 0.6 },
  });
  buffer.mark();
  const actions = Int32Array.of(0);
  buffer.start(environments.observations, null);
  assert.ok(buffer.bytes < 100_000, `before it is filled: ${buffer.bytes}`);
  const results = environments.step();
  const fill = (steps: number): void => {
    for (let step = 0; step < steps; step++) {
      buffer.record(actions, results, environments);
      if (step % 1000 === 0) buffer.mark();
    }
  };
  fill(1_002_000);
  const { bytes } = buffer;
  assert.equal(buffer.size, 1_000_000);
  assert.ok(bytes < 60e6, String(bytes));
  fill(500_000);
  assert.equal(buffer.bytes, bytes);
});

test('a capacity below one step of all environments is refused', () => {
  assert.throws(() => new ReplayBuffer(toyDescription(), 4, { capacity: 3, discount: 1 }), {
    code: 'SPEC_INVALID',
    message: /replay of 3 transitions is too small for 4 environments/,
  });
});
