import type { Algorithm } from '../../src/rl/algorithm.ts';
import { graphPpo } from '../../src/rl/algorithms/graph-ppo.ts';
import { ppo } from '../../src/rl/algorithms/ppo.ts';
import { defaultHpaSettings } from '../../src/rl/baselines/hpa-settings.ts';
import { Hpa } from '../../src/rl/baselines/hpa.ts';
import { createServiceGraph } from '../../src/rl/environments/service-graph/service-graph.ts';
import type { ServiceGraph } from '../../src/rl/environments/service-graph/service-graph.ts';
import { episodeReturns } from '../../src/rl/evaluation/episode-returns.ts';
import { Generator } from '../../src/rl/random.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Figure } from '../figure.ts';

const seeds = [1, 2, 3];
const environments = 8;
const steps = 131_072;
const episodes = 20;
const evaluationSeed = 1_000_003;

/** At most two replicas more or fewer a step: what an untrained policy does then is no disaster. */
const create = (): ServiceGraph => createServiceGraph({ maxChange: 2 });

/** The same for both algorithms. */
const hyperparameters = {
  learningRate: 1e-3,
  learningRateSchedule: 'linear',
  discount: 0.95,
  minibatchSize: 128,
  epochs: 8,
  targetKl: 0.05,
  normaliseObservations: true,
  scaleRewards: true,
};

/** Mean return of greedy episodes of a policy, after training it on the dynamic graph; one number a seed. */
function trained(algorithm: Algorithm): Figure {
  return {
    name: `return_${algorithm.name.replaceAll('-', '_')}_service_graph`,
    unit: 'reward',
    async measure() {
      const means: number[] = [];
      for (const seed of seeds) {
        const training = await createTraining({
          algorithm,
          hyperparameters,
          environments: Array.from({ length: environments }, create),
          seed,
          totalSteps: steps,
        });
        await training.run();
        const policy = await training.policy('latest');
        means.push(mean(await episodeReturns(policy, create, { episodes, seed: evaluationSeed })));
        await Promise.all([policy.dispose(), training.dispose()]);
      }
      return means;
    },
  };
}

/** Return of one episode of an HPA on every service. */
function hpaReturn(targetPercent: number, seed: number): number {
  const environment = create();
  const hpa = new Hpa(defaultHpaSettings(targetPercent));
  const desired = new Int32Array(environment.view.services.length);
  environment.reset(seed);
  hpa.reset();
  let sum = 0;
  for (let over = false; !over;) {
    hpa.decide(environment.view, desired);
    const { reward, terminated, truncated } = environment.stepReplicas(desired);
    sum += reward;
    over = terminated || truncated;
  }
  return sum;
}

/** The same episodes under HPAs with targets of 20, 40, 60 and 80 %; one number a target. */
const hpa: Figure = {
  name: 'return_hpa_service_graph',
  unit: 'reward',
  measure: async () =>
    [20, 40, 60, 80].map((target) => {
      const generator = new Generator(evaluationSeed);
      return mean(Array.from({ length: episodes }, () => hpaReturn(target, generator.uint32())));
    }),
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What graph PPO makes of the dynamic graph, beside PPO on the same observations as a plain vector, and HPAs. */
export const serviceGraphReturns: readonly Figure[] = [trained(graphPpo), trained(ppo), hpa];
