import type { Finding, LintSubject } from './lint-subject.ts';

/** Measures whose names begin like this and go on with a capital letter are the summands of the reward. */
const PART = /^reward[A-Z]/;
/** A summand, or a few steps, that carry more than this share of the reward's variance drown everything else. */
const DROWNING_SHARE = 0.95;
/** The few steps with the worst rewards. */
const RARE_SHARE = 0.02;
/** Relative error up to which summands add up to the reward. */
const SUM_TOLERANCE = 1e-6;

/** Finds rewards that never differ. Where episodes reach an end state, equal rewards still count the steps. */
export function constantRewardLint({ experience: { rewards, returns, terminated } }: LintSubject): Finding[] {
  const constant = rewards.every((reward) => reward === rewards[0]);
  if (!constant || (terminated && returns.some((value) => value !== returns[0]))) return [];
  return [
    {
      kind: 'constant-reward',
      where: 'reward',
      what: `is ${rewards[0]} in all of ${rewards.length} steps, whatever is done${terminated ? '' : ', and no episode reached an end state'}.`,
      why: 'Without a difference between better and worse there is nothing to learn; a reward that is only met by luck is found after very long, or never.',
      advice: 'Let the reward depend on what the actions bring about, or shape the way to a goal that is far away.',
    },
  ];
}

/** Finds steps so bad and so rare that they make up the variance of the reward, and summands that do. */
export function drowningPenaltyLint(subject: LintSubject): Finding[] {
  return [...rarePenalties(subject), ...drowningParts(subject)];
}

function rarePenalties({ experience: { rewards } }: LintSubject): Finding[] {
  const ordered = [...rewards].sort((a, b) => a - b);
  const rare = Math.floor(RARE_SHARE * ordered.length);
  if (rare === 0) return [];
  const middle = ordered[ordered.length >> 1];
  const spreadOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const rest = spreadOf(ordered.slice(rare));
  const worst = spreadOf(ordered.slice(0, rare));
  // Where nothing else varies the rare penalty is the signal, and drowns none.
  if (rest === 0 || worst / (worst + rest) <= DROWNING_SHARE) return [];
  return [
    {
      kind: 'drowning-penalty',
      where: 'reward',
      what: `the worst ${percent(RARE_SHARE)} of the steps (${short(ordered[0])} … ${short(ordered[rare - 1])}, where half of all are above ${short(middle)}) carry ${percent(worst / (worst + rest))} of its spread.`,
      why: 'Value estimates and normalised advantages follow the few disasters; the difference between a good and a middling decision vanishes in their noise.',
      advice: 'Let the penalty saturate, make it smaller, or end the episode where it is paid.',
    },
  ];
}

function drowningParts({ experience: { measures, rewards } }: LintSubject): Finding[] {
  const names = partsOf(measures);
  if (names.length < 2) return [];
  const variances = names.map((name) => variance(measures.map((step) => step[name])));
  const total = variances.reduce((sum, value) => sum + value, 0);
  return names.flatMap((name, index): Finding[] => {
    const share = variances[index] / total;
    if (!(share > DROWNING_SHARE) || measures.some((step) => step[name] > 0)) return [];
    return [
      {
        kind: 'drowning-penalty',
        where: `summand ${name} of the reward`,
        what: `varies so much that it carries ${percent(share)} of the variance of all summands, in ${rewards.length} steps.`,
        why: 'The other summands hardly move the reward: the agent will learn to avoid this penalty and little else.',
        advice: 'Make its weight smaller or the others larger until each can be seen, or let it saturate.',
      },
    ];
  });
}

/** Finds summands that do not add up to the reward: then reports explain something else than what is learned from. */
export function rewardPartsLint({ experience: { measures, rewards } }: LintSubject): Finding[] {
  const names = partsOf(measures);
  if (names.length === 0) return [];
  const sums = measures.map((step) => names.reduce((sum, name) => sum + step[name], 0));
  const wrong = sums.findIndex(
    (sum, step) => Math.abs(sum - rewards[step]) > SUM_TOLERANCE * Math.max(1, Math.abs(sum)),
  );
  if (wrong < 0) return [];
  return [
    {
      kind: 'reward-parts',
      where: `measures ${names.join(', ')}`,
      what: `add up to ${short(sums[wrong])} where the reward is ${short(rewards[wrong])}.`,
      why: 'Measures with these names say what the reward is made of; a report that leaves a part out misleads whoever tunes it.',
      advice:
        'Let every summand of the reward be a measure, with its sign and weight, or give the measures other names.',
    },
  ];
}

function partsOf(measures: readonly Readonly<Record<string, number>>[]): string[] {
  return Object.keys(measures[0]).filter((name) => PART.test(name));
}

function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 || share > 0.99 ? 1 : 0)} %`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
