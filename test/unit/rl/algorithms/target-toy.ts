import type { Environment, EnvironmentDescription, Observation, Transition } from '../../../../src/rl/environment.ts';
import { Generator } from '../../../../src/rl/random.ts';

const row = { index: '0', name: 'x', unit: '', low: -1, high: 1, meaning: 'Toy.' };

/** Two numbers x are shown; the right action is (x₀, −x₁)/2, within bounds of ±0.8. Reward −|action − right|²; one step an episode. */
export class Target implements Environment {
  readonly description: EnvironmentDescription = {
    name: 'target',
    observationSpace: { kind: 'box', shape: [2], low: -1, high: 1 },
    actionSpace: { kind: 'box', shape: [2], low: -0.8, high: 0.8 },
    actionMaskSize: 0,
    maxEpisodeSteps: null,
    observationTable: [row],
    actionTable: [row],
  };
  /** Largest magnitude of an action so far. */
  largest = 0;
  private x: [number, number] = [0, 0];

  reset(seed: number): Observation {
    const generator = new Generator(seed);
    this.x = [2 * generator.uniform() - 1, 2 * generator.uniform() - 1];
    return this.observe();
  }

  step(action: Int32Array | Float32Array): Transition {
    this.largest = Math.max(this.largest, Math.abs(action[0]), Math.abs(action[1]));
    const reward = -((action[0] - this.x[0] / 2) ** 2) - (action[1] + this.x[1] / 2) ** 2;
    return { ...this.observe(), reward, terminated: true, truncated: false, measures: {} };
  }

  saveState(): unknown {
    return this.x;
  }

  loadState(state: unknown): Observation {
    this.x = state as [number, number];
    return this.observe();
  }

  private observe(): Observation {
    return { observation: Float32Array.from(this.x), actionMask: null };
  }
}
