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
