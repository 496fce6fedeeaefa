import assert from 'node:assert/strict';
import { test } from 'node:test';

import { a3c } from '../../../../src/rl/algorithms/a3c.ts';
import { createEnvironment, environmentRecipe } from '../../../../src/rl/environments/environment-recipe.ts';
import { environments } from '../../../../src/rl/environments/index.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';

test('every environment is made by its name, with its parameters', () => {
  for (const name of Object.keys(environments)) assert.equal(createEnvironment({ name }).description.name, name);
  const short = createEnvironment({ name: 'online-boutique', parameters: { episodeSteps: 7 } });
  assert.equal(short.description.maxEpisodeSteps, 7);
});

test('an unknown name is refused with the nearest', () => {
  assert.throws(() => createEnvironment({ name: 'cartpole' }), {
    code: 'ENVIRONMENT_INVALID',
    message: /environment: found "cartpole"; nearest: cart-pole; allowed: /,
  });
});

test('an actor process makes an environment of ours from its recipe', async () => {
  const environment = { name: 'cart-pole' };
  const training = await createTraining({
    algorithm: a3c,
    hyperparameters: { hiddenSizes: [8], stepsPerUpdate: 64 },
    environments: [createEnvironment(environment)],
    recipe: environmentRecipe(environment),
    seed: 1,
    totalSteps: 64,
  });
  try {
    await training.run();
    assert.ok(training.step >= 64 && training.episodes > 0);
  } finally {
    await training.dispose();
  }
});
