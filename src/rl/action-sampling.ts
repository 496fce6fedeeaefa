import { CoxswainError } from '../contracts/errors.ts';
import type { Generator } from './random.ts';
import type { ActionLayout } from './spaces.ts';

/** What is added to the logit of a choice that is not allowed: its probability becomes exactly 0. */
export const maskedLogit = -1e8;

/**
 * Turns action masks into what is added to the logits: 0 where allowed, −1e8 where not and at padding.
 * @param masks rows of `layout.maskSize` bits; null when everything is allowed.
 * @throws CoxswainError ENVIRONMENT_INVALID when a head of a row allows nothing.
 */
export function fillPenalties(layout: ActionLayout, masks: Uint8Array | null, penalties: Float32Array): void {
  const { maskPlaces, maskSize, heads, width } = layout;
  for (let start = 0, firstBit = 0; start < penalties.length; start += heads * width, firstBit += maskSize) {
    for (let head = 0; head < heads; head++) {
      let allowedInHead = 0;
      for (let place = head * width; place < (head + 1) * width; place++) {
        const bit = maskPlaces[place];
        const allowed = bit >= 0 && (masks === null || masks[firstBit + bit] !== 0);
        penalties[start + place] = allowed ? 0 : maskedLogit;
        if (allowed) allowedInHead++;
      }
      if (allowedInHead > 0) continue;
      throw new CoxswainError('ENVIRONMENT_INVALID', `An action mask allows no choice of head ${head}.`);
    }
  }
}

/**
 * Draws one choice for every head of one row.
 * @param probabilities of all choices, heads × width, at `offset`.
 * @param action receives one whole number a head.
 * @returns ln of the probability of the whole action.
 */
export function sampleAction(
  layout: ActionLayout,
  probabilities: Float32Array,
  offset: number,
  generator: Generator,
  action: Int32Array,
): number {
  let logProbability = 0;
  for (let head = 0; head < layout.heads; head++) {
    const start = offset + head * layout.width;
    const choice = sampleChoice(probabilities, start, layout.width, generator.uniform());
    action[head] = choice;
    logProbability += Math.log(probabilities[start + choice]);
  }
  return logProbability;
}

/** The first choice at which the cumulated probability exceeds `uniform`; the last possible one when rounding prevents it. */
function sampleChoice(probabilities: Float32Array, start: number, width: number, uniform: number): number {
  let cumulated = 0;
  let lastPossible = 0;
  for (let choice = 0; choice < width; choice++) {
    const probability = probabilities[start + choice];
    if (probability === 0) continue;
    lastPossible = choice;
    cumulated += probability;
    if (uniform < cumulated) return choice;
  }
  return lastPossible;
}

/**
 * Draws the elements of one row from independent normal variables.
 * @param means of all elements, at `offset`.
 * @param deviations one an element.
 * @param values receives the elements, not bounded.
 * @returns ln of the density of the whole action.
 */
export function sampleNormal(
  means: Float32Array,
  deviations: Float32Array,
  offset: number,
  generator: Generator,
  values: Float32Array,
): number {
  let logDensity = 0;
  for (let i = 0; i < deviations.length; i++) {
    const draw = generator.normal();
    values[i] = means[offset + i] + deviations[i] * draw;
    logDensity -= 0.5 * draw * draw + Math.log(deviations[i]) + halfLogTau;
  }
  return logDensity;
}

/** ½ ln 2π */
export const halfLogTau = 0.5 * Math.log(2 * Math.PI);
