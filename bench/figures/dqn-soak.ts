import { dqn } from '../../src/rl/algorithms/dqn.ts';
import { CartPole } from '../../src/rl/environments/cart-pole.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Figure } from '../figure.ts';

const minutes = 10;
/** By then the replay is full and the runtime has compiled what is hot. */
const settledMinutes = 2;

/**
 * How much the memory of the process grows from the second to the tenth minute of a training of DQN, prioritised, whose
 * replay is soon full: the difference of the means of a minute, in megabytes. Positive and negative figures of some
 * megabytes are the garbage collector's mood.
 */
export const dqnSoak: Figure = {
  name: 'dqn_soak_growth_mb',
  unit: 'MB',
  async measure() {
    const training = await createTraining({
      algorithm: dqn,
      hyperparameters: { replayCapacity: 50_000, prioritisedReplay: true },
      environments: [new CartPole()],
      seed: 1,
      totalSteps: Number.MAX_SAFE_INTEGER,
    });
    const stop = new AbortController();
    const started = performance.now();
    const byMinute = Array.from({ length: minutes }, () => ({ sum: 0, count: 0 }));
    await training.run({
      signal: stop.signal,
      onUpdate() {
        const minute = byMinute[Math.floor((performance.now() - started) / 60_000)];
        if (!minute) stop.abort();
        else {
          minute.sum += process.memoryUsage.rss() / 1e6;
          minute.count++;
        }
      },
    });
    const step = training.step;
    await training.dispose();
    const means = byMinute.map(({ sum, count }) => sum / count);
    process.stderr.write(`${step} steps; megabytes by minute: ${means.map((mean) => mean.toFixed(1)).join(', ')}\n`);
    return [means[minutes - 1] - means[settledMinutes - 1]];
  },
};
