import { CoxswainError } from '../../contracts/errors.ts';
import type { Generator } from '../random.ts';
import type { Controller } from './controller.ts';

/**
 * Changes the replicas of every service by a random number, each of −maxChange … maxChange as likely as the others, within
 * the service's limits: what anything that learned must beat. A reset does not restart the generator, so that episodes
 * differ.
 * @param maxChange a whole number ≥ 1; default 7, as far as an action of an agent reaches.
 * @throws CoxswainError CONFIG_INVALID when maxChange is none.
 */
export function createRandomPolicy(generator: Generator, maxChange = 7, name = 'random'): Controller {
  if (!Number.isInteger(maxChange) || maxChange < 1) {
    throw new CoxswainError('CONFIG_INVALID', `random: maxChange must be a whole number from 1 on, not ${maxChange}.`);
  }
  return {
    name,
    reset() {},
    decide({ desiredReplicas: current, minReplicas, maxReplicas }, desiredReplicas) {
      for (let s = 0; s < current.length; s++) {
        const replicas = current[s] + generator.integer(2 * maxChange + 1) - maxChange;
        desiredReplicas[s] = Math.min(maxReplicas[s], Math.max(minReplicas[s], replicas));
      }
    },
  };
}
