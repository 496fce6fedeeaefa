/** P(Z ≤ x) of the standard normal distribution (series of Marsaglia, "Evaluating the Normal Distribution", 2004). */
export function normalCdf(x: number): number {
  if (x > 8) return 1;
  if (x < -8) return 0;
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
}

/**
 * P(T ≤ x) of Student's t distribution with a whole number of degrees of freedom (Abramowitz & Stegun, 26.7.3 and
 * 26.7.4).
 */
export function studentCdf(x: number, degrees: number): number {
  const angle = Math.atan(x / Math.sqrt(degrees));
  const cosine = Math.cos(angle);
  const odd = degrees % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 2 : 1; k <= degrees - 3; k += 2) {
    term *= (k / (k + 1)) * cosine * cosine;
    sum += term;
  }
  const central = odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return 0.5 + 0.5 * central;
}

/** The x with P(Z ≤ x) = probability, by bisection. @param probability strictly between 0 and 1. */
export function normalQuantile(probability: number): number {
  return invert(normalCdf, probability);
}

/** The x with P(T ≤ x) = probability, by bisection. @param degrees whole, ≥ 1. */
export function studentQuantile(probability: number, degrees: number): number {
  return invert((x) => studentCdf(x, degrees), probability);
}

function invert(cdf: (x: number) => number, probability: number): number {
  if (!(probability > 0 && probability < 1)) throw new RangeError(`A probability lies in (0, 1), not ${probability}.`);
  let high = 1;
  while (cdf(high) < probability || cdf(-high) > probability) high *= 2;
  let low = -high;
  for (let i = 0; i < 200 && high - low > 1e-12 * Math.max(1, Math.abs(low)); i++) {
    const middle = (low + high) / 2;
    if (cdf(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
