import type { Generator } from '../../random.ts';
import { BLOCK_OUTPUT_DBM } from './power-model.ts';
import { coherenceSeconds, lineOfSightProbability, NEAREST_METRES, pathLossDb, SHADOWING } from './path-loss.ts';
import { FRAME_MS } from './slices.ts';

const FRAME_SECONDS = FRAME_MS / 1000;
/** Gain of the base station's antenna, dBi. */
const ANTENNA_GAIN_DBI = 8;
/** Thermal noise of one resource block (360 kHz) and a noise figure of 9 dB, mW. */
const NOISE = 10 ** ((-174 + 10 * Math.log10(360e3) + 9) / 10);
/** Receive antennas of a user: so many independent Rayleigh branches are combined. */
const BRANCHES = 2;
/** Beyond this a receiver's own distortion hides what the channel gains, linear (30 dB). */
const HIGHEST_SINR = 1000;
/** Correlation of the neighbours' load from frame to frame, and the spread of its logit. */
const LOAD_CORRELATION = 0.995;
const LOAD_SPREAD = 0.8;

/** State of a {@link Channel} as JSON. */
export interface ChannelState {
  readonly users: readonly (readonly number[])[];
  readonly loadLogit: number;
}

/**
 * The radio channel between the mast and each user.
 *
 * 1. A user moves towards or away from the mast at a constant speed and turns at the cell's edges.
 * 2. Path loss by distance and line of sight, which a user keeps; six neighbouring sites interfere, the nearest in the
 *    user's direction, the others taken at the distance of the sites.
 * 3. Shadow fading is a Gauss–Markov process over distance (3GPP TR 38.901, 7.4.4), fast fading one of complex Gaussians
 *    over time (Rayleigh), constant within a frame and over all resource blocks.
 */
export class Channel {
  /** Signal over interference and noise of each user at full power, linear, as of this frame. */
  readonly sinr: Float64Array;
  /** Share of the time that the neighbours send. */
  neighbourLoad = 0;
  private readonly metres: Float64Array;
  /** Speed away from the mast, m/s. */
  private readonly radialSpeed: Float64Array;
  private readonly lineOfSight: Float64Array;
  private readonly shadow: Float64Array;
  private readonly shadowCorrelation: Float64Array;
  private readonly fadingCorrelation: Float64Array;
  /** Real and imaginary part of each branch. */
  private readonly fading: Float64Array;
  private readonly cellRadius: number;
  private readonly highestSpeed: number;
  private readonly meanLogit: number;
  private loadLogit = 0;

  constructor(
    users: number,
    options: { readonly cellRadius: number; readonly highestSpeed: number; readonly neighbourLoad: number },
  ) {
    const perUser = (): Float64Array => new Float64Array(users);
    this.sinr = perUser();
    this.metres = perUser();
    this.radialSpeed = perUser();
    this.lineOfSight = perUser();
    this.shadow = perUser();
    this.shadowCorrelation = perUser();
    this.fadingCorrelation = perUser();
    this.fading = new Float64Array(users * 2 * BRANCHES);
    this.cellRadius = options.cellRadius;
    this.highestSpeed = options.highestSpeed;
    this.meanLogit = logit(options.neighbourLoad);
  }

  /** Draws the neighbours' load anew. */
  reset(generator: Generator): void {
    this.loadLogit = LOAD_SPREAD * generator.normal();
    this.updateLoad();
  }

  /** Gives user `u` a new place, speed and channel. */
  place(u: number, generator: Generator): void {
    const nearest = (NEAREST_METRES / this.cellRadius) ** 2;
    // Evenly over the area, not over the distance.
    this.metres[u] = this.cellRadius * Math.sqrt(nearest + (1 - nearest) * generator.uniform());
    const speed = 0.5 + (this.highestSpeed - 0.5) * generator.uniform();
    this.radialSpeed[u] = speed * Math.cos(2 * Math.PI * generator.uniform());
    this.lineOfSight[u] = generator.uniform() < lineOfSightProbability(this.metres[u]) ? 1 : 0;
    const { deviationDb, decorrelationMetres } = this.shadowing(u);
    this.shadowCorrelation[u] = Math.exp((-speed * FRAME_SECONDS) / decorrelationMetres);
    this.fadingCorrelation[u] = Math.exp(-FRAME_SECONDS / coherenceSeconds(speed));
    this.shadow[u] = deviationDb * generator.normal();
    for (let i = u * 2 * BRANCHES; i < (u + 1) * 2 * BRANCHES; i++) this.fading[i] = generator.normal();
    this.measure(u);
  }

