import { CoxswainError } from '../../../../src/contracts/errors.ts';
import type { Environment, EnvironmentDescription, Observation, Transition } from '../../../../src/rl/environment.ts';
import type { BaselineDecision, EnvironmentKind } from '../../../../src/rl/environments/registry.ts';
import { Generator } from '../../../../src/rl/random.ts';
import type { GeneratorState } from '../../../../src/rl/random.ts';

const EPISODE_STEPS = 60;
const CHOICES = [3, 2] as const;

/** What is wrong with a thermostat. Without any of it the environment is clean. */
export interface Defects {
  /** A third observation that is always 0.5. */
  readonly deadObservation?: boolean;
  readonly constantReward?: boolean;
  /** The fan does nothing. */
  readonly deadHead?: boolean;
  /** Heating with choice 2 is heating with choice 1. */
  readonly duplicateChoice?: boolean;
  /** The reward is how close the heating is to what the baseline would choose. */
  readonly imitation?: boolean;
  /** One step in two hundred costs 1 000. */
  readonly rarePenalty?: boolean;
  /** Energy is so dear that comfort is not seen any more. */
  readonly dearEnergy?: boolean;
  /** A summand of the reward is no measure. */
  readonly hiddenPart?: boolean;
  readonly ignoredSeed?: boolean;
  /** Every episode differs, whatever the seed. */
  readonly unrepeatable?: boolean;
  readonly nanReward?: boolean;
  /** Temperatures leave their bounds. */
  readonly unbounded?: boolean;
  readonly shortMask?: boolean;
  readonly nothingAllowed?: boolean;
  /** The fan's momentum is not saved. */
  readonly forgetfulState?: boolean;
  readonly playsBeforeReset?: boolean;
  readonly playsAfterEnd?: boolean;
  readonly takesAnything?: boolean;
  readonly neverTruncated?: boolean;
  readonly emptyTable?: boolean;
  readonly changingMeasures?: boolean;
}

interface State {
  readonly temperature: number;
  readonly momentum: number;
  readonly steps: number;
  readonly generator: GeneratorState;
}

/** Distinguishes the episodes of unrepeatable thermostats. */
let played = 0;

/**
 * A room that drifts and is heated (0 cool, 1 nothing, 2 heat) and aired by a fan (0, 1) with momentum; the aim is a
 * temperature of 0. A toy with everything that the lint looks at, to plant defects in.
 */
export class Thermostat implements Environment {
  readonly description: EnvironmentDescription;
  private readonly defects: Defects;
  private temperature = 0;
  private momentum = 0;
  private steps = -1;
  private generator = new Generator(0);

  constructor(defects: Defects = {}) {
    this.defects = defects;
    const names = ['temperature', 'momentum', ...(defects.deadObservation ? ['pressure'] : [])];
    const row = (name: string, index: number) => ({
      index: String(index),
      name,
      unit: '',
      low: -5,
      high: 5,
      meaning: name,
    });
    this.description = {
      name: 'thermostat',
      observationSpace: { kind: 'box', shape: [names.length], low: -5, high: 5 },
      actionSpace: { kind: 'multi-discrete', choices: CHOICES },
      actionMaskSize: 5,
      maxEpisodeSteps: EPISODE_STEPS,
      observationTable: defects.emptyTable ? [] : names.map(row),
      actionTable: ['heating', 'fan'].map(row),
    };
  }

  reset(seed: number): Observation {
    const { ignoredSeed, unrepeatable } = this.defects;
    this.generator = new Generator(ignoredSeed ? 1 : unrepeatable ? played++ : seed);
    this.temperature = 4 * this.generator.uniform() - 2;
    this.momentum = 0;
    this.steps = 0;
    return this.observe();
  }

  step(action: Int32Array | Float32Array): Transition {
    const { defects } = this;
    if (this.steps < 0 && !defects.playsBeforeReset) throw refused('before reset');
    if (this.steps >= EPISODE_STEPS && !defects.playsAfterEnd && !defects.neverTruncated)
      throw refused('after the end');
    if (
      !defects.takesAnything &&
      CHOICES.some((count, head) => !(Number.isInteger(action[head]) && action[head] >= 0 && action[head] < count))
    ) {
      throw refused(`with ${action.join()}`);
    }
    const model = heatingOf(this.temperature);
    const heating = defects.duplicateChoice ? Math.min(1, action[0]) : action[0];
    this.momentum = defects.deadHead ? 0.5 * this.momentum : 0.5 * this.momentum + 0.5 * action[1];
    const drift = 0.5 * this.generator.normal();
    const moved = 0.9 * this.temperature + 0.7 * (heating - 1) + drift - 0.2 * this.momentum;
    const bound = defects.unbounded ? 100 : 5;
    this.temperature = Math.min(bound, Math.max(-bound, defects.unbounded ? 3 * moved : moved));
    this.steps++;
    return this.transition(model, heating, defects.deadHead ? 0 : action[1], action[0]);
  }

  saveState(): State {
    const { temperature, momentum, steps } = this;
    const saved = this.defects.forgetfulState ? 0 : momentum;
    return { temperature, momentum: saved, steps, generator: this.generator.saveState() };
  }

  loadState(state: unknown): Observation {
    const { temperature, momentum, steps, generator } = state as State;
    Object.assign(this, { temperature, momentum, steps });
    this.generator.loadState(generator);
    return this.observe();
  }

  private transition(model: number, heating: number, fan: number, chosen: number): Transition {
    const { defects } = this;
    const rewardComfort = -Math.abs(this.temperature) / 5;
    const rewardEnergy = (defects.dearEnergy ? -50 : -0.3) * (Math.abs(heating - 1) + 0.5 * fan);
    const penalty = defects.rarePenalty && this.generator.uniform() < 1 / 200 ? -1000 : 0;
    const parts: Record<string, number> =
      defects.rarePenalty || defects.imitation || defects.constantReward ? {} : { rewardComfort, rewardEnergy };
    const real = rewardComfort + rewardEnergy + penalty + (defects.hiddenPart ? 1 : 0);
    const reward = defects.constantReward
      ? 1
      : defects.imitation
        ? -Math.abs(chosen - model)
        : defects.nanReward
          ? NaN
          : real;
    const late: Record<string, number> = defects.changingMeasures && this.steps > 3 ? { more: 1 } : {};
    return {
      ...this.observe(),
      reward,
      terminated: false,
      truncated: !defects.neverTruncated && this.steps >= EPISODE_STEPS,
      measures: { temperature: this.temperature, energy: heating, ...parts, ...late },
    };
  }

  private observe(): Observation {
    const { shortMask, nothingAllowed, deadObservation } = this.defects;
    const mask = Uint8Array.of(1, 1, 1, 1, 1);
    if (nothingAllowed && this.steps > 5) mask.fill(0, 3);
    const numbers = [this.temperature, this.momentum, ...(deadObservation ? [0.5] : [])];
    return { observation: Float32Array.from(numbers), actionMask: shortMask ? mask.subarray(1) : mask };
  }
}

/** A thermostat as a registered kind, with a controller that heats towards 0. */
export function thermostat(defects: Defects = {}): EnvironmentKind {
  const proportional: BaselineDecision = ({ observation }) => [heatingOf(observation[0]), 0];
  return {
    name: 'thermostat',
    summary: 'Keep a room at 0.',
    parameters: {},
    create: () => new Thermostat(defects),
    baselines: { proportional: () => proportional },
  };
}

function heatingOf(temperature: number): number {
  return temperature > 0.3 ? 0 : temperature < -0.3 ? 2 : 1;
}

function refused(when: string): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', `thermostat: step ${when}.`);
}
