import { Generator } from '../../random.ts';
import { STEP_SECONDS } from '../online-boutique/simulation.ts';

/** Bins (control steps) of a day. */
export const DAY_BINS = 86_400 / STEP_SECONDS;

const DAYS = 7;
const LOWEST_RATE = 40;
const HIGHEST_RATE = 280;
const WEEKEND = 0.8;
/** Noise of the rate: first-order autoregressive with a memory of some ten minutes. */
const NOISE_KEPT = 0.975;
const NOISE_DEVIATION = 0.1;
const CROWDS_PER_DAY = 4;
const FIRST_SEED = 20_260_101;

let week: Float64Array | undefined;

/**
 * A week of requests per control step, the same each time: a daily curve of 40 to 280 requests/s (lowest at 4 h, highest
 * at 16 h), weaker at the weekend, with slow noise and four flash crowds a day that rise within minutes to at most 2.5
 * times the rate.
 */
export function generatedWeek(): Float64Array {
  week ??= generateWeek(new Generator(FIRST_SEED));
  return week;
}

function generateWeek(generator: Generator): Float64Array {
  const crowds = flashCrowds(generator);
  let noise = 0;
  return Float64Array.from({ length: DAYS * DAY_BINS }, (_, bin) => {
    noise = NOISE_KEPT * noise + Math.sqrt(1 - NOISE_KEPT ** 2) * NOISE_DEVIATION * generator.normal();
    const hour = ((bin % DAY_BINS) * 24) / DAY_BINS;
    const height = 0.5 - 0.5 * Math.cos((2 * Math.PI * (hour - 4)) / 24);
    const weekend = Math.floor(bin / DAY_BINS) >= 5 ? WEEKEND : 1;
    const rate = weekend * (LOWEST_RATE + (HIGHEST_RATE - LOWEST_RATE) * height);
    return STEP_SECONDS * rate * Math.exp(noise) * crowds[bin];
  });
}

/** What the rate is multiplied by in every bin: each crowd rises in 1 … 4 minutes and fades over 5 … 20. */
function flashCrowds(generator: Generator): Float64Array {
  const factor = new Float64Array(DAYS * DAY_BINS).fill(1);
  for (let crowd = 0; crowd < DAYS * CROWDS_PER_DAY; crowd++) {
    const start = generator.integer(factor.length);
    const height = 0.5 + generator.uniform();
    const rise = 4 + generator.integer(13);
    const fall = 20 + generator.integer(61);
    for (let bin = start; bin < Math.min(factor.length, start + 5 * fall); bin++) {
      const age = bin - start;
      const risen = 1 + height * (age < rise ? age / rise : Math.exp(-(age - rise) / fall));
      factor[bin] = Math.max(factor[bin], risen);
    }
  }
  return factor;
}
