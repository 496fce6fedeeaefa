import type { EnvironmentDescription } from '../../../../src/rl/environment.ts';
import type { ReplayBuffer } from '../../../../src/rl/replay/replay-buffer.ts';
import type { StepResults } from '../../../../src/rl/vector-environment.ts';

/** An environment's description with observations of one number and two choices. */
export function toyDescription(given: Partial<EnvironmentDescription> = {}): EnvironmentDescription {
  return {
    name: 'toy',
    observationSpace: { kind: 'box', shape: [1], low: -1e6, high: 1e6 },
    actionSpace: { kind: 'discrete', n: 2 },
    actionMaskSize: 0,
    maxEpisodeSteps: null,
    observationTable: [],
    actionTable: [],
    ...given,
  };
}

/** What happened to one environment in a step. */
export interface Happening {
  readonly reward: number;
  readonly end?: 'terminated' | 'truncated';
  /** The last observation of an episode that was cut off. */
  readonly last?: number;
  readonly lastMask?: number[];
}

/** The results of a step of all environments, one happening each. */
export function resultsOf(happenings: readonly Happening[]): StepResults {
  return {
    rewards: Float64Array.from(happenings, ({ reward }) => reward),
    terminated: Uint8Array.from(happenings, ({ end }) => Number(end === 'terminated')),
    truncated: Uint8Array.from(happenings, ({ end }) => Number(end === 'truncated')),
    lastObservations: happenings.map(({ end, last = 0 }) => (end === 'truncated' ? Float32Array.of(last) : null)),
    lastMasks: happenings.map(({ lastMask }) => (lastMask ? Uint8Array.from(lastMask) : null)),
    measures: happenings.map(() => ({})),
  };
}

/**
 * Records steps `from` up to but not including `end` of environments whose observation at step t is
 * 10 t + index, whose reward is t, and whose episodes are cut off at every step that `period` divides, with the last
 * observation −(10 t + index).
 */
export function recordSteps(
  buffer: ReplayBuffer,
  environments: number,
  from: number,
  end: number,
  period = Infinity,
): void {
  const observations = (step: number): Float32Array =>
    Float32Array.from({ length: environments }, (_, index) => 10 * step + index);
  buffer.start(observations(from), null);
  for (let step = from; step < end; step++) {
    const happenings = Array.from({ length: environments }, (_, index): Happening => {
      const over = step % period === period - 1;
      return { reward: step, ...(over ? { end: 'truncated', last: -(10 * step + index) } : {}) };
    });
    buffer.record(new Int32Array(environments).fill(step % 2), resultsOf(happenings), {
      observations: observations(step + 1),
      masks: null,
    });
  }
}
