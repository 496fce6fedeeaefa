import { CoxswainError } from '../../contracts/errors.ts';
import type { Environment, EnvironmentDescription, Observation, Transition } from '../environment.ts';
import { Generator } from '../random.ts';
import { boundsOf, spaceSize } from '../spaces.ts';
import { allowedChoices, headsOf, headStarts, randomAction } from './random-actions.ts';
import type { Action } from './random-actions.ts';

/** What is looked at and how much of it. */
export interface ContractSubject {
  /** Makes a fresh instance; all instances must behave alike. */
  create(): Environment;
  /** Seeds of the episodes that are played. */
  readonly seeds: readonly number[];
  /** Steps played of episodes that end later. */
  readonly maxSteps: number;
}

/**
 * A rule of the contract in src/rl/environment.ts. `check` gives the reason when the rule could not be looked at, else null.
 * @throws CoxswainError ENVIRONMENT_INVALID saying what broke it and where.
 */
export interface ContractRule {
  readonly title: string;
  check(subject: ContractSubject): string | null;
}

/** The contract of `src/rl/environment.ts`: `coxswain env check` and the test suite of every environment run these. */
export const contractRules: readonly ContractRule[] = [
  {
    title: 'the description gives finite sizes, a table row for everything and a positive episode length',
    check: ({ create }) => checkDescription(create().description),
  },
  {
    title: 'the same seed and the same actions give the same episode, bit for bit',
    check: (subject) => forEachSeed(subject, checkRepetition),
  },
  {
    title: 'observations, masks, rewards and measures respect the description at every step',
    check: (subject) => forEachSeed(subject, checkEpisode),
  },
  {
    title: 'a saved state goes through JSON into a fresh instance and goes on bit for bit',
    check: (subject) => forEachSeed(subject, checkSavedStates),
  },
  { title: 'a step before the first reset is refused', check: ({ create }) => checkStepBeforeReset(create()) },
  { title: 'a step after the end of an episode is refused, and reset starts anew', check: checkStepAfterEnd },
  { title: 'an action outside of the action space is refused', check: checkBadActions },
];

/** One step as plain values that can be compared. */
interface Step {
  readonly observation: Float32Array;
  readonly mask: Uint8Array | null;
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly measures: Readonly<Record<string, number>>;
}

function checkDescription(description: EnvironmentDescription): null {
  const { observationSpace, observationTable, actionTable, maxEpisodeSteps, actionMaskSize, actionSpace } = description;
  const choices = headsOf(actionSpace);
  demand(spaceSize(observationSpace) > 0, 'the observation space has no elements');
  demand(observationTable.length > 0, 'the observation table is empty');
  demand(actionTable.length > 0, 'the action table is empty');
  demand(maxEpisodeSteps === null || maxEpisodeSteps > 0, `maxEpisodeSteps is ${maxEpisodeSteps}`);
  demand(
    actionMaskSize === 0 || (choices !== null && actionMaskSize === spaceSize(actionSpace)),
    `the action mask has ${actionMaskSize} bits, but the action space has ${spaceSize(actionSpace)} choices`,
  );
  for (const { low, high, name } of observationTable) demand(low <= high, `the bounds of ${name} are ${low} … ${high}`);
  if (choices) {
    demand(
      choices.length > 0 && choices.every((count) => Number.isInteger(count) && count > 0),
      'a head of the action space has no choice',
    );
  }
  if (actionSpace.kind === 'box') boundsOf(actionSpace);
  return null;
}

function checkRepetition({ create, maxSteps }: ContractSubject, seed: number): void {
  const first = play(create(), seed, maxSteps);
  const fresh = create();
  demandSame(play(fresh, seed, maxSteps), first, `seed ${seed}, two instances`);
  demandSame(play(fresh, seed, maxSteps), first, `seed ${seed}, a second episode of the same instance`);
}

