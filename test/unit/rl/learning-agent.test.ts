import assert from 'node:assert/strict';
import test from 'node:test';

import { defineAlgorithm } from '../../../src/rl/algorithm.ts';
import type { Algorithm } from '../../../src/rl/algorithm.ts';
import { createToy } from '../../../src/rl/algorithm-check/toys.ts';
import { readCheckpoint } from '../../../src/rl/checkpoint.ts';
import type { Learner } from '../../../src/rl/learner.ts';
import { createTraining } from '../../../src/rl/training-loop.ts';
import type { UpdateReport } from '../../../src/rl/training-loop.ts';

/** An algorithm that counts: its only weight is the number of times it learned. Parts of it can be replaced. */
function counting(parts: Partial<Learner> = {}): Algorithm {
  return defineAlgorithm({
    name: 'counting',
    summary: 'Counts.',
    actionSpaces: ['discrete'],
    masks: false,
    hyperparameters: {},
    create(_config, { environment }, { tf, ParameterLayout, actionLayoutOf }) {
      let count = 0;
      const actions = actionLayoutOf(environment);
      return {
        policy: {
          kind: 'categorical',
          observationSize: 3,
          layout: new ParameterLayout({ weights: [1] }),
          actions,
          outputs: ({ weights }, { observation }) => ({ logits: tf.mul(observation, weights) }),
        },
        learnIntervalSteps: 4,
        act: (environments) => void environments.actions.fill(1),
        record: () => {},
        learn: () => ({ count: ++count }),
        weights: () => ({ parameters: Float32Array.of(count), normalisation: null }),
        save: () => ({ arrays: { parameters: Float32Array.of(count) }, values: null }),
        load: ({ arrays }) => void (count = arrays.parameters[0]),
        ...parts,
      };
    },
  });
}

const run = async (algorithm: Algorithm, totalSteps = 8): Promise<UpdateReport[]> => {
  const environments = [createToy({ kind: 'discrete', masks: false }), createToy({ kind: 'discrete', masks: false })];
  const training = await createTraining({ algorithm, environments, seed: 1, totalSteps });
  const reports: UpdateReport[] = [];
  await training.run({ onUpdate: (report) => void reports.push(report) });
  return reports;
};

test('rounds are grouped into iterations, whose figures are means', async () => {
  const reports = await run(counting({ reportIntervalSteps: 10 }), 24);
  assert.deepEqual(
    reports.map(({ step, metrics }) => [step, metrics.learning.count]),
    [
      [12, 2],
      [24, 5],
    ],
  );
});

test('a learner that gathers first returns null and reports no figures', async () => {
  const [{ metrics }] = await run(counting({ learn: () => null }), 4);
  assert.deepEqual(metrics.learning, {});
  assert.ok(Number.isFinite(metrics.rewardMean));
});

test('acting sees the steps done and the share still to come at the start of the round', async () => {
  const seen: number[][] = [];
  await run(
    counting({
      act(environments, { step, remaining }) {
        environments.actions.fill(0);
        seen.push([step, remaining]);
      },
    }),
  );
  assert.deepEqual(seen, [
    [0, 1],
    [2, 1],
    [4, 0.5],
    [6, 0.5],
  ]);
});

