import type { Environment, EnvironmentDescription, Observation, Transition } from '../../../src/rl/environment.ts';
import { Generator } from '../../../src/rl/random.ts';

const row = { index: '0', name: 'x', unit: '', low: 0, high: 1, meaning: 'Toy.' };

/**
 * A bandit with three contexts and two heads of 2 and 3 choices. In context c the right choices are (c mod 2, c); a wrong
 * choice of the second head is masked in turn. Reward 1 for each right head; an episode is one step.
 */
export class ContextualBandit implements Environment {
  readonly description: EnvironmentDescription = {
    name: 'contextual-bandit',
    observationSpace: { kind: 'box', shape: [3], low: 0, high: 1 },
    actionSpace: { kind: 'multi-discrete', choices: [2, 3] },
    actionMaskSize: 5,
    maxEpisodeSteps: null,
    observationTable: [row],
    actionTable: [row],
  };
  /** Masked choices that were taken: must stay 0. */
  violations = 0;
  private context = 0;
  private masked = 0;

  reset(seed: number): Observation {
    const generator = new Generator(seed);
    this.context = generator.integer(3);
    this.masked = (this.context + 1 + generator.integer(2)) % 3;
    return this.observe();
  }

  step(action: Int32Array): Transition {
    if (action[1] === this.masked) this.violations++;
    const reward = Number(action[0] === this.context % 2) + Number(action[1] === this.context);
    return { ...this.observe(), reward, terminated: true, truncated: false, measures: { right: reward / 2 } };
  }

  saveState(): unknown {
    return [this.context, this.masked];
  }

  loadState(state: unknown): Observation {
    [this.context, this.masked] = state as [number, number];
    return this.observe();
  }

  private observe(): Observation {
    const mask = Uint8Array.of(1, 1, 1, 1, 1);
    mask[2 + this.masked] = 0;
    return { observation: Float32Array.from([0, 1, 2], (c) => Number(c === this.context)), actionMask: mask };
  }
}

/** A reward of `reward(step)` for whatever is done; episodes are truncated, or terminated, after `length` steps. */
export class ConstantReward implements Environment {
  readonly description: EnvironmentDescription = {
    name: 'constant-reward',
    observationSpace: { kind: 'box', shape: [1], low: 0, high: 1 },
    actionSpace: { kind: 'discrete', n: 2 },
    actionMaskSize: 0,
    maxEpisodeSteps: null,
    observationTable: [row],
    actionTable: [row],
  };
  private readonly length: number;
  private readonly end: 'truncated' | 'terminated';
  private readonly reward: (totalSteps: number) => number;
  private steps = 0;
  private totalSteps = 0;

  constructor(length: number, end: 'truncated' | 'terminated', reward: (totalSteps: number) => number = () => 1) {
    this.length = length;
    this.end = end;
    this.reward = reward;
  }

  reset(): Observation {
    this.steps = 0;
    return { observation: Float32Array.of(1), actionMask: null };
  }

  step(): Transition {
    const over = ++this.steps >= this.length;
    return {
      observation: Float32Array.of(1),
      actionMask: null,
      reward: this.reward(++this.totalSteps),
      terminated: over && this.end === 'terminated',
      truncated: over && this.end === 'truncated',
      measures: {},
    };
  }

  saveState(): unknown {
    return [this.steps, this.totalSteps];
  }

  loadState(state: unknown): Observation {
    [this.steps, this.totalSteps] = state as [number, number];
    return { observation: Float32Array.of(1), actionMask: null };
  }
}
