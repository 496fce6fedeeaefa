import type { Catalogue } from './catalogue.ts';

/** Share of the profile and of the exposure that a slate leaves as it was. */
const PROFILE_KEPT = 0.9;
const EXPOSURE_KEPT = 0.8;

/** State of a {@link History} as JSON. */
export interface HistoryState {
  readonly profile: readonly number[];
  readonly exposure: readonly number[];
  readonly shownAt: readonly (readonly [item: number, slate: number])[];
  readonly slates: number;
  readonly minutes: number;
  readonly lastClicks: number;
  readonly lastSatisfaction: number;
  readonly sinceClick: number;
}

/** What the platform knows of a session: all that a policy may see of the user. */
export class History {
  /** What was watched lately, by topic: a moving sum of shares watched. */
  readonly profile: Float64Array;
  /** What was shown lately, by topic: a moving mean over slates. */
  readonly exposure: Float64Array;
  slates = 0;
  minutes = 0;
  /** Share of the last slate that was clicked. */
  lastClicks = 0;
  /** Mean share watched of the items of the last slate. */
  lastSatisfaction = 0;
  /** Slates since the last click. */
  sinceClick = 0;
  private shownAt = new Map<number, number>();
  private readonly catalogue: Catalogue;

  constructor(catalogue: Catalogue) {
    this.catalogue = catalogue;
    this.profile = new Float64Array(catalogue.topicCount);
    this.exposure = new Float64Array(catalogue.topicCount);
  }

  reset(): void {
    this.profile.fill(0);
    this.exposure.fill(0);
    this.shownAt.clear();
    this.slates = this.minutes = this.lastClicks = this.lastSatisfaction = this.sinceClick = 0;
  }

  /** Notes what a slate brought. @param watched share of each item, 0 = not clicked */
  note(slate: Int32Array, watched: Float64Array, minutes: number): void {
    const { topicCount, topics } = this.catalogue;
    for (let topic = 0; topic < topicCount; topic++) {
      let shown = 0;
      let seen = 0;
      for (let place = 0; place < slate.length; place++) {
        const weight = topics[slate[place] * topicCount + topic];
        shown += weight / slate.length;
        seen += weight * watched[place];
      }
      this.profile[topic] = PROFILE_KEPT * this.profile[topic] + seen;
      this.exposure[topic] = EXPOSURE_KEPT * this.exposure[topic] + (1 - EXPOSURE_KEPT) * shown;
    }
    this.slates++;
    this.minutes += minutes;
    const clicks = watched.reduce((count, share) => count + (share > 0 ? 1 : 0), 0);
    this.lastClicks = clicks / slate.length;
    this.lastSatisfaction = watched.reduce((sum, share) => sum + share, 0) / slate.length;
    this.sinceClick = clicks > 0 ? 0 : this.sinceClick + 1;
    for (const item of slate) this.shownAt.set(item, this.slates);
  }

  /** Slates since an item was shown: 1 = in the last one; Infinity = not in this session. */
  slatesSince(item: number): number {
    const shown = this.shownAt.get(item);
    return shown === undefined ? Infinity : this.slates - shown + 1;
  }

  saveState(): HistoryState {
    const { profile, exposure, shownAt, slates, minutes, lastClicks, lastSatisfaction, sinceClick } = this;
    const vectors = { profile: [...profile], exposure: [...exposure], shownAt: [...shownAt] };
    return { ...vectors, slates, minutes, lastClicks, lastSatisfaction, sinceClick };
  }

  loadState({ profile, exposure, shownAt, ...rest }: HistoryState): void {
    this.profile.set(profile);
    this.exposure.set(exposure);
    this.shownAt = new Map(shownAt);
    Object.assign(this, rest);
  }
}
