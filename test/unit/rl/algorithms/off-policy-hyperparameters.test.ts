import assert from 'node:assert/strict';
import test from 'node:test';

import { ddpg } from '../../../../src/rl/algorithms/ddpg.ts';
import { dqn } from '../../../../src/rl/algorithms/dqn.ts';
import { sacDiscrete } from '../../../../src/rl/algorithms/sac-discrete.ts';
import { sac } from '../../../../src/rl/algorithms/sac.ts';
import { td3 } from '../../../../src/rl/algorithms/td3.ts';

for (const algorithm of [dqn, sac, sacDiscrete, td3, ddpg]) {
  test(`${algorithm.name}: a replay that does not hold a step of all environments is refused with the configuration`, () => {
    assert.throws(() => algorithm.configure({ replayCapacity: 3 }, 4), {
      code: 'SPEC_INVALID',
      message: 'replayCapacity: found 3; allowed: from the number of environments (4) up.',
    });
    assert.equal(algorithm.configure({ replayCapacity: 4 }, 4).replayCapacity, 4);
  });
}
