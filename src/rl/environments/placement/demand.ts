import { Generator } from '../../random.ts';
import type { GeneratorState } from '../../random.ts';

/** Control steps of a day: one minute each. */
export const DAY_STEPS = 1440;
/** Demand at its lowest, share of the peak. */
const LOWEST = 0.3;
/** Noise: first-order autoregressive. */
const NOISE_KEPT = 0.9;
const NOISE_DEVIATION = 0.1;
/** Bursts begin once in two hours on average, by 30 … 80 %, and fade by a tenth a step. */
const BURST_PROBABILITY = 1 / 120;
const BURST_KEPT = 0.9;
/** How far the users' share of a zone swings over the day. */
const ZONE_SWING = 0.8;

/** State of a {@link Demand} as JSON. */
export interface DemandState {
  readonly step: number;
  readonly noise: number;
  readonly burst: number;
  readonly earlier: readonly number[];
  readonly generator: GeneratorState;
}

/** How many requests users send, and from which zones: a daily curve with noise and bursts; the zones' days are shifted. */
export class Demand {
  /** Requests over those of the peak, about 0.2 … 2. */
  level = 0;
  /** Share of the users in each zone; sums to 1. */
  readonly userShare: Float64Array;
  /** Step of the day. */
  step = 0;
  private readonly zones: number;
  private generator = new Generator(0);
  private noise = 0;
  private burst = 0;
  /** Levels of the last steps, newest first. */
  private readonly earlier = new Float64Array(6);

  constructor(zones: number) {
    this.zones = zones;
    this.userShare = new Float64Array(zones);
  }

  /** Level now over the level five steps ago, as a logarithm. */
  get trend(): number {
    return Math.log(this.earlier[0] / this.earlier[this.earlier.length - 1]);
  }

  /** Starts at a random time of the day. */
  reset(generator: Generator): void {
    this.generator = generator;
    this.step = generator.integer(DAY_STEPS);
    this.noise = 0;
    this.burst = 0;
    this.measure();
    this.earlier.fill(this.level);
  }

  /** One control step later. */
  advance(): void {
    const { generator } = this;
    this.step = (this.step + 1) % DAY_STEPS;
    this.noise = NOISE_KEPT * this.noise + Math.sqrt(1 - NOISE_KEPT ** 2) * NOISE_DEVIATION * generator.normal();
    this.burst *= BURST_KEPT;
    if (generator.uniform() < BURST_PROBABILITY) this.burst = 0.3 + 0.5 * generator.uniform();
    this.measure();
    this.earlier.copyWithin(1, 0, this.earlier.length - 1);
    this.earlier[0] = this.level;
  }

  saveState(): DemandState {
    const { step, noise, burst } = this;
    return { step, noise, burst, earlier: [...this.earlier], generator: this.generator.saveState() };
  }

  loadState(state: DemandState): void {
    this.step = state.step;
    this.noise = state.noise;
    this.burst = state.burst;
    this.earlier.set(state.earlier);
    this.generator = new Generator(0);
    this.generator.loadState(state.generator);
    this.measure();
  }

  private measure(): void {
    const day = (2 * Math.PI * this.step) / DAY_STEPS;
    const curve = LOWEST + (1 - LOWEST) * (0.5 - 0.5 * Math.cos(day));
    this.level = curve * Math.exp(this.noise) * (1 + this.burst);
    let sum = 0;
    for (let zone = 0; zone < this.zones; zone++) {
      this.userShare[zone] = 1 + ZONE_SWING * Math.sin(day + (2 * Math.PI * zone) / this.zones);
      sum += this.userShare[zone];
    }
    for (let zone = 0; zone < this.zones; zone++) this.userShare[zone] /= sum;
  }
}
