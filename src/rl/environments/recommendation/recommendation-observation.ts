import type { SpaceRow } from '../../environment.ts';
import type { Catalogue } from './catalogue.ts';
import { LONGEST_MINUTES } from './catalogue.ts';
import type { History } from './history.ts';
import type { RecommendationParameters } from './options.ts';
import { scaled } from './retrieval.ts';

const SESSION_FEATURES = 5;
/** Features of a candidate after its topics, and their places there. */
export const CANDIDATE = { match: 0, rating: 1, popularity: 2, minutes: 3, shown: 4, width: 5 } as const;
/** An item that was shown longer ago than this counts as not shown. */
const REMEMBERED_SLATES = 10;

/** Where the candidates' features begin, and how many each has. */
export function candidateLayout(topics: number): { readonly at: number; readonly width: number } {
  return { at: SESSION_FEATURES + 2 * topics, width: topics + CANDIDATE.width };
}

/** Writes the observation; see {@link observationTable}. */
export function writeObservation(
  catalogue: Catalogue,
  history: History,
  candidates: Int32Array,
  episodeSteps: number,
  out: Float32Array,
): void {
  const topics = catalogue.topicCount;
  const profile = scaled(history.profile);
  out[0] = history.slates / episodeSteps;
  out[1] = Math.min(1, Math.log1p(history.minutes) / 8);
  out[2] = history.lastClicks;
  out[3] = history.lastSatisfaction;
  out[4] = Math.min(1, history.sinceClick / REMEMBERED_SLATES);
  for (let topic = 0; topic < topics; topic++) {
    out[SESSION_FEATURES + topic] = profile[topic];
    out[SESSION_FEATURES + topics + topic] = Math.min(1, history.exposure[topic]);
  }
  const { at, width } = candidateLayout(topics);
  for (let c = 0; c < candidates.length; c++)
    writeCandidate(catalogue, history, profile, candidates[c], out, at + c * width);
}

function writeCandidate(
  catalogue: Catalogue,
  history: History,
  profile: Float64Array,
  item: number,
  out: Float32Array,
  at: number,
): void {
  const { topicCount, topics } = catalogue;
  for (let topic = 0; topic < topicCount; topic++) out[at + topic] = topics[item * topicCount + topic];
  const first = at + topicCount;
  const since = history.slatesSince(item);
  out[first + CANDIDATE.match] = Math.min(1, catalogue.match(item, profile));
  out[first + CANDIDATE.rating] = catalogue.rating[item];
  out[first + CANDIDATE.popularity] = 1 + Math.log10(catalogue.popularity[item]) / 5;
  out[first + CANDIDATE.minutes] = catalogue.minutes[item] / LONGEST_MINUTES;
  out[first + CANDIDATE.shown] = since <= REMEMBERED_SLATES ? 1 - (since - 1) / REMEMBERED_SLATES : 0;
}

/** The observation table, in the order of {@link writeObservation}. */
export function observationTable({ topics, candidates }: RecommendationParameters): SpaceRow[] {
  const perTopic = (name: string, unit: string, meaning: string): Omit<SpaceRow, 'index'>[] =>
    Array.from({ length: topics }, (_, topic) => row(`${name}${topic}`, unit, 0, 1, meaning));
  const rows = [
    row('slates', 'share of the longest session', 0, 1, 'slates shown so far'),
    row('minutes', 'ln(1 + minutes) / 8', 0, 1, 'time watched so far'),
    row('lastClicks', 'share', 0, 1, 'items of the last slate that were clicked'),
    row('lastWatched', 'share', 0, 1, 'how much of the last slate’s items was watched, mean'),
    row('sinceClick', 'slates / 10', 0, 1, 'slates since the last click'),
    ...perTopic('profile', 'cosine', 'what was watched lately, by topic'),
    ...perTopic('exposure', 'weight', 'what was shown lately, by topic'),
    ...Array.from({ length: candidates }, (_, candidate) => candidateRows(`candidate${candidate}`, topics)).flat(),
  ];
  return rows.map((entry, index) => ({ index: String(index), ...entry }));
}

function candidateRows(candidate: string, topics: number): Omit<SpaceRow, 'index'>[] {
  return [
    ...Array.from({ length: topics }, (_, topic) =>
      row(`${candidate}.topic${topic}`, 'weight', 0, 1, 'what the item is about'),
    ),
    row(`${candidate}.match`, 'cosine', 0, 1, 'match with the profile'),
    row(`${candidate}.rating`, 'rating', -1, 1, 'mean rating, with error'),
    row(`${candidate}.popularity`, '1 + log10(share) / 5', 0, 1, 'views, against the most popular item'),
    row(`${candidate}.minutes`, 'minutes / 40', 0, 1, 'length'),
    row(`${candidate}.shown`, '1 − (slates ago − 1) / 10', 0, 1, 'how recently it was shown; 0 = not lately'),
  ];
}

function row(name: string, unit: string, low: number, high: number, meaning: string): Omit<SpaceRow, 'index'> {
  return { name, unit, low, high, meaning };
}
