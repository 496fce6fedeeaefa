import { Generator } from '../random.ts';
import type { Finding, LintSubject } from './lint-subject.ts';
import { randomAction } from './random-actions.ts';

const SEEDS = 5;
const STEPS = 20;

/** Finds environments in which every seed gives the same episode. */
export function seedLint({ environment, seed }: LintSubject): Finding[] {
  const beginnings = Array.from({ length: SEEDS }, (_, index) => beginning(environment, (seed + index) >>> 0, seed));
  if (beginnings.some((text) => text !== beginnings[0])) return [];
  return [
    {
      kind: 'ignored-seed',
      where: 'reset',
      what: `${SEEDS} different seeds gave the same ${STEPS} steps for the same actions.`,
      why: 'An agent then learns one episode by heart; scores over several seeds look certain and mean nothing.',
      advice: 'Draw the start, the load or the noise from the seed of reset.',
    },
  ];
}

function beginning(environment: LintSubject['environment'], seed: number, actionSeed: number): string {
  const generator = new Generator(actionSeed);
  let seen = environment.reset(seed);
  const steps = [seen.observation.join()];
  for (let step = 0; step < STEPS; step++) {
    const transition = environment.step(randomAction(environment.description, seen.actionMask, generator));
    steps.push(`${transition.observation.join()};${transition.reward}`);
    if (transition.terminated || transition.truncated) break;
    seen = transition;
  }
  return steps.join('\n');
}
