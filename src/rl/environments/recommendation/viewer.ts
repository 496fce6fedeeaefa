import type { Generator } from '../../random.ts';
import type { Catalogue } from './catalogue.ts';

/** Appeal (logits) of an item that matches no interest, and what a full match adds. */
const BASE_APPEAL = -2.6;
const MATCH_APPEAL = 4;
/** What a unit of quality adds. */
const QUALITY_APPEAL = 0.5;
/** What an item loses that was watched in this session. */
const REPEAT_APPEAL = -2;
/** Share of the satiation that is left after a slate; what watching a whole item adds of what is missing to 1. */
const SATIATION_KEPT = 0.9;
const SATIATION_GAIN = 0.35;
/** How much a watched item strengthens the interest in its topics. */
const REINFORCEMENT = 0.03;
/** What a good slate gives to the patience, and what one without anything takes. */
const PATIENCE_GAIN = 0.08;
const PATIENCE_LOSS = 0.07;
/** Chance to leave after a slate: at full patience, and what is added without any. */
const LEAVES_ANYWAY = 0.01;
const LEAVES_BORED = 0.35;

/** State of a {@link Viewer} as JSON. */
export interface ViewerState {
  readonly interests: readonly number[];
  readonly satiation: readonly number[];
  readonly patience: number;
  readonly watched: readonly number[];
}

/**
 * A user: interests that nobody sees, what they have had enough of, and how long they stay.
 *
 * 1. Appeal of an item (logits) = a base + match with the interests + quality − satiation of its topics − repetition.
 * 2. Satiation of a topic grows with watching and fades with every slate: a linear dynamical system, as in Leqi et al.,
 *    "Rebounding bandits for modeling satiation effects" (2021).
 * 3. Interests drift at random and towards what is watched, as in RecSim (Ie et al., 2019).
 * 4. Patience falls with slates that offer nothing; without it users leave.
 */
export class Viewer {
  /** A vector of length 1 without negative elements. */
  readonly interests: Float64Array;
  /** How much the user has had of each topic, 0 … 1. */
  readonly satiation: Float64Array;
  /** 0 … 1. */
  patience = 1;
  private watched = new Set<number>();
  private readonly catalogue: Catalogue;
  private readonly satiationAppeal: number;
  private readonly drift: number;

  constructor(catalogue: Catalogue, satiationAppeal: number, drift: number) {
    this.catalogue = catalogue;
    this.satiationAppeal = satiationAppeal;
    this.drift = drift;
    this.interests = new Float64Array(catalogue.topicCount);
    this.satiation = new Float64Array(catalogue.topicCount);
  }

  /** Draws a new user: a few strong interests, since squared exponentials are far apart. */
  reset(generator: Generator): void {
    for (let topic = 0; topic < this.interests.length; topic++) this.interests[topic] = generator.exponential() ** 2;
    normalise(this.interests);
    this.satiation.fill(0);
    this.patience = 0.6 + 0.4 * generator.uniform();
    this.watched.clear();
  }

  /** Appeal of an item at this moment, logits. */
  appeal(item: number): number {
    const { catalogue } = this;
    return (
      BASE_APPEAL +
      MATCH_APPEAL * catalogue.match(item, this.interests) +
      QUALITY_APPEAL * catalogue.quality[item] -
      this.satiationAppeal * catalogue.match(item, this.satiation) +
      (this.watched.has(item) ? REPEAT_APPEAL : 0)
    );
  }

  /** The user watches `share` (0 … 1) of an item. */
  watch(item: number, share: number): void {
    const { catalogue, satiation, interests } = this;
    const strength = REINFORCEMENT * share * catalogue.match(item, interests);
    for (let topic = 0, i = item * catalogue.topicCount; topic < satiation.length; topic++, i++) {
      satiation[topic] += SATIATION_GAIN * share * catalogue.topics[i] * (1 - satiation[topic]);
      interests[topic] += strength * catalogue.topics[i];
    }
    normalise(interests);
    this.watched.add(item);
  }

  /** A slate is over. @param satisfaction 0 … 1. @returns whether the user leaves */
  finishSlate(satisfaction: number, generator: Generator): boolean {
    for (let topic = 0; topic < this.satiation.length; topic++) this.satiation[topic] *= SATIATION_KEPT;
    for (let topic = 0; topic < this.interests.length; topic++) {
      this.interests[topic] = Math.max(0, this.interests[topic] + this.drift * generator.normal());
    }
    normalise(this.interests);
    const change = PATIENCE_GAIN * satisfaction - PATIENCE_LOSS * (1 - satisfaction);
    this.patience = Math.min(1, Math.max(0, this.patience + change));
    return generator.uniform() < LEAVES_ANYWAY + LEAVES_BORED * (1 - this.patience) ** 2;
  }

  saveState(): ViewerState {
    return {
      interests: [...this.interests],
      satiation: [...this.satiation],
      patience: this.patience,
      watched: [...this.watched],
    };
  }

  loadState(state: ViewerState): void {
    this.interests.set(state.interests);
    this.satiation.set(state.satiation);
    this.patience = state.patience;
    this.watched = new Set(state.watched);
  }
}

/** Divides a vector without negative elements by its length; all zeros become equal parts. */
function normalise(vector: Float64Array): void {
  const length = Math.hypot(...vector);
  for (let i = 0; i < vector.length; i++) vector[i] = length > 0 ? vector[i] / length : 1 / Math.sqrt(vector.length);
}
