import type { Generator } from './random.ts';

/** What is added to the actions of a deterministic policy so that it explores. */
export interface ActionNoise {
  /** Adds noise to a row of elements in [−1, 1] for each environment, which stay there. */
  addTo(units: Float32Array): void;
  /** Begins anew for an environment whose episode is over. */
  reset(environment: number): void;
  /** JSON keeps it exactly. */
  saveState(): readonly number[];
  loadState(state: readonly number[]): void;
}

/** Which noise. */
export interface NoiseOptions {
  readonly actionNoise: 'none' | 'normal' | 'ornstein-uhlenbeck';
  /** σ, in an action's range of [−1, 1]. */
  readonly noiseDeviation: number;
  /** θ of the Ornstein–Uhlenbeck process. */
  readonly noiseReversion: number;
  /** Time that the Ornstein–Uhlenbeck process takes a step for. */
  readonly noiseTimeStep: number;
}

/** Noise for rows of `size` elements, one row an environment. */
export function actionNoise(
  options: NoiseOptions,
  environments: number,
  size: number,
  generator: Generator,
): ActionNoise {
  const { actionNoise: kind, noiseDeviation, noiseReversion, noiseTimeStep } = options;
  if (kind === 'ornstein-uhlenbeck') {
    const kept = 1 - noiseReversion * noiseTimeStep;
    return new CorrelatedNoise(kept, noiseDeviation * Math.sqrt(noiseTimeStep), environments, size, generator);
  }
  // Independent draws are the process that keeps nothing of the last one.
  return new CorrelatedNoise(0, kind === 'none' ? 0 : noiseDeviation, environments, size, generator);
}

/**
 * n′ = kept · n + σ · N(0, 1) for each element. With kept = 1 − θ dt and σ √dt it is the Ornstein–Uhlenbeck process
 * (Uhlenbeck & Ornstein 1930) by Euler's method, which pushes the same way for many steps (Lillicrap et al. 2016,
 * section 3); with kept = 0 plain normal noise.
 */
class CorrelatedNoise implements ActionNoise {
  private readonly kept: number;
  private readonly deviation: number;
  private readonly size: number;
  private readonly generator: Generator;
  private readonly values: Float64Array;

  constructor(kept: number, deviation: number, environments: number, size: number, generator: Generator) {
    this.kept = kept;
    this.deviation = deviation;
    this.size = size;
    this.generator = generator;
    this.values = new Float64Array(environments * size);
  }

  addTo(units: Float32Array): void {
    if (this.deviation === 0) return;
    for (let i = 0; i < units.length; i++) {
      this.values[i] = this.kept * this.values[i] + this.deviation * this.generator.normal();
      units[i] = Math.min(1, Math.max(-1, units[i] + this.values[i]));
    }
  }

  reset(environment: number): void {
    this.values.fill(0, environment * this.size, (environment + 1) * this.size);
  }

  saveState(): readonly number[] {
    return [...this.values];
  }

  loadState(state: readonly number[]): void {
    this.values.set(state);
  }
}
