import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Catalogue } from '../../../../../src/rl/environments/recommendation/catalogue.ts';
import { clickModels, showSlate } from '../../../../../src/rl/environments/recommendation/click-models.ts';
import { History } from '../../../../../src/rl/environments/recommendation/history.ts';
import { Retrieval } from '../../../../../src/rl/environments/recommendation/retrieval.ts';
import { composeSlate, intraListDiversity } from '../../../../../src/rl/environments/recommendation/slate.ts';
import { Viewer } from '../../../../../src/rl/environments/recommendation/viewer.ts';
import { Generator } from '../../../../../src/rl/random.ts';

const catalogue = new Catalogue(500, 8, 1);

test('items have topics of length 1, bounded lengths and ratings, and follow from the seed', () => {
  for (let item = 0; item < catalogue.size; item++) {
    assert.ok(Math.abs(catalogue.similarity(item, item) - 1) < 1e-12);
    assert.ok(catalogue.minutes[item] >= 1 && catalogue.minutes[item] <= 40);
    assert.ok(Math.abs(catalogue.rating[item]) <= 1);
  }
  assert.deepEqual(new Catalogue(500, 8, 1).topics, catalogue.topics);
  assert.notDeepEqual(new Catalogue(500, 8, 2).topics, catalogue.topics);
});

test('ratings follow the quality with error, and better items tend to be more popular', () => {
  const items = Array.from({ length: catalogue.size }, (_, item) => item);
  const top = [...items].sort((a, b) => catalogue.popularity[b] - catalogue.popularity[a]).slice(0, 100);
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(mean(top.map((item) => catalogue.quality[item])) > mean([...catalogue.quality]) + 0.3);
  const wrong = items.filter((item) => Math.sign(catalogue.rating[item]) !== Math.sign(catalogue.quality[item]));
  assert.ok(wrong.length > 20 && wrong.length < 200, String(wrong.length));
});

test('drawing by popularity meets each item in proportion', () => {
  const generator = new Generator(1);
  const small = new Catalogue(50, 2, 3);
  const counts = new Float64Array(50);
  for (let draw = 0; draw < 50_000; draw++) counts[small.drawPopular(generator)]++;
  const total = small.popularity.reduce((sum, value) => sum + value, 0);
  counts.forEach((count, item) => {
    const expected = (50_000 * small.popularity[item]) / total;
    assert.ok(Math.abs(count - expected) < 5 * Math.sqrt(expected), `item ${item}: ${count}, ${expected}`);
  });
});

const folder = join(import.meta.dirname, '../../../../../../shared/data/movielens-latest-small');

test('popularity is about as uneven as the numbers of ratings in MovieLens', (t) => {
  const file = join(folder, 'ratings.csv');
  if (!existsSync(file)) return t.skip('optional: ratings.csv is not at ../shared/data/movielens-latest-small');
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const movie = line.split(',')[1];
    if (movie !== undefined) counts.set(movie, (counts.get(movie) ?? 0) + 1);
  }
  const topShare = (values: number[]): number => {
    const ordered = values.sort((a, b) => b - a);
    const sum = (part: number[]): number => part.reduce((total, value) => total + value, 0);
    return sum(ordered.slice(0, Math.ceil(ordered.length / 10))) / sum(ordered);
  };
  const [real, ours] = [topShare([...counts.values()]), topShare([...catalogue.popularity])];
  t.diagnostic(`the most popular tenth has ${(100 * real).toFixed(0)} % there and ${(100 * ours).toFixed(0)} % here`);
  assert.ok(Math.abs(real - ours) < 0.15);
});

/** A viewer who finds every item equally appealing. */
const indifferent = (appeal: number) => ({ appeal: () => appeal, watch: () => {} });

/** Share of slates in which each position was clicked. */
function clicksByPosition(model: keyof typeof clickModels, appeal: number): number[] {
  const generator = new Generator(4);
  const clicks = [0, 0, 0, 0];
  const shows = 20_000;
  for (let show = 0; show < shows; show++) {
    const { watched } = showSlate([0, 1, 2, 3], indifferent(appeal), clickModels[model], catalogue.minutes, generator);
    watched.forEach((share, place) => (clicks[place] += share > 0 ? 1 / shows : 0));
  }
  return clicks;
}

test('by position, a click is examination × attraction: 1, 2^−0.7, 3^−0.7, … of one half', () => {
  clicksByPosition('position', 0).forEach((share, place) => {
    assert.ok(Math.abs(share - 0.5 * (place + 1) ** -0.7) < 0.012, `position ${place}: ${share}`);
  });
});

test('in the cascade who is never pleased goes on with 0.85 a position; who is pleased stops sooner', () => {
  const unpleased = clicksByPosition('cascade', -4);
  const attraction = 1 / (1 + Math.exp(4));
  unpleased.forEach((share, place) => {
    assert.ok(Math.abs(share - attraction * 0.85 ** place) < 0.004, `position ${place}: ${share}`);
  });
  const pleased = clicksByPosition('cascade', 4);
  assert.ok(pleased[1] / pleased[0] < 0.6);
});

