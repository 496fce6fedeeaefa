import { dqn } from '../../src/rl/algorithms/dqn.ts';
import { CartPole } from '../../src/rl/environments/cart-pole.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Figure } from '../figure.ts';

/**
 * Environment steps per second of DQN with its default hyperparameters in one environment, acting and learning together;
 * measured after exploration has fallen, when nearly every action needs the network.
 */
export const dqnCartPole: Figure = {
  name: 'dqn_cartpole_steps_per_second',
  unit: 'steps/s',
  async measure() {
    const training = await createTraining({
      algorithm: dqn,
      environments: [new CartPole()],
      seed: 1,
      totalSteps: 60_000,
    });
    const speeds: number[] = [];
    await training.run({ onUpdate: ({ metrics }) => void speeds.push(metrics.stepsPerSecond) });
    await training.dispose();
    return speeds.slice(10);
  },
};
