import assert from 'node:assert/strict';
import test from 'node:test';

import { createToy } from '../../../../src/rl/algorithm-check/toys.ts';
import { ddpg } from '../../../../src/rl/algorithms/ddpg.ts';
import { dqn } from '../../../../src/rl/algorithms/dqn.ts';
import { sacDiscrete } from '../../../../src/rl/algorithms/sac-discrete.ts';
import { sac } from '../../../../src/rl/algorithms/sac.ts';
import { td3 } from '../../../../src/rl/algorithms/td3.ts';
import { readCheckpoint } from '../../../../src/rl/checkpoint.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';

for (const algorithm of [dqn, sac, sacDiscrete, td3, ddpg]) {
  test(`${algorithm.name}: a replay that does not hold a step of all environments is refused with the configuration`, () => {
    assert.throws(() => algorithm.configure({ replayCapacity: 3 }, 4), {
      code: 'SPEC_INVALID',
      message: 'replayCapacity: found 3; allowed: from the number of environments (4) up.',
    });
    assert.equal(algorithm.configure({ replayCapacity: 4 }, 4).replayCapacity, 4);
  });
}

for (const algorithm of [dqn, sac, sacDiscrete, td3, ddpg]) {
  test(`${algorithm.name}: the first update comes with the step after learningStarts, not with the last of them`, async () => {
    const training = await createTraining({
      algorithm,
      hyperparameters: { hiddenSizes: [4], batchSize: 4, trainFrequency: 1, learningStarts: 997 },
      environments: [createToy({ kind: algorithm.actionSpaces[0], masks: false })],
      seed: 1,
      totalSteps: 1000,
    });
    await training.run();
    const { agent } = readCheckpoint(training.checkpoint()).values as { agent: { updates: number } };
    await training.dispose();
    assert.equal(agent.updates, 3);
  });
}
