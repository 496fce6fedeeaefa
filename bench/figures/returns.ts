import type { Algorithm } from '../../src/rl/algorithm.ts';
import { algorithms } from '../../src/rl/algorithms/index.ts';
import type { Environment } from '../../src/rl/environment.ts';
import { environments } from '../../src/rl/environments/index.ts';
import { episodeReturns } from '../../src/rl/evaluation/episode-returns.ts';
import type { Policy } from '../../src/rl/policy.ts';
import { createTraining } from '../../src/rl/training-loop.ts';
import type { Evaluator } from '../../src/rl/training-loop.ts';
import type { Figure } from '../figure.ts';

/** What is trained, and how: where nothing else is said with the hyperparameters and step budgets of rl-baselines3-zoo. */
interface ReturnsCase {
  /** Of the figure. */
  readonly name: string;
  readonly algorithm: string;
  readonly environment: string;
  readonly hyperparameters: Readonly<Record<string, unknown>>;
  /** Environments side by side. */
  readonly environments: number;
  readonly steps: number;
  /**
   * Judges the weights that did best in the training's own evaluations, on other episodes, instead of the last ones: for
   * algorithms whose policy goes up and down to the end. Default false.
   */
  readonly keepBest?: boolean;
}

const seeds = [1, 2, 3, 4, 5];
const evaluationEpisodes = 100;
const evaluationSeed = 1_000_003;
/** Of the evaluations that choose the best weights: twenty in a training. */
const selectionEpisodes = 200;
const selectionSeed = 77;

/** What the zoo gives TD3 and DDPG alike. */
const deterministicPendulum = {
  hiddenSizes: [400, 300],
  discount: 0.98,
  replayCapacity: 200_000,
  learningStarts: 10_000,
  learningRate: 1e-3,
  actionNoise: 'normal',
  noiseDeviation: 0.1,
};

const cases: readonly ReturnsCase[] = [
  {
    name: 'return_ppo_cartpole',
    algorithm: 'ppo',
    environment: 'cart-pole',
    hyperparameters: {
      rolloutSteps: 8 * 32,
      minibatchSize: 256,
      epochs: 20,
      gaeLambda: 0.8,
      discount: 0.98,
      learningRate: 1e-3,
      learningRateSchedule: 'linear',
      clipRangeSchedule: 'linear',
    },
    environments: 8,
    steps: 100_000,
  },
  {
    // The default hyperparameters, not the zoo's: how soon the pole stands.
    name: 'return_ppo_cartpole_20480_steps',
    algorithm: 'ppo',
    environment: 'cart-pole',
    hyperparameters: {},
    environments: 8,
    steps: 20_480,
  },
  {
    name: 'return_ppo_acrobot',
    algorithm: 'ppo',
    environment: 'acrobot',
    hyperparameters: {
      rolloutSteps: 16 * 256,
      epochs: 4,
      gaeLambda: 0.94,
      normaliseObservations: true,
      scaleRewards: true,
    },
    environments: 16,
    steps: 1_000_000,
  },
  {
    // Without the zoo's state-dependent exploration.
    name: 'return_ppo_pendulum',
    algorithm: 'ppo',
    environment: 'pendulum',
    hyperparameters: { rolloutSteps: 4 * 1024, discount: 0.9, learningRate: 1e-3 },
    environments: 4,
    steps: 100_000,
  },
  {
    name: 'return_a2c_cartpole',
    algorithm: 'a2c',
    environment: 'cart-pole',
    hyperparameters: {},
    environments: 8,
    steps: 500_000,
  },
  {
    // The zoo has none for A3C.
    name: 'return_a3c_cartpole',
    algorithm: 'a3c',
    environment: 'cart-pole',
    hyperparameters: {},
    environments: 4,
    steps: 100_000,
  },
  {
    name: 'return_dqn_cartpole',
    algorithm: 'dqn',
    environment: 'cart-pole',
    hyperparameters: {
      hiddenSizes: [256, 256],
      replayCapacity: 100_000,
      learningStarts: 1000,
      trainFrequency: 256,
      gradientSteps: 128,
      batchSize: 64,
      learningRate: 2.3e-3,
      targetUpdateInterval: 10,
      explorationFraction: 0.16,
      finalExplorationRate: 0.04,
    },
    environments: 1,
    steps: 50_000,
    keepBest: true,
  },
  {
    name: 'return_dqn_mountain_car',
    algorithm: 'dqn',
    environment: 'mountain-car',
    hyperparameters: {
      hiddenSizes: [256, 256],
      replayCapacity: 10_000,
      learningStarts: 1000,
      trainFrequency: 16,
      gradientSteps: 8,
      batchSize: 128,
      learningRate: 4e-3,
      discount: 0.98,
      targetUpdateInterval: 600,
      explorationFraction: 0.2,
      finalExplorationRate: 0.07,
    },
    environments: 1,
    steps: 120_000,
    keepBest: true,
  },
  {
    name: 'return_sac_pendulum',
    algorithm: 'sac',
    environment: 'pendulum',
    hyperparameters: { learningRate: 1e-3 },
    environments: 1,
    steps: 20_000,
  },
  {
    name: 'return_td3_pendulum',
    algorithm: 'td3',
    environment: 'pendulum',
    hyperparameters: deterministicPendulum,
    environments: 1,
    steps: 20_000,
  },
  {
    name: 'return_ddpg_pendulum',
    algorithm: 'ddpg',
    environment: 'pendulum',
    hyperparameters: deterministicPendulum,
    environments: 1,
    steps: 20_000,
  },
  {
    // The zoo has none for discrete actions.
    name: 'return_sac_discrete_cartpole',
    algorithm: 'sac-discrete',
    environment: 'cart-pole',
    hyperparameters: { hiddenSizes: [64, 64], batchSize: 64, learningRate: 1e-3 },
    environments: 1,
    steps: 50_000,
    keepBest: true,
  },
];

/** Makes an environment in the process of an actor. */
export function createNamed(name: string): Environment {
  return environments[name].create();
}

/** Mean return of the policy of each seed over the same {@link evaluationEpisodes} greedy episodes. */
function returnsOf({ name, environment, environments: count, steps, keepBest, ...agent }: ReturnsCase): Figure {
  const { create } = environments[environment];
  const meanReturn = async (policy: Policy, episodes: number, seed: number): Promise<number> => {
    const returned = await episodeReturns(policy, create, { episodes, seed });
    return returned.reduce((sum, value) => sum + value, 0) / episodes;
  };
  const evaluator: Evaluator = async (policy) => ({
    score: await meanReturn(policy, selectionEpisodes, selectionSeed),
  });
  const algorithm: Algorithm = algorithms[agent.algorithm];
  return {
    name,
    unit: 'return',
    summary: 'mean',
    async measure() {
      const means: number[] = [];
      for (const seed of seeds) {
        const training = await createTraining({
          algorithm,
          hyperparameters: agent.hyperparameters,
          environments: Array.from({ length: count }, () => create()),
          recipe: { module: import.meta.url, factory: createNamed.name, options: environment },
          seed,
          totalSteps: steps,
          ...(keepBest ? { evaluator } : {}),
        });
        await training.run();
        const policy = await training.policy(keepBest ? 'best' : 'latest');
        means.push(await meanReturn(policy, evaluationEpisodes, evaluationSeed));
        await Promise.all([policy.dispose(), training.dispose()]);
      }
      return means;
    },
  };
}

/** Returns that trainings reach: the mean of five seeds, each the mean of 100 episodes. */
export const returns: readonly Figure[] = cases.map(returnsOf);
