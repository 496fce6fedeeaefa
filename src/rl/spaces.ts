import { CoxswainError } from '../contracts/errors.ts';
import type { BoxSpace, DiscreteSpace, EnvironmentDescription, MultiDiscreteSpace, Space } from './environment.ts';

/** Elements of a box or choices of all heads together: what a network has as inputs or outputs. */
export function spaceSize(space: Space): number {
  switch (space.kind) {
    case 'box':
      return space.shape.reduce((product, length) => product * length, 1);
    case 'discrete':
      return space.n;
    case 'multi-discrete':
      return space.choices.reduce((sum, count) => sum + count, 0);
  }
}

/** Whether agents can go from one environment to the other: spaces, masks and the layout of a graph are the same. */
export function sameSpaces(one: EnvironmentDescription, other: EnvironmentDescription): boolean {
  return spacesOf(one) === spacesOf(other);
}

function spacesOf({ observationSpace, actionSpace, actionMaskSize, graph }: EnvironmentDescription): string {
  return JSON.stringify([observationSpace, actionSpace, actionMaskSize, graph]);
}

/**
 * Discrete actions as a network sees them: `heads` rows of `width` logits. Heads with fewer choices than the largest are
 * padded with choices that are always masked, so one softmax over rows serves all heads.
 */
export class ActionLayout {
  /** Choices of each head. */
  readonly choices: readonly number[];
  readonly heads: number;
  /** Choices of the largest head. */
  readonly width: number;
  /** Sum of all heads' choices: the bits of an action mask. */
  readonly maskSize: number;
  /** For each place of the padded rows its place in a mask, or −1 for padding. */
  readonly maskPlaces: readonly number[];

  constructor(choices: readonly number[]) {
    this.choices = choices;
    this.heads = choices.length;
    this.width = Math.max(...choices);
    this.maskSize = choices.reduce((sum, count) => sum + count, 0);
    let start = 0;
    this.maskPlaces = choices.flatMap((count) => {
      const places = Array.from({ length: this.width }, (_, choice) => (choice < count ? start + choice : -1));
      start += count;
      return places;
    });
  }

  /** Logits of one action: heads × width. */
  get logits(): number {
    return this.heads * this.width;
  }

  /** True when some head has fewer choices than another. */
  get padded(): boolean {
    return this.logits !== this.maskSize;
  }
}

/** @throws CoxswainError ENVIRONMENT_INVALID when a head has no choice or the mask does not fit. */
export function actionLayoutOf({
  name,
  actionSpace,
  actionMaskSize,
}: Pick<EnvironmentDescription, 'name' | 'actionSpace' | 'actionMaskSize'>): ActionLayout {
  if (actionSpace.kind === 'box') {
    throw new CoxswainError('ENVIRONMENT_INVALID', `${name}: its actions are continuous and have no choices.`);
  }
  const layout = new ActionLayout(choicesOf(actionSpace));
  if (layout.heads === 0 || layout.choices.some((count) => !Number.isInteger(count) || count < 1)) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `${name}: every head of the action space needs at least one choice.`,
    );
  }
  if (actionMaskSize !== 0 && actionMaskSize !== layout.maskSize) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `${name}: the action mask has ${actionMaskSize} bits, but the action space has ${layout.maskSize} choices.`,
    );
  }
  return layout;
}

/** Choices of each head; a discrete space has one head. */
export function choicesOf(space: DiscreteSpace | MultiDiscreteSpace): readonly number[] {
  return space.kind === 'discrete' ? [space.n] : space.choices;
}

/** The bounds of every element of a box. @throws CoxswainError ENVIRONMENT_INVALID when one is not finite or they cross. */
export function boundsOf({ shape, low, high }: BoxSpace): { low: number[]; high: number[] } {
  const size = spaceSize({ kind: 'box', shape, low, high });
  const bounds = (given: number | readonly number[]): number[] =>
    typeof given === 'number' ? new Array<number>(size).fill(given) : [...given];
  const all = { low: bounds(low), high: bounds(high) };
  const wrong = all.low.findIndex(
    (bound, i) => !(Number.isFinite(bound) && Number.isFinite(all.high[i]) && bound < all.high[i]),
  );
  if (wrong >= 0 || all.low.length !== size || all.high.length !== size) {
    throw new CoxswainError(
      'ENVIRONMENT_INVALID',
      `Element ${Math.max(0, wrong)} of a continuous action space needs two finite bounds, the lower one first.`,
    );
  }
  return all;
}
