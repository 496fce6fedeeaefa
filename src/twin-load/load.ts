import { crowdShape } from '../recordings/generator.ts';

/** A rate of users' requests over time. @param atSeconds simulated, since the beginning. @returns requests/s. */
export type RateProfile = (atSeconds: number) => number;

/** A crowd that comes and goes; its shape is that of the generator's crowds (src/recordings/generator.ts). */
export interface FlashCrowd {
  /** Multiple of the rate at its peak. */
  readonly peak: number;
  /** When it begins, simulated seconds since the beginning. */
  readonly atSeconds: number;
  readonly minutes: number;
}

/** The rates of a trace; after its end it begins again. @param counts requests in each bin. */
export function traceProfile(counts: ArrayLike<number>, binSeconds: number): RateProfile {
  return (atSeconds) => counts[Math.floor(atSeconds / binSeconds) % counts.length] / binSeconds;
}

/** What users send, and what somebody at the controls makes of it. */
export class Load {
  readonly #profile: RateProfile;
  readonly #crowds: FlashCrowd[];
  #fixedRate: number | null = null;

  constructor(profile: RateProfile, crowds: readonly FlashCrowd[] = []) {
    this.#profile = profile;
    this.#crowds = [...crowds];
  }

  /** Requests/s at a moment. Where crowds overlap the larger counts. */
  rateAt(atSeconds: number): number {
    if (this.#fixedRate !== null) return this.#fixedRate;
    const factors = this.#crowds.map(
      ({ peak, atSeconds: from, minutes }) => 1 + (peak - 1) * crowdShape((atSeconds - from) / (60 * minutes)),
    );
    return this.#profile(atSeconds) * Math.max(1, ...factors);
  }

  /** Sends exactly this many from now on; null = what the profile and the crowds say. */
  fix(requestsPerSecond: number | null): void {
    this.#fixedRate = requestsPerSecond;
  }

  /** Adds a crowd, and forgets those that are over. */
  addCrowd(crowd: FlashCrowd, nowSeconds: number): void {
    const open = this.#crowds.filter(({ atSeconds, minutes }) => atSeconds + 60 * minutes > nowSeconds);
    this.#crowds.splice(0, Infinity, ...open, crowd);
  }
}
