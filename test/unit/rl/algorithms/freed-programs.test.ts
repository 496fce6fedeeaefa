import assert from 'node:assert/strict';
import test from 'node:test';

import { createToy } from '../../../../src/rl/algorithm-check/toys.ts';
import type { AgentSetup, Algorithm } from '../../../../src/rl/algorithm.ts';
import { A3cModel, a3c } from '../../../../src/rl/algorithms/a3c.ts';
import { algorithms } from '../../../../src/rl/algorithms/index.ts';
import type { EnvironmentDescription } from '../../../../src/rl/environment.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import { quickHyperparameters } from '../../../contracts/quick-hyperparameters.ts';
import { countSessions } from './native-sessions.ts';

const sessions = countSessions();

/** How many sessions something opened, and how many of these are still open after it. */
async function sessionsOf(run: () => Promise<void>): Promise<{ opened: number; left: number }> {
  const before = { ...sessions };
  await run();
  const opened = sessions.opened - before.opened;
  return { opened, left: opened - (sessions.released - before.released) };
}

function setupOf({ actionSpaces, needsGraph }: Algorithm, changed: Partial<AgentSetup> = {}): AgentSetup {
  const { description } = createToy({ kind: actionSpaces[0], masks: false, graph: needsGraph });
  return {
    environment: description,
    environments: 2,
    generator: new Generator(1),
    device: 'cpu',
    recipe: { module: import.meta.url, factory: 'none', options: null },
    ...changed,
  };
}

const quickConfig = (algorithm: Algorithm): object => algorithm.configure(quickHyperparameters[algorithm.name], 2);

/** A generator with which no learner can be built. */
class NoGenerator extends Generator {
  override fork(): Generator {
    throw new Error('nothing is random');
  }
}

for (const algorithm of Object.values(algorithms)) {
  test(`${algorithm.name}: programs are released with the agent, and also when it cannot be built on them`, async () => {
    const good = await sessionsOf(async () => {
      const agent = await algorithm.createAgent(quickConfig(algorithm), setupOf(algorithm));
      await agent.dispose();
    });
    const bad = await sessionsOf(async () => {
      const setup = setupOf(algorithm, { generator: new NoGenerator(1) });
      await assert.rejects(algorithm.createAgent(quickConfig(algorithm), setup), /nothing is random/);
    });
    assert.equal(good.opened > 0, !['q-learning', 'sarsa'].includes(algorithm.name));
    assert.deepEqual(good, { opened: good.opened, left: 0 });
    assert.deepEqual(bad, good);
  });
}

for (const algorithm of [algorithms.sac, algorithms.td3, algorithms.ddpg, algorithms.ppo]) {
  test(`${algorithm.name}: an action without an upper bound is refused, and no program is left`, async () => {
    const { environment } = setupOf(algorithm);
    const unbounded: EnvironmentDescription = {
      ...environment,
      actionSpace: { kind: 'box', shape: [1], low: -1, high: Infinity },
    };
    // Other widths than above: equal programs share a session, also one that was left.
    const config = algorithm.configure({ hiddenSizes: [7] });
    const { left } = await sessionsOf(async () => {
      const setup = setupOf(algorithm, { environment: unbounded });
      await assert.rejects(algorithm.createAgent(config, setup), { code: 'ENVIRONMENT_INVALID' });
    });
    assert.equal(left, 0);
  });
}

test('a3c: without a recipe it is refused before anything is compiled', async () => {
  const { opened } = await sessionsOf(() =>
    assert.rejects(
      createTraining({
        algorithm: a3c,
        environments: [createToy({ kind: 'box', masks: false })],
        seed: 1,
        totalSteps: 20,
      }),
      { code: 'ENVIRONMENT_INVALID', message: /does not say how they can make the environment/ },
    ),
  );
  assert.equal(opened, 0);
});

for (const program of ['gradient', 'update'] as const) {
  test(`a3c: programs are released when ${program} cannot be compiled`, async (t) => {
    t.mock.method(A3cModel.prototype, program, () => {
      throw new Error('cannot be compiled');
    });
    const { opened, left } = await sessionsOf(() =>
      assert.rejects(a3c.createAgent(a3c.configure({ hiddenSizes: [8] }), setupOf(a3c)), /cannot be compiled/),
    );
    assert.ok(opened > 0);
    assert.equal(left, 0);
  });
}
