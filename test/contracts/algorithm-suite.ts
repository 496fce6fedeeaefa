import { describe, test } from 'node:test';

import { algorithmRules } from '../../src/rl/algorithm-check/algorithm-check.ts';
import type { AlgorithmCheckOptions } from '../../src/rl/algorithm-check/algorithm-check.ts';

/** The contract of an algorithm, one test a rule. */
export function algorithmSuite(options: AlgorithmCheckOptions): void {
  describe(`${options.algorithm.name} keeps the contract of an algorithm`, () => {
    for (const { title, check } of algorithmRules(options)) test(title, check);
  });
}
