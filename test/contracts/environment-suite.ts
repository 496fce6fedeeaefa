import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CoxswainError } from '../../src/contracts/errors.ts';
import type { Environment, Observation, Transition } from '../../src/rl/environment.ts';
import { Generator } from '../../src/rl/random.ts';
import { actionLayoutOf, spaceSize } from '../../src/rl/spaces.ts';

/** What is under test and how much of it. */
export interface EnvironmentSuiteOptions {
  /** Seeds of the episodes that are played. Default three. */
  readonly seeds?: readonly number[];
  /** Steps played of episodes that end later. Default 600. */
  readonly maxSteps?: number;
}

/** One step as plain values that can be compared. */
interface Step {
  readonly observation: readonly number[];
  readonly mask: readonly number[] | null;
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly measures: Readonly<Record<string, number>>;
}

/**
 * The contract of `src/rl/environment.ts` as tests; every environment with discrete actions must pass them.
 * @param create makes a fresh instance; all instances must behave alike.
 */
export function environmentSuite(name: string, create: () => Environment, options: EnvironmentSuiteOptions = {}): void {
  const { seeds = [1, 2, 4294967295], maxSteps = 600 } = options;

  test(`${name}: the description gives finite sizes, a table row for everything and a positive episode length`, () => {
    const { observationSpace, observationTable, actionTable, maxEpisodeSteps, actionMaskSize, actionSpace } =
      create().description;
    assert.ok(spaceSize(observationSpace) > 0);
    assert.ok(observationTable.length > 0 && actionTable.length > 0);
    assert.ok(maxEpisodeSteps === null || maxEpisodeSteps > 0);
    assert.ok(actionMaskSize === 0 || actionMaskSize === spaceSize(actionSpace));
    for (const { low, high, name: row } of observationTable) assert.ok(low <= high, `bounds of ${row}`);
  });

  for (const seed of seeds) {
    test(`${name}, seed ${seed}: the same seed and the same actions give the same episode, bit for bit`, () => {
      const first = play(create(), seed, maxSteps);
      const fresh = create();
      assert.deepEqual(play(fresh, seed, maxSteps), first);
      assert.deepEqual(play(fresh, seed, maxSteps), first, 'a second episode of the same instance');
    });

    test(`${name}, seed ${seed}: observations, masks, rewards and measures respect the description at every step`, () => {
      checkEpisode(create(), seed, maxSteps);
    });

    test(`${name}, seed ${seed}: a saved state goes through JSON into a fresh instance and goes on bit for bit`, () => {
      checkSavedStates(create, seed, maxSteps);
    });
  }

  test(`${name}: a step before the first reset is refused`, () => {
    const environment = create();
    assert.throws(() => environment.step(new Int32Array(heads(environment))), CoxswainError);
  });

  test(`${name}: a step after the end of an episode is refused, and reset starts anew`, (t) => {
    const environment = create();
    const steps = play(environment, seeds[0], maxSteps);
    if (!isOver(steps.at(-1)!)) return t.skip(`no episode of at most ${maxSteps} steps ended`);
    assert.throws(() => environment.step(new Int32Array(heads(environment))), CoxswainError);
    assert.deepEqual(play(environment, seeds[0], maxSteps), steps);
  });
}

/** Plays an episode with random allowed actions, which follow from the seed. */
function play(environment: Environment, seed: number, maxSteps: number): Step[] {
  const generator = new Generator(seed);
  let seen: Observation = environment.reset(seed);
  const steps = [recorded(seen)];
  while (steps.length <= maxSteps && !isOver(steps.at(-1)!)) {
    const transition = environment.step(randomAction(environment, seen, generator));
    steps.push(recorded(transition));
    seen = transition;
  }
  return steps;
}

