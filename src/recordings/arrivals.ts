import type { Generator } from '../rl/random.ts';
import { binomial } from './binomial.ts';

/** Most arrivals that a bin can hold. */
export const maxArrivals = 0xffff_ffff;

/**
 * Arrivals drawn from rates: a Poisson number in each bin. @param rates requests/s of each bin.
 * @throws RangeError when a bin does not fit a uint32.
 */
export function arrivalsFromRates(rates: Float64Array, binSeconds: number, generator: Generator): Uint32Array {
  return Uint32Array.from(rates, (rate, bin) => fitting(generator.poisson(rate * binSeconds), bin));
}

/**
 * Arrivals drawn from counts of wider bins, `pieces` bins out of each.
 *
 * 1. A count c becomes a whole number, up with probability of its fraction, so its mean is c.
 * 2. That number of requests is dealt to the pieces (multinomial), so every count is conserved exactly.
 * 3. Within count i the rate is a straight line through its middle whose slope is that between its neighbours,
 *    s = (c[i+1] − c[i−1]) / 2, no steeper than the rate staying above 0 allows; at the ends of the file the neighbour
 *    is missing and the slope is to the other one. Piece j of k gets the share (1 + s/c · ((j + ½)/k − ½)) / k.
 *
 * @throws RangeError when a bin does not fit a uint32.
 */
export function arrivalsFromCounts(counts: Float64Array, pieces: number, generator: Generator): Uint32Array {
  const arrivals = new Uint32Array(counts.length * pieces);
  counts.forEach((count, i) => {
    let left = roundAtRandom(count, generator);
    const slope = count > 0 ? Math.max(-2, Math.min(2, slopeAt(counts, i) / count)) : 0;
    let shareLeft = 1;
    for (let j = 0; j < pieces; j++) {
      const share = (1 + slope * ((j + 0.5) / pieces - 0.5)) / pieces;
      const drawn = j === pieces - 1 ? left : binomial(generator, left, share / shareLeft);
      arrivals[i * pieces + j] = fitting(drawn, i * pieces + j);
      left -= drawn;
      shareLeft -= share;
    }
  });
  return arrivals;
}

function slopeAt(counts: Float64Array, i: number): number {
  if (counts.length === 1) return 0;
  if (i === 0) return counts[1] - counts[0];
  if (i === counts.length - 1) return counts[i] - counts[i - 1];
  return (counts[i + 1] - counts[i - 1]) / 2;
}

function roundAtRandom(count: number, generator: Generator): number {
  const whole = Math.floor(count);
  return count > whole && generator.uniform() < count - whole ? whole + 1 : whole;
}

function fitting(arrivals: number, bin: number): number {
  if (arrivals <= maxArrivals) return arrivals;
  throw new RangeError(`bin ${bin} would have ${arrivals} requests, above the ${maxArrivals} that a bin can hold`);
}
