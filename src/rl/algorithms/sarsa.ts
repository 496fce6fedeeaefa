import { defineAlgorithm } from '../algorithm.ts';
import { TabularLearner, tabularHyperparameters } from '../tabular/tabular-learner.ts';
import type { TabularConfig } from '../tabular/tabular-learner.ts';

/** The hyperparameters of {@link sarsa}. */
export type SarsaConfig = TabularConfig;

/**
 * Tabular SARSA (Rummery & Niranjan 1994; Sutton & Barto 2018, section 6.4): learns the values of acting as it does, with
 * its exploration, so it keeps away from where a random action would be costly.
 */
export const sarsa = defineAlgorithm({
  name: 'sarsa',
  summary: 'Tabular SARSA over discretised observations: on-policy, careful where exploring is costly.',
  actionSpaces: ['discrete'],
  masks: true,
  hyperparameters: tabularHyperparameters,
  create: (config, setup) => new TabularLearner('sarsa', config, setup),
});
