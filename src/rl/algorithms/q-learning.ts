import { defineAlgorithm } from '../algorithm.ts';
import { TabularLearner, tabularHyperparameters } from '../tabular/tabular-learner.ts';
import type { TabularConfig } from '../tabular/tabular-learner.ts';

/** The hyperparameters of {@link qLearning}. */
export type QLearningConfig = TabularConfig;

/**
 * Tabular Q-learning (Watkins 1989; Sutton & Barto 2018, section 6.5): learns the values of acting best from now on,
 * whatever it does meanwhile to explore.
 */
export const qLearning = defineAlgorithm({
  name: 'q-learning',
  summary: 'Tabular Q-learning over discretised observations: off-policy, for small problems that must be understood.',
  actionSpaces: ['discrete'],
  masks: true,
  hyperparameters: tabularHyperparameters,
  create: (config, setup) => new TabularLearner('q-learning', config, setup),
});
