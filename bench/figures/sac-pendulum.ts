import { sac } from '../../src/rl/algorithms/sac.ts';
import { Pendulum } from '../../src/rl/environments/pendulum.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Figure } from '../figure.ts';

/**
 * Environment steps per second of SAC with its default hyperparameters (256 × 256, batches of 256, an update a step),
 * acting and learning together. A training of 2 000 steps, long enough for units to die: their moments must not slow it.
 */
export const sacPendulum: Figure = {
  name: 'sac_pendulum_steps_per_second',
  unit: 'steps/s',
  async measure() {
    const training = await createTraining({
      algorithm: sac,
      environments: [new Pendulum()],
      seed: 1,
      totalSteps: 2000,
      // Checkpoints are not what is measured.
      checkpointIntervalSteps: 2000,
    });
    const speeds: number[] = [];
    await training.run({ onUpdate: ({ metrics }) => void speeds.push(metrics.stepsPerSecond) });
    await training.dispose();
    return speeds.slice(5);
  },
};
