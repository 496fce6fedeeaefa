import type { GeneratorSource } from '../contracts/run-spec.ts';
import { Generator } from '../rl/random.ts';
import { arrivalsFromRates } from './arrivals.ts';

const daySeconds = 86_400;
/** Time after which the slow noise has forgotten 63 % of where it was. */
const noiseMemorySeconds = 3600;
/** Share of a flash crowd's length in which it rises. */
const rise = 0.15;

/** Arrivals of a {@link GeneratorSource}; the same source, width and seed give the same ones. */
export function generateArrivals(source: GeneratorSource, binSeconds: number, seed: number): Uint32Array {
  // Three streams, so that a change of the noise leaves the flash crowds where they are.
  const root = new Generator(seed);
  const [noiseStream, crowdStream, arrivalStream] = [root.fork(), root.fork(), root.fork()];
  const rates = seasonalRates(source, binSeconds);
  multiply(rates, noiseFactors(rates.length, source.noise, binSeconds, noiseStream));
  multiply(rates, flashCrowdFactors(rates.length, source, binSeconds, crowdStream));
  return arrivalsFromRates(rates, binSeconds, arrivalStream);
}

/**
 * Rates by time of day and week, requests/s, from Monday 00:00 on: m · D(t) · W(t) / c.
 *
 * D(t) = 1 − a cos(2π (h − 3) / 24) with h the hour: lowest at 3:00, highest at 15:00, a = `dailyAmplitude`.
 * W(t) = 1 − d · w(t), d = `weekendDrop`; w is 1 from Saturday 02:00 to Sunday 22:00, 0 from Monday 02:00 to Friday
 * 22:00 and moves between them along half a cosine. c is the mean of D · W over a week, so that m is the mean rate.
 */
export function seasonalRates(source: GeneratorSource, binSeconds: number): Float64Array {
  const bins = Math.round((source.days * daySeconds) / binSeconds);
  const profile = (seconds: number): number => daily(seconds, source) * weekly(seconds, source);
  const minutes = 7 * 24 * 60;
  let sum = 0;
  for (let minute = 0; minute < minutes; minute++) sum += profile((minute + 0.5) * 60);
  const scale = (source.meanRequestsPerSecond * minutes) / sum;
  return Float64Array.from({ length: bins }, (_, bin) => scale * profile((bin + 0.5) * binSeconds));
}

function daily(seconds: number, { dailyAmplitude }: GeneratorSource): number {
  const hour = (seconds / 3600) % 24;
  return 1 - dailyAmplitude * Math.cos((2 * Math.PI * (hour - 3)) / 24);
}

function weekly(seconds: number, { weekendDrop }: GeneratorSource): number {
  const hour = (seconds / 3600) % 168;
  const [saturday, monday] = [120, 168];
  const begun = smoothStep((hour - (saturday - 2)) / 4);
  // The end of a weekend lies on both sides of Monday 00:00, where the hour begins again.
  const ended = smoothStep((hour - (monday - 2)) / 4) + (hour < 2 ? smoothStep((hour + 2) / 4) - 1 : 0);
  return 1 - weekendDrop * (begun - ended);
}

/**
 * Factors of the slow noise: exp(x − σ²/2) with x a stationary Ornstein–Uhlenbeck process of deviation σ and a memory of
 * one hour, σ² = ln(1 + noise²). Their mean is 1 and their standard deviation `noise`.
 */
export function noiseFactors(bins: number, noise: number, binSeconds: number, generator: Generator): Float64Array {
  const variance = Math.log1p(noise * noise);
  const sigma = Math.sqrt(variance);
  const kept = Math.exp(-binSeconds / noiseMemorySeconds);
  const fresh = Math.sqrt(1 - kept * kept);
  let x = generator.normal();
  return Float64Array.from({ length: bins }, () => {
    const factor = Math.exp(sigma * x - variance / 2);
    x = kept * x + fresh * generator.normal();
    return factor;
  });
}

/**
 * Factors of the flash crowds: they begin as a Poisson process; one of length L multiplies the rate by
 * 1 + (peak − 1) · f(u), u = time since its beginning / L, where f rises along half a cosine to 1 at u = 0.15 and falls as
 * ((1 − u) / 0.85)² to 0 at u = 1. Where crowds overlap the higher factor counts.
 */
export function flashCrowdFactors(
  bins: number,
  { flashCrowdsPerDay, flashCrowdPeak, flashCrowdMinutes }: GeneratorSource,
  binSeconds: number,
  generator: Generator,
): Float64Array {
  const factors = new Float64Array(bins).fill(1);
  const length = flashCrowdMinutes * 60;
  const meanGap = daySeconds / flashCrowdsPerDay;
  // Beginning one length early lets the first bins lie inside a crowd as likely as any others.
  let begin = meanGap * generator.exponential() - length;
  for (; begin < bins * binSeconds; begin += meanGap * generator.exponential()) {
    const last = Math.min(bins - 1, Math.floor((begin + length) / binSeconds));
    for (let bin = Math.max(0, Math.floor(begin / binSeconds)); bin <= last; bin++) {
      const u = ((bin + 0.5) * binSeconds - begin) / length;
      factors[bin] = Math.max(factors[bin], 1 + (flashCrowdPeak - 1) * crowdShape(u));
    }
  }
  return factors;
}

/** f of {@link flashCrowdFactors}: 0 outside of a crowd, 1 at its peak. @param u time since its beginning / its length. */
export function crowdShape(u: number): number {
  if (u <= 0 || u >= 1) return 0;
  return u < rise ? smoothStep(u / rise) : ((1 - u) / (1 - rise)) ** 2;
}

/** 0 up to 0, 1 from 1 on, half a cosine in between. */
function smoothStep(u: number): number {
  return 0.5 - 0.5 * Math.cos(Math.PI * Math.max(0, Math.min(1, u)));
}

function multiply(values: Float64Array, factors: Float64Array): void {
  for (let i = 0; i < values.length; i++) values[i] *= factors[i];
}
