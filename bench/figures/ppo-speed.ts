import { ppo } from '../../src/rl/algorithms/ppo.ts';
import type { Environment } from '../../src/rl/environment.ts';
import { CartPole } from '../../src/rl/environments/cart-pole.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Figure } from '../figure.ts';
import { MaskedChoices } from './masked-choices.ts';

/** Environment steps per second of PPO with its default hyperparameters, acting and learning together. */
function ppoSpeed(name: string, create: () => Environment, environments: number): Figure {
  return {
    name: `${name}_steps_per_second_${environments}env`,
    unit: 'steps/s',
    async measure() {
      const training = await createTraining({
        algorithm: ppo,
        environments: Array.from({ length: environments }, create),
        seed: 1,
        totalSteps: 2048 * 25,
      });
      const speeds: number[] = [];
      await training.run({ onUpdate: ({ metrics }) => void speeds.push(metrics.stepsPerSecond) });
      await training.dispose();
      return speeds.slice(5);
    },
  };
}

/** CartPole, and two masked heads with 300 observations, in one environment and in eight. */
export const ppoSpeeds: readonly Figure[] = [1, 8].flatMap((environments) => [
  ppoSpeed('ppo_cartpole', () => new CartPole(), environments),
  ppoSpeed('masked_ppo', () => new MaskedChoices(), environments),
]);

/** Seconds for the 20 480 steps of CartPole after which return_ppo_cartpole_20480_steps is measured. */
export const ppoCartPoleSeconds: Figure = {
  name: 'ppo_cartpole_seconds_for_20480_steps',
  unit: 's',
  async measure() {
    const seconds: number[] = [];
    for (const seed of [1, 2, 3, 4, 5]) {
      const environments = Array.from({ length: 8 }, () => new CartPole());
      const training = await createTraining({ algorithm: ppo, environments, seed, totalSteps: 20_480 });
      const start = performance.now();
      await training.run();
      seconds.push((performance.now() - start) / 1000);
      await training.dispose();
    }
    return seconds;
  },
};
