import { graphPpo } from '../../src/rl/algorithms/graph-ppo.ts';
import { createServiceGraph } from '../../src/rl/environments/service-graph/service-graph.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Figure } from '../figure.ts';

const environments = 8;

/** Environment steps per second of graph PPO on the dynamic graph, ten epochs, acting and learning together. */
export const graphPpoServiceGraph: Figure = {
  name: 'graph_ppo_steps_per_second',
  unit: 'steps/s',
  async measure() {
    const training = await createTraining({
      algorithm: graphPpo,
      environments: Array.from({ length: environments }, () => createServiceGraph()),
      seed: 1,
      totalSteps: 2048 * 5,
    });
    const speeds: number[] = [];
    await training.run({ onUpdate: ({ metrics }) => void speeds.push(metrics.stepsPerSecond) });
    await training.dispose();
    return speeds.slice(1);
  },
};
