/** A truncated episode's last observation and the place of its last step. */
interface Truncation {
  readonly place: number;
  readonly observation: Float32Array;
}

/**
 * The samples of one rollout: `steps` rows of `environments` columns, row by row, so sample i is environment
 * i mod environments. Observations are stored as the network sees them.
 */
export class RolloutBuffer {
  readonly environments: number;
  /** Samples. */
  readonly size: number;
  readonly observations: Float32Array;
  /** The actions that were chosen, as the distribution keeps them: size × `actionSize`. */
  readonly actions: Float32Array;
  /** 0 where a choice was allowed and −1e8 where not, size × `actionSize`; null when nothing is masked. */
  readonly penalties: Float32Array | null;
  /** ln of the probability with which each action was chosen. */
  readonly logProbabilities: Float32Array;
  readonly rewards: Float32Array;
  readonly ends: Uint8Array;
  /** Last observations of truncated episodes, for bootstrapping. */
  truncations: Truncation[] = [];

  constructor(size: number, environments: number, observationSize: number, actionSize: number, masked: boolean) {
    this.environments = environments;
    this.size = size;
    this.observations = new Float32Array(size * observationSize);
    this.actions = new Float32Array(size * actionSize);
    this.penalties = masked ? new Float32Array(size * actionSize) : null;
    this.logProbabilities = new Float32Array(size);
    this.rewards = new Float32Array(size);
    this.ends = new Uint8Array(size);
  }

  /** Empties the buffer for the next rollout. */
  clear(): void {
    this.actions.fill(0);
    this.truncations = [];
  }

  /**
   * Takes in what followed sample `place`.
   * @param over whether the step ended an episode, by termination or truncation.
   * @param lastObservation of a truncated episode, as the network sees it.
   */
  record(place: number, reward: number, over: boolean, lastObservation: Float32Array | null): void {
    this.rewards[place] = reward;
    this.ends[place] = Number(over);
    if (lastObservation) this.truncations.push({ place, observation: lastObservation });
  }
}
