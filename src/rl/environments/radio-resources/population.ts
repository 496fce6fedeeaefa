import type { Generator } from '../../random.ts';
import { FRAME_MS } from './slices.ts';
import type { SliceBounds } from './slices.ts';

/** Mean stay of a user, frames. */
const STAY_FRAMES = 4000 / FRAME_MS;
/** Mean time that a slice is busy, or quiet, frames. */
const MODE_FRAMES = 3000 / FRAME_MS;
/** Share of the places that are taken in the long run. */
const BUSY_OCCUPANCY = 0.75;
const QUIET_OCCUPANCY = 0.1;

/** State of a {@link Population} as JSON. */
export interface PopulationState {
  readonly present: readonly number[];
  readonly busy: readonly number[];
}

/** Who is there: users come and go, and a slice as a whole is busy or quiet for some seconds. */
export class Population {
  /** 1 for each user who is there. */
  readonly present: Uint8Array;
  private readonly busy: Uint8Array;
  private readonly bounds: SliceBounds;

  constructor(bounds: SliceBounds) {
    this.bounds = bounds;
    this.present = new Uint8Array(bounds[3]);
    this.busy = new Uint8Array(bounds.length - 1);
  }

  /** Draws modes and users in their long-run proportions. @param enter is told of each user who is there. */
  reset(generator: Generator, enter: (user: number) => void): void {
    for (let slice = 0; slice < this.busy.length; slice++) {
      this.busy[slice] = generator.uniform() < 0.5 ? 1 : 0;
      for (let u = this.bounds[slice]; u < this.bounds[slice + 1]; u++) {
        this.present[u] = generator.uniform() < this.occupancy(slice) ? 1 : 0;
        if (this.present[u] === 1) enter(u);
      }
    }
  }

  /** Lets a frame pass. */
  advance(generator: Generator, enter: (user: number) => void, leave: (user: number) => void): void {
    for (let slice = 0; slice < this.busy.length; slice++) {
      if (generator.uniform() < 1 / MODE_FRAMES) this.busy[slice] = 1 - this.busy[slice];
      const occupancy = this.occupancy(slice);
      for (let u = this.bounds[slice]; u < this.bounds[slice + 1]; u++) {
        const here = this.present[u] === 1;
        const rate = here ? 1 : occupancy / (1 - occupancy);
        if (generator.uniform() >= rate / STAY_FRAMES) continue;
        this.present[u] = here ? 0 : 1;
        if (here) leave(u);
        else enter(u);
      }
    }
  }

  /** Users of a slice who are there. */
  count(slice: number): number {
    let count = 0;
    for (let u = this.bounds[slice]; u < this.bounds[slice + 1]; u++) count += this.present[u];
    return count;
  }

  saveState(): PopulationState {
    return { present: [...this.present], busy: [...this.busy] };
  }

  loadState({ present, busy }: PopulationState): void {
    this.present.set(present);
    this.busy.set(busy);
  }

  private occupancy(slice: number): number {
    return this.busy[slice] === 1 ? BUSY_OCCUPANCY : QUIET_OCCUPANCY;
  }
}
