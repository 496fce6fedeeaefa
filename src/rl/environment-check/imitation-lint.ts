import type { EnvironmentDescription } from '../environment.ts';
import { boundsOf } from '../spaces.ts';
import { Generator } from '../random.ts';
import { asAction } from './experience.ts';
import type { Moment } from './experience.ts';
import { explainedShare } from './least-squares.ts';
import type { Finding, LintSubject } from './lint-subject.ts';
import { headsOf, randomAction } from './random-actions.ts';
import type { Action } from './random-actions.ts';

/** Above this share of the reward's variance, agreement with a baseline is all that counts. */
const IMITATION_SHARE = 0.9;
/** How much of each tried action is the baseline's, the rest being random. */
const MIXES = [0, 0.25, 0.5, 0.75, 1] as const;
const ACTIONS_PER_MIX = 3;
/** Names of measures that are the reward itself. */
const PART = /^reward[A-Z]/;

/** One action that was tried: how close it is to the baseline's, and what it earned. */
interface Trial {
  readonly agreement: readonly number[];
  readonly reward: number;
  readonly measures: readonly number[];
}

/**
 * Finds rewards that are a function of how close an action is to what a baseline would do, over all states: such a reward
 * takes no notice of how the system fares. At many moments actions between random and the baseline's are tried.
 */
export function imitationLint(subject: LintSubject): Finding[] {
  return Object.keys(subject.baselines).flatMap((name) => {
    const trials = tryActions(subject, name);
    const byAgreement = explainedShare(
      trials.map(({ agreement }) => agreement),
      trials.map(({ reward }) => reward),
    );
    if (!(byAgreement > IMITATION_SHARE)) return [];
    const byMeasures = explainedShare(
      trials.map(({ measures }) => measures),
      trials.map(({ reward }) => reward),
    );
    return [finding(name, byAgreement, byMeasures, trials.length)];
  });
}

function tryActions({ environment, experience, baselines, seed }: LintSubject, name: string): Trial[] {
  const { description } = environment;
  const generator = new Generator(seed);
  const decide = baselines[name];
  return experience.moments.flatMap((moment) => {
    const seen = environment.loadState(JSON.parse(moment.state));
    const model = asAction(description, decide(seen));
    return MIXES.flatMap((mix) =>
      Array.from({ length: ACTIONS_PER_MIX }, () => {
        const random = randomAction(description, moment.seen.actionMask, generator);
        const action = mixed(description, model, random, mix, generator);
        return tryAction(environment, moment, model, action);
      }),
    );
  });
}

function tryAction(environment: LintSubject['environment'], moment: Moment, model: Action, action: Action): Trial {
  environment.loadState(JSON.parse(moment.state));
  const { reward, measures } = environment.step(action);
  const outcomes = Object.entries(measures).filter(([name]) => !PART.test(name));
  return {
    agreement: agreementOf(environment.description, model, action),
    reward,
    measures: outcomes.map(([, value]) => value),
  };
}

/** An action whose elements are the model's with probability `mix`; continuous ones are moved by that share. */
function mixed(
  { actionSpace }: EnvironmentDescription,
  model: Action,
  random: Action,
  mix: number,
  generator: Generator,
): Action {
  return actionSpace.kind === 'box'
    ? random.map((value, index) => value + mix * (model[index] - value))
    : random.map((choice, head) => (generator.uniform() < mix ? model[head] : choice));
}

/**
 * How close an action is to the model: for each element whether it is equal, and the distance over its range; then the mean
 * distance and its square, for rewards that judge the action as a whole.
 */
function agreementOf({ actionSpace }: EnvironmentDescription, model: Action, action: Action): number[] {
  const ranges = rangesOf(actionSpace);
  const distances = ranges.map((range, i) => Math.abs(action[i] - model[i]) / range);
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  return [...distances.map((distance) => (distance === 0 ? 1 : 0)), ...distances, mean, mean * mean];
}

function rangesOf(space: EnvironmentDescription['actionSpace']): number[] {
  if (space.kind !== 'box') return headsOf(space)!.map((count) => Math.max(1, count - 1));
  const { low, high } = boundsOf(space);
  return high.map((bound, i) => bound - low[i]);
}

function finding(baseline: string, byAgreement: number, byMeasures: number, trials: number): Finding {
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  return {
    kind: 'imitation-reward',
    where: 'reward',
    what: `agreement with the baseline "${baseline}" alone explains ${percent(byAgreement)} of it over ${trials} actions in different states; what the environment measures explains ${percent(byMeasures)}.`,
    why: 'The agent is paid for doing what the baseline does, however the system fares: it can at best become that baseline, never better.',
    advice:
      'Pay for outcomes (latency, violations, cost) instead; to start from a baseline, use it as the base of the action.',
  };
}
