import { ppo } from '../../src/rl/algorithms/ppo.ts';
import { onlineBoutique } from '../../src/rl/environments/online-boutique/kind.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Figure } from '../figure.ts';

const environments = 8;

/** Environment steps per second of PPO on Online Boutique as the bundled pipeline trains it, acting and learning together. */
export const ppoBoutique: Figure = {
  name: 'ppo_boutique_steps_per_second',
  unit: 'steps/s',
  async measure() {
    const training = await createTraining({
      algorithm: ppo,
      hyperparameters: { minibatchSize: 256, normaliseObservations: true, scaleRewards: true },
      environments: Array.from({ length: environments }, () =>
        onlineBoutique.create({ actionBase: 'hpa', maxChange: 3 }),
      ),
      seed: 1,
      totalSteps: 2048 * 20,
    });
    const speeds: number[] = [];
    await training.run({ onUpdate: ({ metrics }) => void speeds.push(metrics.stepsPerSecond) });
    await training.dispose();
    return speeds.slice(5);
  },
};
