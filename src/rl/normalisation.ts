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
  private readonly mean: Float32Array;
  private readonly standardDeviation: Float32Array;

  /** @param size elements of an observation. */
  constructor(size: number) {
    this.statistics = new RunningStatistics(size);
    this.mean = new Float32Array(size);
    this.standardDeviation = new Float32Array(size);
  }

  /** Writes the normalised observations to `target`, which has as many rows as `observations`. */
  apply(observations: Float32Array, target: Float32Array): void {
    this.refresh();
    const { mean, standardDeviation } = this;
    const size = mean.length;
    for (let start = 0; start < observations.length; start += size) {
      for (let i = 0; i < size; i++) {
        const scaled = (observations[start + i] - mean[i]) / standardDeviation[i];
        target[start + i] = Math.max(-normalisationClip, Math.min(normalisationClip, scaled));
      }
    }
  }

  /** The present shift and scale, as a policy file carries them. */
  current(): Normalisation {
    this.refresh();
    return { mean: this.mean.slice(), standardDeviation: this.standardDeviation.slice() };
  }

  private refresh(): void {
    for (let i = 0; i < this.mean.length; i++) {
      this.mean[i] = this.statistics.mean[i];
      this.standardDeviation[i] = Math.sqrt(this.statistics.variance(i) + varianceFloor);
    }
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
  private readonly sample = new Float64Array(1);
  private readonly discount: number;

  constructor(environments: number, discount: number) {
    this.returns = new Float64Array(environments);
    this.discount = discount;
  }

  /** The scaled reward of one environment's step. */
  scale(environment: number, reward: number, episodeOver: boolean): number {
    const discounted = this.returns[environment] * this.discount + reward;
    this.returns[environment] = episodeOver ? 0 : discounted;
    this.sample[0] = discounted;
    this.statistics.add(this.sample);
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
