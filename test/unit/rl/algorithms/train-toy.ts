import { createToy } from '../../../../src/rl/algorithm-check/toys.ts';
import type { ToyOptions } from '../../../../src/rl/algorithm-check/toys.ts';
import type { Algorithm } from '../../../../src/rl/algorithm.ts';
import { episodeReturns } from '../../../../src/rl/evaluation/episode-returns.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';

/** Trains in the toy of contexts, whose episodes have five steps with rewards of at most 1. @returns the greedy mean reward. */
export async function greedyRewardInToy(
  algorithm: Algorithm,
  hyperparameters: object,
  toy: ToyOptions,
  totalSteps: number,
): Promise<number> {
  const training = await createTraining({
    algorithm,
    hyperparameters,
    environments: [createToy(toy), createToy(toy)],
    seed: 3,
    totalSteps,
  });
  await training.run();
  const policy = await training.policy();
  const returns = await episodeReturns(policy, () => createToy(toy), { episodes: 40, seed: 5 });
  await Promise.all([policy.dispose(), training.dispose()]);
  return returns.reduce((sum, value) => sum + value, 0) / (5 * returns.length);
}
