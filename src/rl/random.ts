/**
 * The random generator of everything in Coxswain that is random. It is passed in, never global, and its state is part
 * of every checkpoint, so a resumed run draws the same numbers as an undisturbed one.
 *
 * xoshiro128** 1.1 (Blackman & Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021), seeded through
 * splitmix32 so that neighbouring seeds give unrelated streams.
 */
export class Generator {
  private s0 = 0;
  private s1 = 0;
  private s2 = 0;
  private s3 = 0;
  /** The second value of the last Box–Muller pair, or NaN. */
  private spare = NaN;

  /** @param seed any integer; its low 32 bits count. */
  constructor(seed: number) {
    let z = seed >>> 0;
    const next = (): number => {
      z = (z + 0x9e3779b9) >>> 0;
      let t = z ^ (z >>> 16);
      t = Math.imul(t, 0x21f0aaad);
      t ^= t >>> 15;
      t = Math.imul(t, 0x735a2d97);
      return (t ^ (t >>> 15)) >>> 0;
    };
    this.s0 = next();
    this.s1 = next();
    this.s2 = next();
    this.s3 = next() | 1; // never all zero
  }

  /** A whole number in [0, 2³²). */
  uint32(): number {
    const m = Math.imul(this.s1, 5);
    const result = Math.imul((m << 7) | (m >>> 25), 9) >>> 0;
    const t = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= t;
    this.s3 = (this.s3 << 11) | (this.s3 >>> 21);
    return result;
  }

  /** A number in [0, 1) with 32 random bits. */
  uniform(): number {
    return this.uint32() / 4294967296;
  }

  /** A whole number in [0, n), without bias (rejection). */
  integer(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % n;
  }

  /** A draw of the standard normal distribution (Box–Muller, both halves used). */
  normal(): number {
    if (!Number.isNaN(this.spare)) {
      const value = this.spare;
      this.spare = NaN;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** A draw of the exponential distribution with mean 1. */
  exponential(): number {
    return -Math.log(1 - this.uniform());
  }

  /** A Poisson draw: multiplication below a mean of 30, else Hörmann's transformed rejection PTRS (1993). */
  poisson(mean: number): number {
    if (!(mean > 0)) return 0;
    return mean < 30 ? poissonByMultiplication(this, mean) : poissonPtrs(this, mean);
  }

  /** Puts `values` into a random order in place (Fisher–Yates). */
  shuffle(values: Int32Array | Uint32Array | number[]): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const swapped = values[i];
      values[i] = values[j];
      values[j] = swapped;
    }
  }

  /** A new generator whose stream is unrelated to this one; advances this one by one draw. */
  fork(): Generator {
    return new Generator(this.uint32());
  }

  /** The whole state as five numbers; `spare` is null when there is none. JSON keeps it exactly. */
  saveState(): GeneratorState {
    return [this.s0 >>> 0, this.s1 >>> 0, this.s2 >>> 0, this.s3 >>> 0, Number.isNaN(this.spare) ? null : this.spare];
  }

  /** Takes over a state of {@link saveState}. */
  loadState(state: GeneratorState): void {
    [this.s0, this.s1, this.s2, this.s3] = state;
    this.spare = state[4] ?? NaN;
  }
}

/** What {@link Generator.saveState} returns. */
export type GeneratorState = [number, number, number, number, number | null];

function poissonByMultiplication(generator: Generator, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  let product = generator.uniform();
  while (product > limit) {
    count++;
    product *= generator.uniform();
  }
  return count;
}

function poissonPtrs(generator: Generator, mean: number): number {
  const logMean = Math.log(mean);
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const vR = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = generator.uniform() - 0.5;
    const v = generator.uniform();
    const us = 0.5 - Math.abs(u);
    const candidate = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= vR) return candidate;
    if (candidate < 0 || (us < 0.013 && v > us)) continue;
    const accept = Math.log(v) + Math.log(inverseAlpha) - Math.log(a / (us * us) + b);
    if (accept <= -mean + candidate * logMean - logGamma(candidate + 1)) return candidate;
  }
}

/** ln Γ(x) for x ≥ 1 by Lanczos' approximation (g = 7, n = 9), relative error below 1e-13. */
function logGamma(x: number): number {
  const coefficients = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const y = x - 1;
  let sum = coefficients[0];
  for (let i = 1; i < 9; i++) sum += coefficients[i] / (y + i);
  const t = y + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(sum);
}
