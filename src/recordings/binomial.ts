import type { Generator } from '../rl/random.ts';

/**
 * A draw of the binomial distribution: how many of `n` independent trials succeed with probability `p` each. Inversion
 * below a mean of 10, else Hörmann's transformed rejection BTRS ("The Generation of Binomial Random Variates", 1993).
 */
export function binomial(generator: Generator, n: number, p: number): number {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(generator, n, 1 - p);
  return n * p < 10 ? byInversion(generator, n, p) : byRejection(generator, n, p);
}

/** Walks up the distribution from 0; n·p < 10 keeps (1−p)ⁿ far above the smallest number. */
function byInversion(generator: Generator, n: number, p: number): number {
  const odds = p / (1 - p);
  for (;;) {
    let probability = Math.exp(n * Math.log1p(-p));
    let u = generator.uniform();
    // A mean below 10 is above 200 less than once in 10¹⁰⁰ draws; only rounding leads there, so draw again.
    for (let k = 0; k <= Math.min(n, 200); k++) {
      if (u < probability) return k;
      u -= probability;
      probability *= ((n - k) / (k + 1)) * odds;
    }
  }
}

function byRejection(generator: Generator, n: number, p: number): number {
  const odds = p / (1 - p);
  const deviation = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const centre = n * p + 0.5;
  const vR = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor((n + 1) * p);
  const atMode = (mode + 0.5) * Math.log((mode + 1) / (odds * (n - mode + 1))) + tail(mode) + tail(n - mode);
  for (;;) {
    const u = generator.uniform() - 0.5;
    const v = generator.uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + centre);
    if (k < 0 || k > n) continue;
    if (us >= 0.07 && v <= vR) return k;
    const atK =
      (n + 1) * Math.log((n - mode + 1) / (n - k + 1)) +
      (k + 0.5) * Math.log((odds * (n - k + 1)) / (k + 1)) -
      tail(k) -
      tail(n - k);
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= atMode + atK) return k;
  }
}

/** ln k! − [½ ln 2π + (k + ½) ln(k + 1) − (k + 1)], the tail of Stirling's series. */
function tail(k: number): number {
  if (k < smallTails.length) return smallTails[k];
  const square = (k + 1) * (k + 1);
  return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1);
}

const smallTails = Array.from({ length: 10 }, (_, k) => {
  let logFactorial = 0;
  for (let i = 2; i <= k; i++) logFactorial += Math.log(i);
  return logFactorial - (0.5 * Math.log(2 * Math.PI) + (k + 0.5) * Math.log(k + 1) - (k + 1));
});