function checkEpisode(environment: Environment, seed: number, maxSteps: number): void {
  const { maxEpisodeSteps } = environment.description;
  const steps = play(environment, seed, maxSteps);
  const measures = Object.keys(steps[1].measures);
  steps.forEach((step, index) => {
    checkObservation(environment, step, `step ${index}`);
    if (index === 0) return;
    assert.ok(Number.isFinite(step.reward), `reward of step ${index}: ${step.reward}`);
    assert.deepEqual(Object.keys(step.measures), measures, `measures of step ${index}`);
    assert.ok(maxEpisodeSteps === null || index <= maxEpisodeSteps, `the episode is still running at step ${index}`);
    if (index === maxEpisodeSteps) assert.ok(isOver(step), 'the episode ends at its longest');
  });
}

function checkObservation({ description }: Environment, { observation, mask }: Step, where: string): void {
  const { observationSpace, actionMaskSize } = description;
  assert.equal(observation.length, spaceSize(observationSpace), where);
  const bound = (limit: number | readonly number[], index: number): number =>
    typeof limit === 'number' ? limit : limit[index];
  observation.forEach((value, index) => {
    assert.ok(Number.isFinite(value), `${where}: element ${index} is ${value}`);
    const [low, high] = [bound(observationSpace.low, index), bound(observationSpace.high, index)];
    assert.ok(
      value >= Math.fround(low) && value <= Math.fround(high),
      `${where}: element ${index} is ${value}, not in [${low}, ${high}]`,
    );
  });
  assert.equal(mask?.length ?? 0, actionMaskSize, where);
  if (!mask) return;
  assert.ok(
    mask.every((bit) => bit === 0 || bit === 1),
    `${where}: a mask bit is neither 0 nor 1`,
  );
  let start = 0;
  actionLayoutOf(description).choices.forEach((count, head) => {
    assert.ok(mask.slice(start, start + count).includes(1), `${where}: head ${head} allows nothing`);
    start += count;
  });
}

/** Saves an episode at its start, early, and half-way, and lets a fresh instance play on from each. */
function checkSavedStates(create: () => Environment, seed: number, maxSteps: number): void {
  const length = play(create(), seed, maxSteps).length - 1;
  for (const stop of new Set([0, 1, Math.floor(length / 2)])) {
    const environment = create();
    const generator = new Generator(seed);
    let seen: Observation = environment.reset(seed);
    for (let step = 0; step < stop; step++) seen = environment.step(randomAction(environment, seen, generator));
    const before = recorded(seen);
    const copy = create();
    const loaded = copy.loadState(JSON.parse(JSON.stringify(environment.saveState())));
    assert.deepEqual(recorded(loaded).observation, before.observation, `observation after loading at step ${stop}`);
    assert.deepEqual(recorded(loaded).mask, before.mask, `mask after loading at step ${stop}`);
    for (let step = stop; step < length; step++) {
      const action = randomAction(environment, seen, generator);
      const expected = environment.step(action);
      assert.deepEqual(
        recorded(copy.step(action)),
        recorded(expected),
        `step ${step + 1} after loading at step ${stop}`,
      );
      seen = expected;
    }
  }
}

/** A copy, because the arrays belong to the environment. */
function recorded(seen: Observation | Transition): Step {
  const { reward = 0, terminated = false, truncated = false, measures = {} } = seen as Partial<Transition>;
  return {
    observation: [...seen.observation],
    mask: seen.actionMask && [...seen.actionMask],
    reward,
    terminated,
    truncated,
    measures: { ...measures },
  };
}

function isOver({ terminated, truncated }: Step): boolean {
  return terminated || truncated;
}

function heads({ description }: Environment): number {
  return actionLayoutOf(description).heads;
}

/** One of the allowed choices of every head. */
function randomAction({ description }: Environment, { actionMask }: Observation, generator: Generator): Int32Array {
  let start = 0;
  return Int32Array.from(actionLayoutOf(description).choices, (count) => {
    const mask = actionMask?.slice(start, start + count);
    start += count;
    const allowed = Array.from({ length: count }, (_, choice) => choice).filter((choice) => mask?.[choice] !== 0);
    return allowed[generator.integer(allowed.length)];
  });
}