test('what appeals more is watched for longer; satisfaction is 1 − Π(1 − share)', () => {
  const generator = new Generator(5);
  const mean = (appeal: number): number => {
    let sum = 0;
    let clicks = 0;
    for (let show = 0; show < 3000; show++) {
      const outcome = showSlate([0, 1], indifferent(appeal), clickModels.position, catalogue.minutes, generator);
      const [a, b] = outcome.watched;
      assert.ok(Math.abs(outcome.satisfaction - (1 - (1 - a) * (1 - b))) < 1e-12);
      assert.ok(Math.abs(outcome.minutes - (a * catalogue.minutes[0] + b * catalogue.minutes[1])) < 1e-9);
      sum += a + b;
      clicks += outcome.clicks;
    }
    return sum / clicks;
  };
  assert.ok(mean(2) > mean(0) + 0.1 && mean(0) > mean(-2) + 0.1);
});

test('a repeated candidate is replaced by the best-ranked one that is left', () => {
  const slate = new Int32Array(4);
  const candidates = Int32Array.of(10, 11, 12, 13, 14);
  composeSlate([3, 3, 0, 3], candidates, slate);
  assert.deepEqual([...slate], [13, 11, 10, 12]);
  composeSlate([4, 2, 1, 0], candidates, slate);
  assert.deepEqual([...slate], [14, 12, 11, 10]);
});

test('diversity is 0 for one topic, 1 for topics that have nothing in common, 0 for a slate of one', () => {
  const topicOf = (item: number): number[] => [...catalogue.topics.subarray(item * 8, item * 8 + 8)];
  const pure = Array.from({ length: catalogue.size }, (_, item) => item).filter((item) => topicOf(item).includes(1));
  const sameTopic = pure.filter((item) => catalogue.similarity(item, pure[0]) === 1).slice(0, 3);
  const other = pure.find((item) => catalogue.similarity(item, pure[0]) === 0)!;
  assert.equal(intraListDiversity(sameTopic, catalogue), 0);
  assert.equal(intraListDiversity([pure[0], other], catalogue), 1);
  assert.equal(intraListDiversity([other], catalogue), 0);
});

function viewerWith(drift: number): Viewer {
  const viewer = new Viewer(catalogue, 2, drift);
  viewer.reset(new Generator(6));
  return viewer;
}

test('watching makes a topic less appealing for a while, and an item not worth watching again', () => {
  const viewer = viewerWith(0);
  const generator = new Generator(1);
  const item = 7;
  const sibling = Array.from({ length: 500 }, (_, other) => other).find(
    (other) => other !== item && catalogue.similarity(other, item) > 0.95,
  )!;
  const before = [viewer.appeal(item), viewer.appeal(sibling)];
  viewer.watch(item, 1);
  assert.ok(viewer.appeal(sibling) < before[1] - 0.3);
  assert.ok(viewer.appeal(item) < before[0] - 2);
  for (let slate = 0; slate < 60; slate++) viewer.finishSlate(1, generator);
  assert.ok(viewer.appeal(sibling) > before[1] - 0.05, 'satiation fades');
  assert.ok(viewer.appeal(item) < before[0] - 1.9, 'repetition does not');
});

test('interests stay a vector of length 1 without negative elements, and drift as fast as the parameter says', () => {
  const turned = [0, 0.02, 0.2].map((drift) => {
    const viewer = viewerWith(drift);
    const start = [...viewer.interests];
    const generator = new Generator(2);
    for (let slate = 0; slate < 50; slate++) viewer.finishSlate(0.5, generator);
    assert.ok(Math.abs(Math.hypot(...viewer.interests) - 1) < 1e-12);
    assert.ok(viewer.interests.every((interest) => interest >= 0));
    return start.reduce((sum, interest, topic) => sum + interest * viewer.interests[topic], 0);
  });
  assert.ok(Math.abs(turned[0] - 1) < 1e-12 && turned[1] < 0.999 && turned[2] < turned[1]);
});

test('bored users leave much sooner than satisfied ones', () => {
  const generator = new Generator(3);
  const meanStay = (satisfaction: number): number => {
    let slates = 0;
    for (let user = 0; user < 300; user++) {
      const viewer = new Viewer(catalogue, 2, 0);
      viewer.reset(generator);
      do slates++;
      while (slates < 1e6 && !viewer.finishSlate(satisfaction, generator));
    }
    return slates / 300;
  };
  assert.ok(meanStay(0.9) > 5 * meanStay(0));
});

test('retrieval gives different items, ranked, and follows the profile', () => {
  const history = new History(catalogue);
  const retrieval = new Retrieval(catalogue, 20);
  const candidates = new Int32Array(20);
  const generator = new Generator(8);
  const mainTopicShare = (): number => {
    let share = 0;
    for (let round = 0; round < 50; round++) {
      retrieval.retrieve(history, generator, candidates);
      assert.equal(new Set(candidates).size, 20);
      for (const item of candidates) share += catalogue.topics[item * 8] / 1000;
    }
    return share;
  };
  const before = mainTopicShare();
  history.profile[0] = 1;
  assert.ok(mainTopicShare() > 1.5 * before);
});
