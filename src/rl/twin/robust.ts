/** Huber's constant: 95 % efficiency on normal errors. */
const HUBER = 1.345;
/** The median absolute deviation of normal errors is their standard deviation over this. */
const MAD_TO_DEVIATION = 1.4826;
const ITERATIONS = 25;
/** Each makes the section 0.62 times as long: 16 leave 1/2200 of it. */
const GOLDEN_STEPS = 16;
/** Events that bins are added up to before one can be told to fall outside, and the fewest such groups. */
const EVENTS_PER_GROUP = 20;
const LEAST_GROUPS = 8;

/** y ≈ a·u + b·v without an intercept, both coefficients ≥ 0. */
export interface TwoSlopes {
  readonly a: number;
  readonly b: number;
}

/** The middle value; NaN of nothing. Values that are not finite do not count. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** The value that a share of the values stays under, interpolated; NaN of nothing. Values that are not finite do not count. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).filter(Number.isFinite).sort();
  if (sorted.length === 0) return NaN;
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}

/**
 * r of y ≈ r·x where x and y count events and y's number is Poisson around r·x, so that its variance grows with x: the
 * ratio of the sums, with what falls far outside weighed down (Huber, "Robust Statistics", 1981, 7.8). Rare events are
 * added up over neighbouring bins first, since a bin with one among many without is no outlier. 0 where x is always 0.
 */
export function robustRatio(x: Float64Array, y: Float64Array): number {
  const events = y.reduce((sum, each) => sum + each, 0);
  const groups = Math.min(x.length, Math.floor(events / EVENTS_PER_GROUP));
  if (groups < LEAST_GROUPS) return ratioOfSums(x, y, new Float64Array(x.length).fill(1));
  return huberRatio(groupSums(x, groups), groupSums(y, groups));
}

function huberRatio(x: Float64Array, y: Float64Array): number {
  const weights = new Float64Array(x.length).fill(1);
  const residuals = new Float64Array(x.length);
  let ratio = ratioOfSums(x, y, weights);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    for (let i = 0; i < x.length; i++) residuals[i] = x[i] > 0 ? (y[i] - ratio * x[i]) / Math.sqrt(x[i]) : 0;
    if (!huberWeights(residuals, weights)) break;
    const next = ratioOfSums(x, y, weights);
    if (Math.abs(next - ratio) <= 1e-9 * Math.abs(ratio)) break;
    ratio = next;
  }
  return ratio;
}

function groupSums(values: Float64Array, groups: number): Float64Array {
  const sums = new Float64Array(groups);
  for (let i = 0; i < values.length; i++) sums[Math.floor((i * groups) / values.length)] += values[i];
  return sums;
}

/**
 * y ≈ a·u + b·v by least squares with Huber's weights, neither coefficient below 0. `ridge` pulls `a` towards
 * `prior` with the weight of that many rows of the mean u: where u and v move together, only their sum is in the data.
 */
export function robustSlopes(
  u: ArrayLike<number>,
  v: ArrayLike<number>,
  y: ArrayLike<number>,
  { prior, ridge }: { readonly prior: number; readonly ridge: number },
): TwoSlopes {
  const weights = new Float64Array(u.length).fill(1);
  const residuals = new Float64Array(u.length);
  let slopes = weightedSlopes(u, v, y, weights, prior, ridge);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    for (let i = 0; i < u.length; i++) residuals[i] = y[i] - slopes.a * u[i] - slopes.b * v[i];
    if (!huberWeights(residuals, weights)) break;
    const next = weightedSlopes(u, v, y, weights, prior, ridge);
    const change = Math.abs(next.a - slopes.a) / (1e-9 + next.a) + Math.abs(next.b - slopes.b) / (1e-9 + next.b);
    slopes = next;
    if (change < 1e-7) break;
  }
  return slopes;
}

/** Where `loss` is smallest between `low` and `high`: the best place of a grid, then a golden section around it. */
export function smallestWithin(loss: (at: number) => number, low: number, high: number, places: number): number {
  const step = (high - low) / places;
  let best = low;
  let least = Infinity;
  for (let place = 0; place <= places; place++) {
    const at = low + place * step;
    const value = loss(at);
    if (value >= least) continue;
    least = value;
    best = at;
  }
  return goldenSection(loss, Math.max(low, best - step), Math.min(high, best + step));
}

function goldenSection(loss: (at: number) => number, from: number, to: number): number {
  const shrink = (Math.sqrt(5) - 1) / 2;
  let low = from;
  let high = to;
  let left = high - shrink * (high - low);
  let right = low + shrink * (high - low);
  let leftLoss = loss(left);
  let rightLoss = loss(right);
  for (let iteration = 0; iteration < GOLDEN_STEPS; iteration++) {
    if (leftLoss <= rightLoss) {
      high = right;
      right = left;
      rightLoss = leftLoss;
      left = high - shrink * (high - low);
      leftLoss = loss(left);
    } else {
      low = left;
      left = right;
      leftLoss = rightLoss;
      right = low + shrink * (high - low);
      rightLoss = loss(right);
    }
  }
  return leftLoss <= rightLoss ? left : right;
}

/** Huber's weights for residuals in units of their robust deviation. @returns false when most residuals are exactly 0. */
function huberWeights(residuals: Float64Array, weights: Float64Array): boolean {
  const scale = MAD_TO_DEVIATION * median(residuals.map(Math.abs));
  if (!(scale > 0)) return false;
  for (let i = 0; i < residuals.length; i++) {
    const size = Math.abs(residuals[i]) / scale;
    weights[i] = size <= HUBER ? 1 : HUBER / size;
  }
  return true;
}

function ratioOfSums(x: ArrayLike<number>, y: ArrayLike<number>, weights: Float64Array): number {
  let sumX = 0;
  let sumY = 0;
  for (let i = 0; i < x.length; i++) {
    sumX += weights[i] * x[i];
    sumY += weights[i] * y[i];
  }
  return sumX > 0 ? sumY / sumX : 0;
}

function weightedSlopes(
  u: ArrayLike<number>,
  v: ArrayLike<number>,
  y: ArrayLike<number>,
  weights: Float64Array,
  prior: number,
  ridge: number,
): TwoSlopes {
  let uu = 0;
  let uv = 0;
  let vv = 0;
  let uy = 0;
  let vy = 0;
  for (let i = 0; i < u.length; i++) {
    uu += weights[i] * u[i] * u[i];
    uv += weights[i] * u[i] * v[i];
    vv += weights[i] * v[i] * v[i];
    uy += weights[i] * u[i] * y[i];
    vy += weights[i] * v[i] * y[i];
  }
  const pull = u.length > 0 ? (ridge * uu) / u.length : 0;
  uu += pull;
  uy += pull * prior;
  const determinant = uu * vv - uv * uv;
  if (determinant > 1e-12 * uu * vv) {
    const a = (uy * vv - vy * uv) / determinant;
    const b = (vy * uu - uy * uv) / determinant;
    if (a >= 0 && b >= 0) return { a, b };
  }
  // On the border that leaves the smaller rest.
  const a = Math.max(0, uu > 0 ? uy / uu : 0);
  const b = Math.max(0, vv > 0 ? vy / vv : 0);
  const gainOfA = a * uy;
  const gainOfB = b * vy;
  return gainOfA > gainOfB ? { a, b: 0 } : { a: 0, b };
}
