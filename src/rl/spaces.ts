import { CoxswainError } from '../contracts/errors.ts';
import type { EnvironmentDescription, Space } from './environment.ts';

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

/** @throws CoxswainError ENVIRONMENT_INVALID when the action space is not discrete. */
export function actionLayoutOf({ name, actionSpace, actionMaskSize }: EnvironmentDescription): ActionLayout {
  const layout = new ActionLayout(choicesOf(name, actionSpace));
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

function choicesOf(name: string, space: Space): readonly number[] {
  switch (space.kind) {
    case 'discrete':
      return [space.n];
    case 'multi-discrete':
      return space.choices;
    case 'box':
      throw new CoxswainError(
        'ENVIRONMENT_INVALID',
        `${name}: continuous actions are not supported; use a discrete or multi-discrete action space.`,
      );
  }
}
