import type { Environment, EnvironmentDescription, Observation, Transition } from '../../../../src/rl/environment.ts';
import { description, flat } from './small-graphs.ts';

/** What {@link ConstantGraph} shows at every step. */
export const constantObservation = flat({
  nodes: [
    { slot: 0, identity: 1, features: [1, 0] },
    { slot: 1, identity: 2, features: [0, 1] },
  ],
  edges: [{ source: 0, target: 1, features: [1, 1] }],
  globals: [0, 0],
});

/** A graph that never changes and a reward of 1 for whatever is done; episodes are cut off, or end, after two steps. */
export class ConstantGraph implements Environment {
  readonly description: EnvironmentDescription = { ...description(false), name: 'constant-graph' };
  private readonly end: 'truncated' | 'terminated';
  private steps = 0;

  constructor(end: 'truncated' | 'terminated') {
    this.end = end;
  }

  reset(): Observation {
    this.steps = 0;
    return { observation: constantObservation, actionMask: null };
  }

  step(): Transition {
    const over = ++this.steps >= 2;
    return {
      observation: constantObservation,
      actionMask: null,
      reward: 1,
      terminated: over && this.end === 'terminated',
      truncated: over && this.end === 'truncated',
      measures: {},
    };
  }

  saveState(): unknown {
    return this.steps;
  }

  loadState(state: unknown): Observation {
    this.steps = state as number;
    return { observation: constantObservation, actionMask: null };
  }
}
