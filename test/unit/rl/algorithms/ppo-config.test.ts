import assert from 'node:assert/strict';
import test from 'node:test';

import { ppo } from '../../../../src/rl/algorithms/ppo.ts';

test('nothing given means the defaults that stable-baselines3 has', () => {
  const { rolloutSteps, minibatchSize, epochs, learningRate, discount, gaeLambda, clipRange } = ppo.configure();
  assert.deepEqual([rolloutSteps, minibatchSize, epochs, learningRate], [2048, 64, 10, 3e-4]);
  assert.deepEqual([discount, gaeLambda, clipRange], [0.99, 0.95, 0.2]);
});

test('given values replace defaults, also with null', () => {
  const config = ppo.configure({ hiddenSizes: [32], targetKl: 0.02, learningRateSchedule: 'linear' });
  assert.deepEqual([config.hiddenSizes, config.targetKl, config.learningRateSchedule], [[32], 0.02, 'linear']);
  assert.equal(ppo.configure({ valueClipRange: null }).valueClipRange, null);
});

test('an unknown hyperparameter is refused with the nearest valid one', () => {
  assert.throws(() => ppo.configure({ learning_rate: 1e-3 }), {
    code: 'SPEC_INVALID',
    message: /learning_rate is unknown; nearest valid name: learningRate$/,
  });
  assert.throws(() => ppo.configure({ zzzzzzzzzzzz: 1 }), /zzzzzzzzzzzz is unknown; allowed: hiddenSizes, /);
});

test('every value that is not allowed is listed with what is', () => {
  const wrong = { epochs: 2.5, discount: 1.01, hiddenSizes: [], activation: 'sine', learningRate: 0, scaleRewards: 1 };
  assert.throws(
    () => ppo.configure(wrong),
    (error: Error) => {
      assert.match(error.message, /epochs: found 2.5; allowed: a whole number from 1 to 1000/);
      assert.match(error.message, /discount: found 1.01; allowed: a number from 0 to 1/);
      assert.match(error.message, /hiddenSizes: found \[\]; allowed: a list of 1 to 8 entries/);
      assert.match(error.message, /activation: found "sine"; allowed: one of tanh, relu/);
      assert.match(error.message, /learningRate: found 0; allowed: a number above 0 to 1/);
      assert.match(error.message, /scaleRewards: found 1; allowed: true or false/);
      return true;
    },
  );
});

for (const value of [null, [], 'fast', 3]) {
  test(`${JSON.stringify(value)} is no configuration`, () => {
    assert.throws(() => ppo.configure(value), { code: 'SPEC_INVALID', message: /allowed: an object/ });
  });
}
