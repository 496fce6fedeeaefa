import type { Environment, EnvironmentDescription, Observation } from '../environment.ts';
import { Generator } from '../random.ts';
import { spaceSize, boundsOf } from '../spaces.ts';
import type { Moment } from './experience.ts';
import { Fingerprint } from './fingerprint.ts';
import type { Finding, LintSubject } from './lint-subject.ts';
import { allowedChoices, headsOf, headStarts, randomAction } from './random-actions.ts';
import type { Action } from './random-actions.ts';

/** What an action sets in motion may show late: so many steps are compared. */
const HORIZON = 10;
/** Two choices count as alike when they were so often in states in which other choices of the head made a difference. */
const LEAST_COMPARISONS = 10;
/** Values of a continuous element that are compared. */
const BOX_POINTS = 4;

/**
 * Finds heads without any effect, and choices that do the same as another one. From the same state, with everything else
 * equal, each choice is played and what follows is compared: observations, masks, rewards and ends of ten steps.
 */
export function actionLint(subject: LintSubject): Finding[] {
  const { description } = subject;
  const names = description.actionTable.map(({ name }) => name);
  const values = valuesPerElement(description);
  const comparisons = compareChoices(subject, values);
  return values.flatMap((choices, element) => {
    const where = `action ${element}${names[element] === undefined ? '' : ` (${names[element]})`}`;
    const { alike, different } = comparisons[element];
    if (choices.length < 2 || alike.size === 0) return [];
    if (different.size === 0) return [deadAction(where, subject.experience.moments.length)];
    if (description.actionSpace.kind === 'box') return [];
    return duplicateChoices(where, alike, different);
  });
}

/** What was found out about the choices of one head; pairs are written `a=b` with a < b. */
interface Comparison {
  /** How often two choices led to the same where others did not. */
  readonly alike: Map<string, number>;
  /** Pairs that led to something different at least once. */
  readonly different: Set<string>;
}

function compareChoices({ environment, experience, seed }: LintSubject, values: readonly (readonly number[])[]) {
  const generator = new Generator(seed);
  const comparisons = values.map((): Comparison => ({ alike: new Map(), different: new Set() }));
  for (const moment of experience.moments) {
    const base = randomAction(environment.description, moment.seen.actionMask, generator);
    values.forEach((choices, element) => {
      const pairs = (choices.length * (choices.length - 1)) / 2;
      if (comparisons[element].different.size === pairs) return;
      compareAt(environment, moment, base, element, choices, comparisons[element], generator.uint32());
    });
  }
  return comparisons;
}

/** Plays each allowed choice of one element at one moment and compares what follows, pair by pair. */
function compareAt(
  environment: Environment,
  moment: Moment,
  base: Action,
  element: number,
  choices: readonly number[],
  { alike, different }: Comparison,
  seed: number,
): void {
  const allowed = allowedAt(environment.description, moment.seen, element, choices);
  const outcomes = allowed.map((choice) => {
    const action = base.slice();
    action[element] = choice;
    return consequences(environment, moment, action, seed);
  });
  // Where no choice makes a difference, two that make none say nothing about each other.
  const informative = new Set(outcomes).size > 1 ? 1 : 0;
  for (let b = 1; b < allowed.length; b++) {
    for (let a = 0; a < b; a++) {
      const pair = `${allowed[a]}=${allowed[b]}`;
      if (outcomes[a] !== outcomes[b]) different.add(pair);
      else alike.set(pair, (alike.get(pair) ?? 0) + informative);
    }
  }
}

/** A fingerprint of what follows an action; the actions after it follow from the seed. */
function consequences(environment: Environment, moment: Moment, action: Action, seed: number): string {
  const generator = new Generator(seed);
  const { description } = environment;
  environment.loadState(JSON.parse(moment.state));
  const seen = new Fingerprint();
  let next = action;
  for (let step = 0; step < HORIZON; step++) {
    const { observation, actionMask, reward, terminated, truncated } = environment.step(next);
    seen.addAll(observation);
    seen.addAll(actionMask ?? []);
    seen.addAll([reward, Number(terminated), Number(truncated)]);
    if (terminated || truncated) break;
    next = randomAction(description, actionMask, generator);
  }
  return seen.toString();
}

/** The choices of each head, or some values of each continuous element. */
function valuesPerElement({ actionSpace }: EnvironmentDescription): readonly (readonly number[])[] {
  if (actionSpace.kind !== 'box') {
    return headsOf(actionSpace)!.map((count) => Array.from({ length: count }, (_, choice) => choice));
  }
  const { low, high } = boundsOf(actionSpace);
  return Array.from({ length: spaceSize(actionSpace) }, (_, i) =>
    Array.from({ length: BOX_POINTS }, (_, point) => low[i] + ((high[i] - low[i]) * point) / (BOX_POINTS - 1)),
  );
}

function allowedAt(
  { actionSpace }: EnvironmentDescription,
  { actionMask }: Observation,
  element: number,
  values: readonly number[],
): readonly number[] {
  const choices = headsOf(actionSpace);
  return choices ? allowedChoices(actionMask, headStarts(choices)[element], choices[element]) : values;
}

function deadAction(where: string, moments: number): Finding {
  return {
    kind: 'dead-action',
    where,
    what: `changes nothing: from ${moments} states every choice of it led to the same observations and rewards for ${HORIZON} steps.`,
    why: 'An agent spends exploration and gradient noise on a decision that decides nothing; often a wire is missing between action and system.',
    advice: 'Connect it, or take it out of the action space.',
  };
}

function duplicateChoices(
  where: string,
  alike: ReadonlyMap<string, number>,
  different: ReadonlySet<string>,
): Finding[] {
  const always = [...alike].filter(([pair, times]) => times >= LEAST_COMPARISONS && !different.has(pair));
  if (always.length === 0) return [];
  const shown = always.slice(0, 6).map(([pair, times]) => `${pair.replace('=', ' and ')} (${times} times)`);
  const more = always.length > shown.length ? ` and ${always.length - shown.length} more pairs` : '';
  return [
    {
      kind: 'duplicate-choice',
      where,
      what: `these choices never led to anything different: ${shown.join(', ')}${more}.`,
      why: 'Choices that mean the same split the probability of one decision and slow down learning it.',
      advice: 'Make them differ, or mask all but one of them.',
    },
  ];
}