const fail = (): never => {
  throw new TypeError('x is undefined');
};
const violations: Readonly<Record<string, readonly [Partial<Learner>, string, RegExp]>> = {
  'act throws': [{ act: fail }, 'ALGORITHM_INVALID', /counting: act threw: x is undefined/],
  'act rejects': [{ act: async () => fail() }, 'ALGORITHM_INVALID', /counting: act threw: x is undefined/],
  'record throws': [{ record: fail }, 'ALGORITHM_INVALID', /counting: record threw: x is undefined/],
  'learn throws': [{ learn: fail }, 'ALGORITHM_INVALID', /counting: learn threw: x is undefined/],
  'a figure is not finite': [{ learn: () => ({ loss: NaN }) }, 'TRAINING_DIVERGED', /counting diverged: loss is NaN/],
  'an action is out of range': [
    { act: (environments) => void environments.actions.fill(3) },
    'ALGORITHM_INVALID',
    /counting: element 0 of the action for environment 0 is 3/,
  ],
  'a round does not fit the environments': [{ learnIntervalSteps: 3 }, 'ALGORITHM_INVALID', /learnIntervalSteps is 3/],
  'rewind is missing': [{ mark: () => {} }, 'ALGORITHM_INVALID', /mark and rewind must be both there/],
  'reports would never come': [{ reportIntervalSteps: 0 }, 'ALGORITHM_INVALID', /reportIntervalSteps is 0/],
  'the report interval is no number': [
    { reportIntervalSteps: NaN },
    'ALGORITHM_INVALID',
    /counting: reportIntervalSteps is NaN/,
  ],
  'a call is missing': [{ save: undefined }, 'ALGORITHM_INVALID', /counting: save must be a function/],
  'the policy is missing': [{ policy: undefined }, 'ALGORITHM_INVALID', /counting: policy must have a kind/],
  'a figure is no number': [
    { learn: () => ({ loss: undefined as unknown as number }) },
    'ALGORITHM_INVALID',
    /counting: learn must give numbers, and loss is undefined/,
  ],
  'learn gives no figures by name': [
    { learn: () => 5 as unknown as null },
    'ALGORITHM_INVALID',
    /counting: learn must give figures by name/,
  ],
  'save throws': [{ save: fail }, 'ALGORITHM_INVALID', /counting: save threw: x is undefined/],
  'save gives nothing': [
    { save: () => undefined as never },
    'ALGORITHM_INVALID',
    /counting: save\(\) must give all weights/,
  ],
  'save gives an array that no checkpoint holds': [
    { save: () => ({ arrays: { parameters: new Float32Array(1), order: new Uint32Array(2) as never }, values: null }) },
    'ALGORITHM_INVALID',
    /counting: save\(\) gives order among its arrays/,
  ],
  'load throws on the way back': [
    { load: fail, learn: () => ({ loss: NaN }) },
    'ALGORITHM_INVALID',
    /counting: load threw: x is undefined/,
  ],
};
for (const [name, [parts, code, message]] of Object.entries(violations)) {
  test(`${name}: an error names the algorithm, the call and the rule`, async () => {
    await assert.rejects(run(counting(parts)), { code, message });
  });
}

for (const [name, create, message] of [
  ['throws', fail, /counting: create threw: x is undefined/],
  ['gives nothing', () => undefined as never, /counting: create must give a learner/],
] as const) {
  test(`a create that ${name} is an error that names the algorithm`, async () => {
    const { name: title, ...definition } = counting();
    await assert.rejects(run(defineAlgorithm({ ...definition, name: title, create })), {
      code: 'ALGORITHM_INVALID',
      message,
    });
  });
}

test('a learner that is refused is disposed of', async () => {
  let disposed = 0;
  const dispose = async (): Promise<void> => void disposed++;
  await assert.rejects(run(counting({ learnIntervalSteps: 3, dispose })), { code: 'ALGORITHM_INVALID' });
  assert.equal(disposed, 1);
});

test('a training whose algorithm waits for nothing still hears its signal', async () => {
  const training = await createTraining({
    algorithm: counting(),
    environments: [createToy({ kind: 'discrete', masks: false })],
    seed: 1,
    totalSteps: 4_000_000,
  });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 1);
  assert.equal((await training.run({ signal: stop.signal })).status, 'cancelled');
});

test('weights of another size than the policy has are refused', async () => {
  const algorithm = counting({ weights: () => ({ parameters: new Float32Array(2), normalisation: null }) });
  const training = await createTraining({
    algorithm,
    environments: [createToy({ kind: 'discrete', masks: false })],
    seed: 1,
    totalSteps: 4,
  });
  await assert.rejects(training.policy(), {
    code: 'ALGORITHM_INVALID',
    message: /Float32Array of 1 parameters/,
  });
});

test('after an algorithm threw, the training still holds the state of its last boundary', async () => {
  let learned = 0;
  const state = { count: 0 };
  const algorithm = counting({
    learn() {
      if (++learned > 2) return fail();
      return { count: ++state.count };
    },
    save: () => ({ arrays: { parameters: Float32Array.of(state.count) }, values: null }),
    load: ({ arrays }) => void (state.count = arrays.parameters[0]),
  });
  const training = await createTraining({
    algorithm,
    environments: [createToy({ kind: 'discrete', masks: false })],
    seed: 1,
    totalSteps: 40,
  });
  await assert.rejects(training.run(), { code: 'ALGORITHM_INVALID' });
  assert.equal(training.step, 8);
  assert.deepEqual([...readCheckpoint(training.checkpoint()).parameters], [2]);
});
