import type { BaselineDecision } from '../registry.ts';
import { CANDIDATE, candidateLayout } from './recommendation-observation.ts';

/** Size of a slate and of what it is chosen from. */
interface SlateShape {
  readonly slateSize: number;
  readonly candidates: number;
  readonly topics: number;
}

/** The most popular candidates first. */
export function mostPopular(shape: SlateShape): BaselineDecision {
  const { at, width } = candidateLayout(shape.topics);
  return ({ observation }) =>
    best(shape, (c) => observation[at + c * width + shape.topics + CANDIDATE.popularity]).slice(0, shape.slateSize);
}

/** The candidates in the order of their retrieval: the best match with the profile first. */
export function bestMatch({ slateSize }: SlateShape): BaselineDecision {
  const action = Array.from({ length: slateSize }, (_, place) => place);
  return () => action;
}

/** What a new candidate is worth in {@link diverseMatch} beside its match. */
const RATING_WORTH = 0.4;
const REPEAT_PRICE = 0.5;
const SIMILARITY_PRICE = 0.3;

/**
 * Maximal marginal relevance (Carbonell & Goldstein, 1998): one after the other the candidate with the best match and
 * rating, less its similarity to what is above it and to what was shown lately.
 */
export function diverseMatch(shape: SlateShape): BaselineDecision {
  const { topics } = shape;
  const { at, width } = candidateLayout(topics);
  return ({ observation }) => {
    const feature = (c: number, place: number): number => observation[at + c * width + topics + place];
    const similarity = (a: number, b: number): number => {
      let sum = 0;
      for (let t = 0; t < topics; t++) sum += observation[at + a * width + t] * observation[at + b * width + t];
      return sum;
    };
    const slate: number[] = [];
    while (slate.length < shape.slateSize) {
      const worth = (c: number): number =>
        feature(c, CANDIDATE.match) +
        RATING_WORTH * feature(c, CANDIDATE.rating) -
        REPEAT_PRICE * feature(c, CANDIDATE.shown) -
        SIMILARITY_PRICE * Math.max(0, ...slate.map((other) => similarity(c, other)));
      slate.push(best(shape, worth).find((c) => !slate.includes(c))!);
    }
    return slate;
  };
}

/** All candidates, the one with the highest worth first. */
function best({ candidates }: SlateShape, worth: (candidate: number) => number): number[] {
  const worths = Array.from({ length: candidates }, (_, c) => worth(c));
  return Array.from(worths.keys()).sort((a, b) => worths[b] - worths[a] || a - b);
}
