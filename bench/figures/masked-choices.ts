import type { Environment, EnvironmentDescription, Observation, Transition } from '../../src/rl/environment.ts';
import { Generator } from '../../src/rl/random.ts';

const observationSize = 300;
const choices = [15, 11];
const maskSize = 26;
/** Observations and masks that come round again. */
const rows = 64;
const episodeSteps = 200;

const description: EnvironmentDescription = {
  name: 'masked-choices',
  observationSpace: { kind: 'box', shape: [observationSize], low: -Infinity, high: Infinity },
  actionSpace: { kind: 'multi-discrete', choices },
  actionMaskSize: maskSize,
  maxEpisodeSteps: episodeSteps,
  observationTable: [],
  actionTable: [],
};

/**
 * Two masked heads of 15 and 11 choices and 300 observed numbers, as bench/peers/measure.py has them: a step costs next to
 * nothing, so that acting and learning are measured.
 */
export class MaskedChoices implements Environment {
  readonly description = description;
  private readonly observations: readonly Float32Array[];
  private readonly masks: readonly Uint8Array[];
  private steps = 0;

  constructor() {
    const generator = new Generator(0);
    this.observations = Array.from({ length: rows }, () =>
      Float32Array.from({ length: observationSize }, () => generator.normal()),
    );
    this.masks = Array.from({ length: rows }, () =>
      Uint8Array.from({ length: maskSize }, (_, bit) =>
        Number(bit === 0 || bit === choices[0] || generator.uniform() < 0.7),
      ),
    );
  }

  reset(): Observation {
    this.steps = 0;
    return this.observe();
  }

  step(action: Int32Array | Float32Array): Transition {
    this.steps++;
    const reward = Number(action[0] === this.steps % choices[0]) + Number(action[1] === this.steps % choices[1]);
    return { ...this.observe(), reward, terminated: false, truncated: this.steps >= episodeSteps, measures: {} };
  }

  saveState(): number {
    return this.steps;
  }

  loadState(state: unknown): Observation {
    this.steps = state as number;
    return this.observe();
  }

  private observe(): Observation {
    const row = this.steps % rows;
    return { observation: this.observations[row], actionMask: this.masks[row] };
  }
}
