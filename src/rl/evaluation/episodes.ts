/** A fixed episode: where its window begins in the trace, and the seed of its arrivals. */
export interface Episode {
  readonly offset: number;
  readonly seed: number;
}

/**
 * `count` windows of `episodeSteps` bins spread evenly over a trace of `bins` bins, with seeds that follow from `seed`.
 * The same for every controller. Windows overlap only when the trace is too short for `count` of them.
 * @throws CoxswainError RECORDING_TOO_SHORT when the trace is shorter than one window.
 */
export declare function spreadEpisodes(bins: number, count: number, episodeSteps: number, seed: number): Episode[];
