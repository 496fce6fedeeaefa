import { CoxswainError } from '../../contracts/errors.ts';
import { Generator } from '../random.ts';

/** A fixed episode: where its window begins in the trace, and the seed of its arrivals. */
export interface Episode {
  readonly offset: number;
  readonly seed: number;
}

/**
 * `count` windows of `episodeSteps` bins spread evenly over a trace of `bins` bins, the first at its beginning and the
 * last at its end, with seeds that follow from `seed`. The same for every controller. Windows overlap only when the
 * trace is too short for `count` of them.
 * @throws CoxswainError RECORDING_TOO_SHORT when the trace is shorter than one window.
 */
export function spreadEpisodes(bins: number, count: number, episodeSteps: number, seed: number): Episode[] {
  const last = bins - episodeSteps;
  if (last < 0) {
    throw new CoxswainError(
      'RECORDING_TOO_SHORT',
      `A part of the recording has ${bins} bins; an episode needs ${episodeSteps}. Record longer or shorten the episodes.`,
    );
  }
  const generator = new Generator(seed);
  return Array.from({ length: count }, (_, index) => ({
    offset: count === 1 ? 0 : Math.round((last * index) / (count - 1)),
    seed: generator.uint32(),
  }));
}
