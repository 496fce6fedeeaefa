import { test } from 'node:test';

import type { Environment } from '../../src/rl/environment.ts';
import { contractRules } from '../../src/rl/environment-check/contract.ts';

/** What is under test and how much of it. */
export interface EnvironmentSuiteOptions {
  /** Seeds of the episodes that are played. Default three. */
  readonly seeds?: readonly number[];
  /** Steps played of episodes that end later. Default 600. */
  readonly maxSteps?: number;
}

/**
 * The contract of `src/rl/environment.ts` as tests; every environment must pass them. `coxswain env check` runs the same
 * rules.
 * @param create makes a fresh instance; all instances must behave alike.
 */
export function environmentSuite(name: string, create: () => Environment, options: EnvironmentSuiteOptions = {}): void {
  const { seeds = [1, 2, 4294967295], maxSteps = 600 } = options;
  for (const { title, check } of contractRules) {
    test(`${name}: ${title}`, (t) => {
      const notLookedAt = check({ create, seeds, maxSteps });
      if (notLookedAt !== null) t.skip(notLookedAt);
    });
  }
}
