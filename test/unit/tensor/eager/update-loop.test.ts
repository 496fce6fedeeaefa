import assert from 'node:assert/strict';
import test from 'node:test';

import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

import type { DeviceName } from '../../../../src/tensor/device.ts';
import { compileUpdateLoop } from '../../../../src/tensor/update-loop.ts';
import type { UpdateLoopInputs, UpdateLoopResults, UpdateLoopSpec } from '../../../../src/tensor/update-loop.ts';
import { assertClose } from '../compare.ts';
import { ppoInputs, ppoLoop } from '../representative.ts';

async function runOn(
  device: DeviceName,
  spec: UpdateLoopSpec,
  inputs: UpdateLoopInputs = ppoInputs,
): Promise<UpdateLoopResults> {
  const loop = await compileUpdateLoop(spec, device);
  try {
    return await loop.run(inputs);
  } finally {
    await loop.dispose();
  }
}

function assertSame(actual: UpdateLoopResults, expected: UpdateLoopResults, tolerance: number): void {
  for (const role of ['state', 'outputs'] as const) {
    assert.deepEqual(Object.keys(actual[role]), Object.keys(expected[role]));
    for (const [name, values] of Object.entries(expected[role])) {
      assert.equal(actual[role][name].constructor, values.constructor, name);
      assertClose(actual[role][name], values, tolerance, `${role}.${name}`);
    }
  }
}

for (const device of ['tfjs:wasm', 'tfjs:cpu'] as const) {
  test(`six updates of a policy on ${device} give the compiled loop's weights, moments and figures`, async () => {
    const compiled = await runOn('cpu', ppoLoop(null));
    assertSame(await runOn(device, ppoLoop(null)), compiled, 2e-5);
    assert.equal(compiled.outputs.loss.length, 6);
    const moved = compiled.state.parameters.some((value, i) => Math.abs(value - ppoInputs.state.parameters[i]) > 0.01);
    assert.ok(moved, 'the updates change the weights by far more than the tolerance');
  });
}

test('a loop that goes on no longer stops at the same iteration in both engines', async () => {
  const all = await runOn('cpu', ppoLoop(null));
  const target = (all.outputs.approxKl[1] + Math.max(...all.outputs.approxKl.slice(2))) / 2;
  const [compiled, eager] = [await runOn('cpu', ppoLoop(target)), await runOn('tfjs', ppoLoop(target))];
  assertSame(eager, compiled, 2e-5);
  assert.ok(compiled.outputs.loss.length < 6, 'it stops early');
  assert.ok(compiled.outputs.loss.length > 1, 'but not at once');
  assert.equal(eager.state.made[0], eager.outputs.loss.length);
});

test('an update with another step size is told apart', async () => {
  const schedule = { ...ppoInputs.schedule, stepSize: ppoInputs.schedule!.stepSize.map((size) => 1.01 * size) };
  const [compiled, eager] = [
    await runOn('cpu', ppoLoop(null)),
    await runOn('tfjs', ppoLoop(null), { ...ppoInputs, schedule }),
  ];
  assert.throws(() => assertSame(eager, compiled, 2e-5), assert.AssertionError);
});

