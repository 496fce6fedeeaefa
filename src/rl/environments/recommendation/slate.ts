import type { Catalogue } from './catalogue.ts';

/**
 * Writes the slate that an action means. An item cannot be shown twice: where a head chooses what an earlier position
 * has, the best-ranked candidate that no position has takes the place (candidates come ranked, 0 the best).
 * @param choices index of a candidate for each position
 */
export function composeSlate(choices: ArrayLike<number>, candidates: Int32Array, slate: Int32Array): void {
  const taken = new Uint8Array(candidates.length);
  const repeated: number[] = [];
  for (let place = 0; place < slate.length; place++) {
    if (taken[choices[place]] === 1) repeated.push(place);
    taken[choices[place]] = 1;
    slate[place] = candidates[choices[place]];
  }
  for (const place of repeated) {
    const next = taken.indexOf(0);
    taken[next] = 1;
    slate[place] = candidates[next];
  }
}

/**
 * Intra-list diversity: the mean over pairs of 1 − cosine of their topics, 0 … 1 (Ziegler et al., "Improving recommendation
 * lists through topic diversification", 2005). 0 for a slate of one.
 */
export function intraListDiversity(slate: ArrayLike<number>, catalogue: Catalogue): number {
  let sum = 0;
  let pairs = 0;
  for (let a = 1; a < slate.length; a++) {
    for (let b = 0; b < a; b++, pairs++) sum += 1 - catalogue.similarity(slate[a], slate[b]);
  }
  return pairs > 0 ? sum / pairs : 0;
}
