import type { Generator } from '../../random.ts';

/** Cascade: chance to look at the next position after a position without a click. */
const GOES_ON = 0.85;
/** Cascade: what a fully watched item takes from the chance to go on. */
const SATISFIED = 0.5;
/** Position: exponent of the examination over positions 1, 2 … */
const POSITION_BIAS = 0.7;

/** How a user goes through a slate. */
export interface ClickModel {
  /** Whether position `position` (0 first) is looked at, given the one before was (or nothing was before). */
  looks(position: number, generator: Generator): boolean;
  /** Whether the user goes on to the next position. @param watched share of the clicked item, 0 when it was not clicked. */
  goesOn(watched: number, generator: Generator): boolean;
}

/**
 * From top to bottom: after no click the user goes on with a fixed chance, after a click the less, the more of the item
 * pleased (dynamic Bayesian network: Chapelle & Zhang, "A dynamic Bayesian network click model for web search ranking",
 * 2009; without clicks the cascade of Craswell et al., 2008).
 */
const cascade: ClickModel = {
  looks: () => true,
  goesOn: (watched, generator) => generator.uniform() < (watched > 0 ? 1 - SATISFIED * watched : GOES_ON),
};

/**
 * Each position by itself, the lower the less (position-based model: Richardson et al., "Predicting clicks", 2007; the
 * power law over ranks as in Joachims et al., 2017).
 */
const position: ClickModel = {
  looks: (place, generator) => generator.uniform() < (place + 1) ** -POSITION_BIAS,
  goesOn: () => true,
};

/** The click models by the names of the parameter. */
export const clickModels = { cascade, position } as const;

/** What a user did with one slate. */
export interface SlateOutcome {
  /** Share of each item that was watched; 0 = not clicked. */
  readonly watched: Float64Array;
  readonly clicks: number;
  readonly minutes: number;
  /** 1 − Π(1 − share watched): how much of it was worth it, 0 … 1. */
  readonly satisfaction: number;
}

/** A user as a click model sees them. */
export interface SlateViewer {
  appeal(item: number): number;
  watch(item: number, share: number): void;
}

/** How far the share watched follows the appeal, and its noise, logits. */
const WATCH_OFFSET = 0.6;
const WATCH_SLOPE = 0.8;
const WATCH_NOISE = 0.7;
/** Whoever clicks watches so much of the item at least. */
const LEAST_WATCHED = 0.02;

/**
 * Shows a slate. A looked-at item is clicked with the logistic of its appeal; a clicked one is watched for a share that is
 * logistic-normal around its appeal.
 * @param minutesOf length of an item, minutes
 */
export function showSlate(
  slate: ArrayLike<number>,
  viewer: SlateViewer,
  model: ClickModel,
  minutesOf: ArrayLike<number>,
  generator: Generator,
): SlateOutcome {
  const watched = new Float64Array(slate.length);
  let clicks = 0;
  let minutes = 0;
  let missed = 1;
  for (let place = 0; place < slate.length; place++) {
    if (model.looks(place, generator)) {
      const appeal = viewer.appeal(slate[place]);
      if (generator.uniform() < logistic(appeal)) {
        const logit = WATCH_OFFSET + WATCH_SLOPE * appeal + WATCH_NOISE * generator.normal();
        watched[place] = Math.max(LEAST_WATCHED, logistic(logit));
        viewer.watch(slate[place], watched[place]);
        clicks++;
        minutes += watched[place] * minutesOf[slate[place]];
        missed *= 1 - watched[place];
      }
    }
    if (!model.goesOn(watched[place], generator)) break;
  }
  return { watched, clicks, minutes, satisfaction: 1 - missed };
}

function logistic(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