/** Counts, collects samples of several types and keeps a part of the state as it is. */
const mixed: UpdateLoopSpec = {
  state: { count: { shape: [2], type: 'int32' }, fixed: { shape: [3] }, seen: { shape: [], type: 'bool' } },
  samples: { whole: { shape: [2], type: 'int32' }, truth: { shape: [], type: 'bool' } },
  picks: { weight: { shape: [2] } },
  schedule: { row: { shape: [2], type: 'int32' } },
  iteration: ({ state, batch, schedule }) => ({
    state: {
      count: tf.add(state.count, tf.sum(batch.whole, 0)),
      fixed: state.fixed,
      seen: tf.logicalOr(state.seen, tf.any(batch.truth)),
    },
    outputs: { last: tf.slice(batch.whole, [0, 0], [1, 2]), row: schedule.row, weight: tf.sum(batch.weight, 0) },
  }),
};
const mixedInputs: UpdateLoopInputs = {
  state: { count: Int32Array.of(100, 0), fixed: Float32Array.of(1, 2, 3), seen: Uint8Array.of(0) },
  samples: { whole: Int32Array.of(1, 2, 3, 4, 5, 6), truth: Uint8Array.of(0, 1, 0) },
  picks: { weight: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
  schedule: { row: Int32Array.of(7, 8, 9, 10) },
  order: Int32Array.of(2, 0, 0, 1),
  batchSizes: [2, 2],
};

test('state, samples, picks and schedules of every type reach the same iteration in both engines', async () => {
  const eager = await runOn('tfjs', mixed, mixedInputs);
  assert.deepEqual(eager, await runOn('cpu', mixed, mixedInputs));
  assert.deepEqual(eager, {
    state: { count: Int32Array.of(110, 14), fixed: Float32Array.of(1, 2, 3), seen: Uint8Array.of(1) },
    outputs: {
      last: Int32Array.of(5, 6, 1, 2),
      row: Int32Array.of(7, 8, 9, 10),
      weight: Float32Array.of(4, 6, 12, 14),
    },
  });
});

test('no iterations leave the state and give empty outputs in both engines', async () => {
  const none = {
    ...mixedInputs,
    picks: { weight: new Float32Array(0) },
    schedule: { row: new Int32Array(0) },
    order: new Int32Array(0),
    batchSizes: [],
  };
  const eager = await runOn('tfjs', mixed, none);
  assert.deepEqual(eager.state, mixedInputs.state);
  assert.deepEqual(eager, await runOn('cpu', mixed, none));
});

for (const device of ['cpu', 'tfjs'] as const) {
  test(`on ${device} a loop runs synchronously into given arrays for the new state`, async () => {
    const loop = await compileUpdateLoop(mixed, device);
    const count = new Int32Array(2);
    const { state } = loop.runSync(mixedInputs, { count });
    assert.equal(state.count, count);
    assert.deepEqual(count, Int32Array.of(110, 14));
    assert.deepEqual(mixedInputs.state.count, Int32Array.of(100, 0), 'the initial state is only read');
    await loop.dispose();
  });

  test(`on ${device} picks that do not add up or do not exist are refused`, async () => {
    const loop = await compileUpdateLoop(mixed, device);
    const refused = (change: Partial<UpdateLoopInputs>, message: RegExp): void => {
      assert.throws(() => loop.runSync({ ...mixedInputs, ...change }), message);
    };
    refused({ batchSizes: [2, 1] }, /take all of the order's 4 picks; their sizes are 2, 1/);
    refused({ batchSizes: [5, -1] }, /their sizes are 5, -1/);
    refused({ order: Int32Array.of(0, 1, 2, 3) }, /picks sample 3 of 3/);
    refused({ order: Int32Array.of(0, 1, -1, 2) }, /picks sample -1 of 3/);
    refused({ picks: { weight: new Float32Array(6) } }, /disagree on picks: 3 in picks\.weight, 4 in order/);
    refused({ schedule: { row: new Int32Array(2) } }, /disagree on iterations: 1 in schedules\.row, 2 in starts/);
    refused({ samples: { ...mixedInputs.samples, truth: new Uint8Array(2) } }, /disagree on samples/);
    await loop.dispose();
    assert.throws(() => loop.runSync(mixedInputs), /disposed of/);
  });

  test(`on ${device} an iteration that leaves out a part of the state is refused with the names`, async () => {
    const forgetful = {
      ...mixed,
      iteration: (inputs: Parameters<typeof mixed.iteration>[0]) => {
        const { state, outputs } = mixed.iteration(inputs);
        return { state: { count: state.count, fixed: state.fixed }, outputs };
      },
    };
    await assert.rejects(
      runOn(device, forgetful, mixedInputs),
      /An update must give the state count, fixed, seen; it gave count, fixed\./,
    );
  });
}

test('phases leave no tensor behind, also when they fail', async () => {
  const loop = await compileUpdateLoop(ppoLoop(1e-3), 'tfjs');
  let left = 3;
  const failing = await compileUpdateLoop(
    {
      ...ppoLoop(null),
      iteration: (inputs) => {
        if (left-- === 0) throw new Error('from the iteration');
        return ppoLoop(null).iteration(inputs);
      },
    },
    'tfjs',
  );
  loop.runSync(ppoInputs);
  const before = tf.memory();
  for (let round = 0; round < 10; round++) {
    loop.runSync(ppoInputs);
    left = round % 4;
    assert.throws(() => failing.runSync(ppoInputs), /from the iteration/);
  }
  assert.equal(tf.memory().numTensors, before.numTensors);
  assert.equal(tf.memory().numBytes, before.numBytes);
  await Promise.all([loop.dispose(), failing.dispose()]);
});
