import { RunningStatistics } from './running-statistics.ts';
import type { StatisticsState } from './running-statistics.ts';

/** Keeps elements that never changed from being divided by zero. */
const varianceFloor = 1e-8;
/** Normalised values are clipped to ± this. */
export const normalisationClip = 10;

/** Shift and scale that bring observations to mean 0 and deviation 1; both have one number an element. */
export interface Normalisation {
  readonly mean: Float32Array;
  readonly standardDeviation: Float32Array;
}

/** clip((x − mean) / deviation, ±10) with statistics of all observations seen in training. */
export class ObservationNormaliser {
  readonly statistics: RunningStatistics;

  /** @param size elements of an observation. */
  constructor(size: number) {
    this.statistics = new RunningStatistics(size);
  }

  /** Writes the normalised observations to `target`, which has as many rows as `observations`. */
  apply(observations: Float32Array, target: Float32Array): void {
    const { mean, standardDeviation } = this.current();
    const size = mean.length;
    for (let i = 0; i < observations.length; i++) {
      const scaled = (observations[i] - mean[i % size]) / standardDeviation[i % size];
      target[i] = Math.max(-normalisationClip, Math.min(normalisationClip, scaled));
    }
  }

  /** The present shift and scale, as a policy file carries them. */
  current(): Normalisation {
    const { mean } = this.statistics;
    const standardDeviation = mean.map((_, i) => Math.sqrt(this.statistics.variance(i) + varianceFloor));
    return { mean: Float32Array.from(mean), standardDeviation: Float32Array.from(standardDeviation) };
  }
}

/** What {@link RewardScaler.saveState} returns. */
export interface RewardScalerState {
  readonly statistics: StatisticsState;
  readonly returns: readonly number[];
}

/**
 * Divides rewards by the running deviation of the discounted return, so that value targets have a scale of about one
 * whatever the reward's unit is (Engstrom et al., "Implementation Matters in Deep RL", 2020, section 3).
 */
export class RewardScaler {
  private readonly statistics = new RunningStatistics(1);
  private readonly returns: Float64Array;
  private readonly discount: number;

  constructor(environments: number, discount: number) {
    this.returns = new Float64Array(environments);
    this.discount = discount;
  }

  /** The scaled reward of one environment's step. */
  scale(environment: number, reward: number, episodeOver: boolean): number {
    const discounted = this.returns[environment] * this.discount + reward;
    this.returns[environment] = episodeOver ? 0 : discounted;
    this.statistics.add([discounted]);
    const scaled = reward / Math.sqrt(this.statistics.variance(0) + varianceFloor);
    return Math.max(-normalisationClip, Math.min(normalisationClip, scaled));
  }

  saveState(): RewardScalerState {
    return { statistics: this.statistics.saveState(), returns: [...this.returns] };
  }

  loadState(state: RewardScalerState): void {
    this.statistics.loadState(state.statistics);
    this.returns.set(state.returns);
  }
}
