import assert from 'node:assert/strict';
import test from 'node:test';
import type { Environment, Observation } from '../../../../../src/rl/environment.ts';
import { randomAction } from '../../../../../src/rl/environment-check/random-actions.ts';
import { bestMatch, diverseMatch, mostPopular } from '../../../../../src/rl/environments/recommendation/controllers.ts';
import { recommendation, shapeOf } from '../../../../../src/rl/environments/recommendation/kind.ts';
import { Recommendation } from '../../../../../src/rl/environments/recommendation/recommendation.ts';
import type { BaselineDecision } from '../../../../../src/rl/environments/registry.ts';
import { Generator } from '../../../../../src/rl/random.ts';

/** Means over sessions of return and length, and over slates of the measures. */
function play(
  controller: (environment: Recommendation) => BaselineDecision,
  parameters: Readonly<Record<string, unknown>> = {},
  sessions = 150,
): Record<string, number> {
  const environment = new Recommendation(parameters);
  const decide = controller(environment);
  const sums: Record<string, number> = { return: 0 };
  let slates = 0;
  for (let seed = 0; seed < sessions; seed++) {
    let seen: Observation & { over?: boolean } = environment.reset(seed);
    while (seen.over !== true) {
      const { terminated, truncated, reward, measures, ...next } = environment.step(Int32Array.from(decide(seen)));
      sums.return += reward;
      slates++;
      for (const [name, value] of Object.entries(measures)) sums[name] = (sums[name] ?? 0) + value;
      seen = { ...next, over: terminated || truncated };
    }
  }
  const { return: total, ...measures } = sums;
  const means = Object.fromEntries(Object.entries(measures).map(([name, sum]) => [name, sum / slates]));
  return { ...means, return: total / sessions, length: slates / sessions };
}

const atRandom = (environment: Environment): BaselineDecision => {
  const generator = new Generator(5);
  return ({ actionMask }) => randomAction(environment.description, actionMask, generator);
};

/** Who could read minds. */
const clairvoyant = (environment: Recommendation): BaselineDecision => {
  const { viewer } = environment;
  return () => {
    const { candidates } = environment.saveState();
    const order = candidates.map((_, index) => index);
    return order.sort((a, b) => viewer.appeal(candidates[b]) - viewer.appeal(candidates[a])).slice(0, 5);
  };
};

test('controllers rank as sense expects: most popular < best match < diverse match < a mind reader', () => {
  const [popular, match, diverse, best] = [
    ({ description }: Recommendation) => mostPopular(shapeOf(description)),
    ({ description }: Recommendation) => bestMatch(shapeOf(description)),
    ({ description }: Recommendation) => diverseMatch(shapeOf(description)),
    clairvoyant,
  ].map((controller) => play(controller));
  assert.ok(match.return > 1.3 * popular.return, `${match.return} > ${popular.return}`);
  assert.ok(diverse.return > 1.3 * match.return, `${diverse.return} > ${match.return}`);
  assert.ok(best.return > 1.3 * diverse.return, `${best.return} > ${diverse.return}`);
  assert.ok(diverse.length > match.length && diverse.diversity > match.diversity && best.clicks > diverse.clicks);
});

test('only matching makes a bubble: less diverse than random slates, which match less', () => {
  const random = play(atRandom);
  const match = play(({ description }) => bestMatch(shapeOf(description)));
  assert.ok(match.diversity < 0.5 * random.diversity);
  assert.ok(match.return > random.return);
});

test('a click is as frequent as on video pages: between 5 and 40 % of shown items', () => {
  const { clicks } = play(({ description }) => diverseMatch(shapeOf(description)));
  assert.ok(clicks / 5 > 0.05 && clicks / 5 < 0.4, String(clicks / 5));
});

test('satiation makes a session of one topic worse', () => {
  const [fresh, sated] = [0, 6].map((satiation) =>
    play(({ description }) => bestMatch(shapeOf(description)), { satiation }),
  );
  assert.ok(sated.clicks < 0.9 * fresh.clicks && sated.length < fresh.length);
});

test('the weights scale their summands; diversity that nobody wants earns nothing', () => {
  const parameters = { clickWeight: 1, watchWeight: 2, diversityWeight: 3 };
  const environment = new Recommendation(parameters);
  const generator = new Generator(1);
  let seen: Observation = environment.reset(3);
  for (let slate = 0; slate < 200; slate++) {
    const transition = environment.step(randomAction(environment.description, null, generator));
    const { clicks, minutesWatched, diversity, satisfaction, ...parts } = transition.measures;
    assert.deepEqual(
      [parts.rewardClicks, parts.rewardWatch, parts.rewardDiversity],
      [clicks, (2 * minutesWatched) / 6, 3 * diversity * satisfaction],
    );
    seen = transition.terminated || transition.truncated ? environment.reset(slate) : transition;
  }
  assert.ok(seen.observation.length === 281);
});

test('sessions end by users who leave, long ones by the limit', () => {
  const ends = { terminated: 0, truncated: 0 };
  const environment = new Recommendation({ episodeSteps: 15 });
  const generator = new Generator(2);
  for (let seed = 0; seed < 60; seed++) {
    environment.reset(seed);
    for (;;) {
      const { terminated, truncated } = environment.step(randomAction(environment.description, null, generator));
      if (terminated) ends.terminated++;
      else if (truncated) ends.truncated++;
      if (terminated || truncated) break;
    }
  }
  assert.ok(ends.terminated > 5 && ends.truncated > 5, JSON.stringify(ends));
});

test('parameters are checked, each by itself and together', () => {
  for (const [parameters, message] of [
    [{ clickModel: 'psychic' }, /clickModel must be one of cascade, position, not "psychic"/],
    [{ slateSize: 10, candidates: 8 }, /slateSize must be at most candidates \(8\), not 10/],
    [{ candidates: 100, catalogueSize: 150 }, /catalogueSize must be at least 2 × candidates \(200\)/],
    [{ slates: 3 }, /unknown parameter "slates"; there are: episodeSteps/],
  ] as const) {
    assert.throws(() => recommendation.create(parameters), { code: 'ENVIRONMENT_INVALID', message });
  }
});