function checkEpisode({ create, maxSteps }: ContractSubject, seed: number): void {
  const environment = create();
  const { maxEpisodeSteps } = environment.description;
  const steps = play(environment, seed, maxSteps);
  const measures = String(Object.keys(steps[1].measures));
  steps.forEach((step, index) => {
    const where = `seed ${seed}, step ${index}`;
    checkObservation(environment.description, step, where);
    if (index === 0) return;
    demand(Number.isFinite(step.reward), `${where}: the reward is ${step.reward}`);
    demand(String(Object.keys(step.measures)) === measures, `${where}: the measures are not those of step 1`);
    for (const [name, value] of Object.entries(step.measures)) {
      demand(Number.isFinite(value), `${where}: measure ${name} is ${value}`);
    }
    demand(maxEpisodeSteps === null || index <= maxEpisodeSteps, `${where}: the episode should have been truncated`);
    if (index === maxEpisodeSteps) demand(isOver(step), `${where}: the episode does not end at its longest`);
  });
}

function boundAt(bound: number | readonly number[], index: number): number {
  return typeof bound === 'number' ? bound : bound[index];
}

function checkObservation(description: EnvironmentDescription, { observation, mask }: Step, where: string): void {
  const { observationSpace, actionMaskSize } = description;
  const size = spaceSize(observationSpace);
  demand(observation.length === size, `${where}: the observation has ${observation.length} elements, not ${size}`);
  observation.forEach((value, index) => {
    const low = Math.fround(boundAt(observationSpace.low, index));
    const high = Math.fround(boundAt(observationSpace.high, index));
    demand(
      Number.isFinite(value) && value >= low && value <= high,
      `${where}: element ${index} of the observation is ${value}, not in ${low} … ${high}`,
    );
  });
  const bits = mask?.length ?? 0;
  demand(bits === actionMaskSize, `${where}: the mask has ${bits} bits, not ${actionMaskSize}`);
  if (!mask) return;
  demand(
    mask.every((bit) => bit === 0 || bit === 1),
    `${where}: a mask bit is neither 0 nor 1`,
  );
  const choices = headsOf(description.actionSpace)!;
  headStarts(choices).forEach((start, head) => {
    const allowed = allowedChoices(mask, start, choices[head]);
    demand(allowed.length > 0, `${where}: the mask allows nothing in head ${head}`);
  });
}

/** Saves an episode at its start, early, and half-way, and lets a fresh instance play on from each. */
function checkSavedStates({ create, maxSteps }: ContractSubject, seed: number): void {
  const length = play(create(), seed, maxSteps).length - 1;
  for (const stop of new Set([0, 1, Math.floor(length / 2)])) checkSavedState(create, seed, stop, length);
}

function checkSavedState(create: () => Environment, seed: number, stop: number, length: number): void {
  const environment = create();
  const generator = new Generator(seed);
  let seen: Observation = environment.reset(seed);
  const act = (): Action => randomAction(environment.description, seen.actionMask, generator);
  for (let step = 0; step < stop; step++) seen = environment.step(act());
  const before = recorded(seen);
  const copy = create();
  const loaded = recorded(copy.loadState(JSON.parse(JSON.stringify(environment.saveState()))));
  const where = `seed ${seed}, saved at step ${stop}`;
  demandSame([loaded], [{ ...loaded, observation: before.observation, mask: before.mask }], `${where}, as loaded`);
  for (let step = stop; step < length; step++) {
    const action = act();
    seen = environment.step(action);
    demandSame([recorded(copy.step(action))], [recorded(seen)], `${where}, step ${step + 1}`);
  }
}

function checkStepBeforeReset(environment: Environment): null {
  const action = randomAction(environment.description, null, new Generator(0));
  demandRefused(() => environment.step(action), 'a step before the first reset');
  return null;
}

function checkStepAfterEnd({ create, seeds, maxSteps }: ContractSubject): string | null {
  const environment = create();
  const steps = play(environment, seeds[0], maxSteps);
  const last = steps.at(-1)!;
  if (!isOver(last)) return `no episode of at most ${maxSteps} steps ended`;
  const action = randomAction(environment.description, last.mask, new Generator(0));
  demandRefused(() => environment.step(action), 'a step after the end of an episode');
  demandSame(play(environment, seeds[0], maxSteps), steps, 'an episode after another');
  return null;
}

