import type { Generator } from '../../random.ts';
import type { Catalogue } from './catalogue.ts';
import type { History } from './history.ts';
import { POOL_FACTOR } from './options.ts';

/** Chance that an item of the pool is drawn by its popularity, not evenly. */
const POPULAR_SHARE = 0.5;
/** Share of the candidates that are the best of the pool; the others are whatever else is in it. */
const BEST_SHARE = 0.6;
/** What the rating and popularity add to an item's score beside its match with the profile. */
const RATING_WEIGHT = 0.15;
const POPULARITY_WEIGHT = 0.1;

/**
 * The first stage of a recommender: finds candidates for the slate in the catalogue, the best-matching and some others
 * (so that there is something to explore), ranked by score.
 */
export class Retrieval {
  private readonly catalogue: Catalogue;
  private readonly pool: Int32Array;
  private readonly inPool: Uint8Array;
  private readonly score: Float64Array;

  constructor(catalogue: Catalogue, candidates: number) {
    this.catalogue = catalogue;
    this.pool = new Int32Array(candidates * POOL_FACTOR);
    this.inPool = new Uint8Array(catalogue.size);
    this.score = new Float64Array(catalogue.size);
  }

  /** Writes the candidates for the next slate, best first, all different. */
  retrieve(history: History, generator: Generator, candidates: Int32Array): void {
    this.drawPool(generator);
    const profile = scaled(history.profile);
    for (const item of this.pool) this.score[item] = this.scoreOf(item, profile);
    this.sort(this.pool);
    const best = Math.ceil(BEST_SHARE * candidates.length);
    const rest = this.pool.subarray(best);
    generator.shuffle(rest);
    candidates.set(this.pool.subarray(0, candidates.length));
    this.sort(candidates);
  }

  /** How well an item suits the profile (a vector of length at most 1). */
  private scoreOf(item: number, profile: Float64Array): number {
    const { catalogue } = this;
    return (
      catalogue.match(item, profile) +
      RATING_WEIGHT * catalogue.rating[item] +
      POPULARITY_WEIGHT * catalogue.popularity[item]
    );
  }

  private drawPool(generator: Generator): void {
    for (let place = 0; place < this.pool.length; place++) {
      let item: number;
      do {
        const popular = generator.uniform() < POPULAR_SHARE;
        item = popular ? this.catalogue.drawPopular(generator) : generator.integer(this.catalogue.size);
      } while (this.inPool[item] === 1);
      this.inPool[item] = 1;
      this.pool[place] = item;
    }
    for (const item of this.pool) this.inPool[item] = 0;
  }

  private sort(items: Int32Array): void {
    items.sort((a, b) => this.score[b] - this.score[a] || a - b);
  }
}

/** A vector without negative elements scaled to a length of at most 1. */
export function scaled(vector: Float64Array): Float64Array {
  const length = Math.max(1, Math.hypot(...vector));
  return vector.map((value) => value / length);
}
