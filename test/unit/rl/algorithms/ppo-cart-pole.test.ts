import assert from 'node:assert/strict';
import test from 'node:test';

import { ppo } from '../../../../src/rl/algorithms/ppo.ts';
import { CartPole } from '../../../../src/rl/environments/cart-pole.ts';
import type { Policy } from '../../../../src/rl/policy.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import type { EvaluationReport } from '../../../../src/rl/training-loop.ts';

/** Mean return of 20 greedy episodes, side by side. */
async function greedyReturn(policy: Policy): Promise<number> {
  const environments = Array.from({ length: 20 }, () => new CartPole());
  const observations = new Float32Array(4 * environments.length);
  environments.forEach((environment, i) => observations.set(environment.reset(1000 + i).observation, 4 * i));
  const running = new Set(environments.keys());
  let rewards = 0;
  while (running.size > 0) {
    const actions = await policy.act(observations, null);
    for (const i of running) {
      const { observation, reward, terminated, truncated } = environments[i].step(actions.subarray(i, i + 1));
      observations.set(observation, 4 * i);
      rewards += reward;
      if (terminated || truncated) running.delete(i);
    }
  }
  return rewards / environments.length;
}

test('CartPole with the default hyperparameters reaches a mean return of 475 within 40 960 steps', async () => {
  const training = await createTraining({
    algorithm: ppo,
    environments: Array.from({ length: 8 }, () => new CartPole()),
    seed: 0,
    totalSteps: 40_960,
    evaluator: async (policy) => ({ score: await greedyReturn(policy) }),
    evaluationIntervalSteps: 10_240,
  });
  const evaluations: EvaluationReport[] = [];
  const outcome = await training.run({ onEvaluation: (report) => void evaluations.push(report) });
  assert.deepEqual(
    evaluations.map(({ step }) => step),
    [10_240, 20_480, 30_720, 40_960],
  );
  assert.ok(outcome.best!.score >= 475, `scores: ${evaluations.map(({ score }) => score).join(', ')}`);
  const policy = await training.policy('best');
  assert.equal(await greedyReturn(policy), outcome.best!.score);
  await Promise.all([policy.dispose(), training.dispose()]);
});