/** Numbers that are no choice of a head with `count` choices. */
const noChoices = (count: number): readonly number[] => [-1, count, 0.5, NaN];

function checkBadActions({ create, seeds }: ContractSubject): null {
  const environment = create();
  const { actionSpace } = environment.description;
  const choices = headsOf(actionSpace);
  const wrong = (index: number): readonly number[] => (choices ? noChoices(choices[index]) : [NaN]);
  for (let index = 0; index < (choices?.length ?? spaceSize(actionSpace)); index++) {
    for (const value of wrong(index)) {
      const { actionMask } = environment.reset(seeds[0]);
      const action = Float32Array.from(randomAction(environment.description, actionMask, new Generator(0)));
      action[index] = value;
      demandRefused(() => environment.step(action), `an action whose element ${index} is ${value}`);
    }
  }
  return null;
}

/** Plays an episode with random allowed actions, which follow from the seed. */
function play(environment: Environment, seed: number, maxSteps: number): Step[] {
  const generator = new Generator(seed);
  let seen: Observation = environment.reset(seed);
  const steps = [recorded(seen)];
  while (steps.length <= maxSteps && !isOver(steps.at(-1)!)) {
    seen = environment.step(randomAction(environment.description, seen.actionMask, generator));
    steps.push(recorded(seen));
  }
  return steps;
}

/** A copy, because the arrays belong to the environment. */
function recorded(seen: Observation | Transition): Step {
  const { reward = 0, terminated = false, truncated = false, measures = {} } = seen as Partial<Transition>;
  return {
    observation: seen.observation.slice(),
    mask: seen.actionMask && seen.actionMask.slice(),
    reward,
    terminated,
    truncated,
    measures: { ...measures },
  };
}

function isOver({ terminated, truncated }: Step): boolean {
  return terminated || truncated;
}

function forEachSeed(subject: ContractSubject, check: (subject: ContractSubject, seed: number) => void): null {
  for (const seed of subject.seeds) check(subject, seed);
  return null;
}

function demandSame(actual: readonly Step[], expected: readonly Step[], where: string): void {
  demand(
    actual.length === expected.length,
    `${where}: ${actual.length - 1} steps, where there were ${expected.length - 1} before`,
  );
  actual.forEach((step, index) => {
    const difference = differenceOf(step, expected[index]);
    demand(difference === null, `${where}${actual.length > 1 ? `, step ${index}` : ''}: ${difference} differs`);
  });
}

/** The first place at which two arrays differ, −1 when there is none. −0 is not 0 here. */
function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
}

/** What differs between two steps; null when nothing does. */
function differenceOf(a: Step, b: Step): string | null {
  const element = firstDifference(a.observation, b.observation);
  if (element >= 0)
    return `element ${element} of the observation (${a.observation[element]}, ${b.observation[element]})`;
  if (firstDifference(a.mask ?? [], b.mask ?? []) >= 0) return 'the action mask';
  if (!Object.is(a.reward, b.reward)) return `the reward (${a.reward}, ${b.reward})`;
  if (a.terminated !== b.terminated || a.truncated !== b.truncated) return 'the end of the episode';
  const names = new Set([...Object.keys(a.measures), ...Object.keys(b.measures)]);
  const name = [...names].find((key) => !Object.is(a.measures[key], b.measures[key]));
  return name === undefined ? null : `measure ${name} (${a.measures[name]}, ${b.measures[name]})`;
}

function demandRefused(work: () => unknown, what: string): void {
  try {
    work();
  } catch (error) {
    demand(error instanceof CoxswainError, `${what} must throw a CoxswainError, not ${String(error)}`);
    return;
  }
  throw broken(`${what} must throw a CoxswainError, but was played`);
}

function demand(kept: boolean, message: string): void {
  if (!kept) throw broken(message);
}

function broken(message: string): CoxswainError {
  return new CoxswainError('ENVIRONMENT_INVALID', `${message}.`);
}
