import { ppo } from '../../src/rl/algorithms/ppo.ts';
import { CartPole } from '../../src/rl/environments/cart-pole.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import { millisecondsEach } from '../figure.ts';
import type { Figure } from '../figure.ts';

/** Microseconds of one call of an exported 64 × 64 policy, from JavaScript and back. */
function policyForward(batch: number): Figure {
  return {
    name: `policy_forward_us_b${batch}`,
    unit: 'us',
    async measure() {
      const training = await createTraining({
        algorithm: ppo,
        environments: [new CartPole()],
        seed: 1,
        totalSteps: 2048,
      });
      const policy = await training.policy();
      const observations = new Float32Array(4 * batch).fill(0.01);
      const calls = await millisecondsEach(5000, 1000, () => policy.act(observations, null));
      await Promise.all([policy.dispose(), training.dispose()]);
      return calls.map((milliseconds) => 1000 * milliseconds);
    },
  };
}

export const policyForwardB1 = policyForward(1);
export const policyForwardB64 = policyForward(64);
