import { CoxswainError } from '../contracts/errors.ts';
import type { CollectSpec } from '../contracts/run-spec.ts';
import type { BinRange, RecordingParts } from '../contracts/stores.ts';

/**
 * Cuts `bins` bins into train, validate and held-out, in this order of time; each boundary is the share's, rounded to a
 * bin. @param minimumBins bins of one episode.
 * @throws CoxswainError RECORDING_TOO_SHORT when a part has fewer.
 */
export function splitTime(bins: number, split: CollectSpec['split'], minimumBins: number): RecordingParts {
  const trainEnd = Math.round(bins * split.train);
  const validateEnd = Math.round(bins * (split.train + split.validate));
  const parts = {
    train: { from: 0, to: trainEnd },
    validate: { from: trainEnd, to: validateEnd },
    heldOut: { from: validateEnd, to: bins },
  };
  const short = Object.entries(parts).filter(([, range]) => lengthOf(range) < minimumBins);
  if (short.length > 0) throw tooShort(bins, short, minimumBins);
  return parts;
}

function lengthOf({ from, to }: BinRange): number {
  return to - from;
}

function tooShort(bins: number, short: [string, BinRange][], minimumBins: number): CoxswainError {
  const found = short.map(([name, range]) => `${name} has ${lengthOf(range)}`).join(', ');
  return new CoxswainError(
    'RECORDING_TOO_SHORT',
    `Of the recording's ${bins} bins ${found}; an episode needs ${minimumBins}. ` +
      'Record longer, change collect.split, or shorten the episodes.',
  );
}