  /** Moves the neighbours' load on by a frame. */
  advanceLoad(generator: Generator): void {
    const spread = LOAD_SPREAD * Math.sqrt(1 - LOAD_CORRELATION ** 2);
    this.loadLogit = LOAD_CORRELATION * this.loadLogit + spread * generator.normal();
    this.updateLoad();
  }

  /** Moves user `u` and its channel on by a frame. */
  advance(u: number, generator: Generator): void {
    this.move(u);
    const shadowCorrelation = this.shadowCorrelation[u];
    const innovation = this.shadowing(u).deviationDb * Math.sqrt(1 - shadowCorrelation ** 2);
    this.shadow[u] = shadowCorrelation * this.shadow[u] + innovation * generator.normal();
    const correlation = this.fadingCorrelation[u];
    const spread = Math.sqrt(1 - correlation * correlation);
    for (let i = u * 2 * BRANCHES; i < (u + 1) * 2 * BRANCHES; i++) {
      this.fading[i] = correlation * this.fading[i] + spread * generator.normal();
    }
    this.measure(u);
  }

  saveState(): ChannelState {
    const { metres, radialSpeed, lineOfSight, shadow, shadowCorrelation, fadingCorrelation, fading, sinr } = this;
    const users = [metres, radialSpeed, lineOfSight, shadow, shadowCorrelation, fadingCorrelation, fading, sinr];
    return { users: users.map((values) => [...values]), loadLogit: this.loadLogit };
  }

  loadState({ users, loadLogit }: ChannelState): void {
    const { metres, radialSpeed, lineOfSight, shadow, shadowCorrelation, fadingCorrelation, fading, sinr } = this;
    const own = [metres, radialSpeed, lineOfSight, shadow, shadowCorrelation, fadingCorrelation, fading, sinr];
    own.forEach((values, index) => values.set(users[index]));
    this.loadLogit = loadLogit;
    this.updateLoad();
  }

  private move(u: number): void {
    const moved = this.metres[u] + this.radialSpeed[u] * FRAME_SECONDS;
    if (moved < NEAREST_METRES || moved > this.cellRadius) this.radialSpeed[u] = -this.radialSpeed[u];
    this.metres[u] = Math.min(Math.max(moved, NEAREST_METRES), this.cellRadius);
  }

  private measure(u: number): void {
    let power = 0;
    for (let i = u * 2 * BRANCHES; i < (u + 1) * 2 * BRANCHES; i++) power += this.fading[i] * this.fading[i];
    const sites = 2 * this.cellRadius;
    const nearest = received(pathLossDb(sites - this.metres[u], false));
    const others = 5 * received(pathLossDb(sites, false));
    const signal = received(pathLossDb(this.metres[u], this.lineOfSight[u] === 1) + this.shadow[u]);
    // The branches are combined by maximum ratio; each has a mean power of 2.
    const sinr = (signal * power) / 2 / (this.neighbourLoad * (nearest + others) + NOISE);
    this.sinr[u] = sinr < HIGHEST_SINR ? sinr : HIGHEST_SINR;
  }

  private shadowing(u: number): { readonly deviationDb: number; readonly decorrelationMetres: number } {
    return this.lineOfSight[u] === 1 ? SHADOWING.lineOfSight : SHADOWING.obstructed;
  }

  private updateLoad(): void {
    this.neighbourLoad = 1 / (1 + Math.exp(-this.meanLogit - this.loadLogit));
  }
}

/** Power of one resource block behind a loss, mW. */
function received(lossDb: number): number {
  return Math.exp((Math.LN10 / 10) * (BLOCK_OUTPUT_DBM + ANTENNA_GAIN_DBI - lossDb));
}

/** The logit of a share, held within ±8. */
function logit(share: number): number {
  return Math.min(Math.max(Math.log(share / (1 - share)), -8), 8);
}
