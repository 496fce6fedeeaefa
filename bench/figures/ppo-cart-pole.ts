import { ppo } from '../../src/rl/algorithms/ppo.ts';
import { CartPole } from '../../src/rl/environments/cart-pole.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Figure } from '../figure.ts';

const environments = 8;

/** Environment steps per second of PPO with its default hyperparameters, acting and learning together. */
export const ppoCartPole: Figure = {
  name: 'ppo_cartpole_steps_per_second',
  unit: 'steps/s',
  async measure() {
    const training = await createTraining({
      algorithm: ppo,
      environments: Array.from({ length: environments }, () => new CartPole()),
      seed: 1,
      totalSteps: 2048 * 25,
    });
    const speeds: number[] = [];
    await training.run({ onUpdate: ({ metrics }) => void speeds.push(metrics.stepsPerSecond) });
    await training.dispose();
    return speeds.slice(5);
  },
};
