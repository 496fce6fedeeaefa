import { Generator } from '../../random.ts';

/** Shortest and longest item, minutes. */
const SHORTEST = 1;
const LONGEST = 40;
const MEDIAN_MINUTES = 6;
/** Exponent of the popularity's power law over ranks. */
const POPULARITY_EXPONENT = 0.8;

/**
 * The items that can be shown. An item has one main topic and a little of another; its length is lognormal; popularity
 * falls with a power of its rank (as views do on video sites and ratings in MovieLens), and better items tend to be more
 * popular. All of it follows from the seed.
 */
export class Catalogue {
  readonly size: number;
  readonly topicCount: number;
  /** Row = item: a vector of length 1 without negative elements. */
  readonly topics: Float64Array;
  /** What a user finds who watches it: standard normal within ±2. Not shown. */
  readonly quality: Float64Array;
  /** The quality as other users have rated it, with error: −1 … 1. */
  readonly rating: Float64Array;
  readonly minutes: Float64Array;
  /** Views relative to the most popular item, 0 … 1. */
  readonly popularity: Float64Array;
  /** Running sum of the popularity, for drawing by it. */
  private readonly cumulative: Float64Array;

  constructor(size: number, topicCount: number, seed: number) {
    const generator = new Generator(seed);
    this.size = size;
    this.topicCount = topicCount;
    this.topics = new Float64Array(size * topicCount);
    this.quality = new Float64Array(size);
    this.rating = new Float64Array(size);
    this.minutes = new Float64Array(size);
    this.popularity = new Float64Array(size);
    this.cumulative = new Float64Array(size);
    for (let item = 0; item < size; item++) this.draw(item, generator);
    this.rank(generator);
  }

  /** An item, drawn in proportion to its popularity. */
  drawPopular(generator: Generator): number {
    const target = generator.uniform() * this.cumulative[this.size - 1];
    let low = 0;
    let high = this.size - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.cumulative[middle] > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Inner product of an item's topics with a vector over topics. */
  match(item: number, vector: ArrayLike<number>): number {
    let sum = 0;
    for (let topic = 0, i = item * this.topicCount; topic < this.topicCount; topic++, i++) {
      sum += this.topics[i] * vector[topic];
    }
    return sum;
  }

  /** Cosine of the topics of two items, 0 … 1. */
  similarity(a: number, b: number): number {
    const { topicCount, topics } = this;
    return Math.min(1, this.match(a, topics.subarray(b * topicCount, (b + 1) * topicCount)));
  }

  private draw(item: number, generator: Generator): void {
    const { topics, topicCount } = this;
    const main = 0.6 + 0.4 * generator.uniform();
    const first = item * topicCount;
    topics[first + generator.integer(topicCount)] += main;
    topics[first + generator.integer(topicCount)] += 1 - main;
    const length = Math.hypot(...topics.subarray(first, first + topicCount));
    for (let i = first; i < first + topicCount; i++) topics[i] /= length;
    this.quality[item] = clip(generator.normal(), -2, 2);
    this.rating[item] = clip((this.quality[item] + 0.7 * generator.normal()) / 3, -1, 1);
    this.minutes[item] = clip(MEDIAN_MINUTES * Math.exp(0.6 * generator.normal()), SHORTEST, LONGEST);
  }

  private rank(generator: Generator): void {
    const score = Float64Array.from(this.quality, (quality) => quality + 1.5 * generator.normal());
    const order = Array.from(score.keys()).sort((a, b) => score[b] - score[a] || a - b);
    order.forEach((item, rank) => (this.popularity[item] = (rank + 1) ** -POPULARITY_EXPONENT));
    let sum = 0;
    for (let item = 0; item < this.size; item++) this.cumulative[item] = sum += this.popularity[item];
  }
}

/** The longest that an item can be, minutes. */
export const LONGEST_MINUTES = LONGEST;

function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
