import type { Environment, EnvironmentDescription, Observation, Transition } from '../environment.ts';
import type { BaselineDecision } from '../environments/registry.ts';
import { Generator } from '../random.ts';
import { headsOf, headStarts, randomAction } from './random-actions.ts';
import type { Action } from './random-actions.ts';

/** A moment of an episode that can be gone back to. */
export interface Moment {
  /** The environment's state as JSON. */
  readonly state: string;
  /** What was seen there; copies. */
  readonly seen: Observation;
}

/** What was seen while an environment was played in several manners. */
export interface Experience {
  /** One for each reset and step. */
  readonly observations: readonly Float32Array[];
  /** One for each step. */
  readonly rewards: readonly number[];
  readonly measures: readonly Readonly<Record<string, number>>[];
  /** Returns of the episodes that ended by themselves or by their time limit. */
  readonly returns: readonly number[];
  /** True when some episode reached an end state: then even equal rewards can tell good from bad, by their number. */
  readonly terminated: boolean;
  readonly moments: readonly Moment[];
  readonly microsecondsPerStep: number;
}

/** Moments that are kept of all the steps. */
const MOMENTS = 40;
/** How long the manner "hold" stays with an action, steps. */
const HOLD_STEPS = 25;
/** Steps whose time is taken together. */
const TIMED_STEPS = 50;

/** How the next action is chosen. */
type Manner = (seen: Observation, step: number) => Action;

/**
 * Plays `steps` steps: at random, holding random actions for a while (which gets much further in most environments), and
 * as each baseline does, an episode each in turn.
 */
export function gatherExperience(
  environment: Environment,
  baselines: readonly BaselineDecision[],
  steps: number,
  seed: number,
): Experience {
  const manners = mannersOf(environment.description, baselines, new Generator(seed));
  const recorder = new Recorder(environment, Math.max(1, Math.floor(steps / MOMENTS)));
  // No episode may use up all the steps, or only one manner would be seen.
  const longest = Math.max(20, Math.ceil(steps / (2 * manners.length)));
  for (let episode = 0; recorder.rewards.length < steps; episode++) {
    const most = Math.min(longest, steps - recorder.rewards.length);
    recorder.play(manners[episode % manners.length], (seed + episode) >>> 0, most);
  }
  return recorder;
}

function mannersOf(
  description: EnvironmentDescription,
  baselines: readonly BaselineDecision[],
  generator: Generator,
): Manner[] {
  const atRandom: Manner = ({ actionMask }) => randomAction(description, actionMask, generator);
  let held: Action = new Int32Array();
  const hold: Manner = (seen, step) => {
    const fresh = atRandom(seen, step);
    held = step % HOLD_STEPS === 0 ? fresh : heldWhereAllowed(held, fresh, description, seen.actionMask);
    return held;
  };
  return [
    atRandom,
    hold,
    ...baselines.map(
      (decide): Manner =>
        (seen) =>
          asAction(description, decide(seen)),
    ),
  ];
}

/** The old action, but the fresh one in heads whose old choice is masked now. */
function heldWhereAllowed(
  held: Action,
  fresh: Action,
  { actionSpace }: EnvironmentDescription,
  mask: Uint8Array | null,
): Action {
  if (mask === null) return held;
  const starts = headStarts(headsOf(actionSpace)!);
  return held.map((choice, head) => (mask[starts[head] + choice] === 1 ? choice : fresh[head]));
}

/** Numbers as an action of the form that `step` takes. */
export function asAction({ actionSpace }: EnvironmentDescription, numbers: ArrayLike<number>): Action {
  return actionSpace.kind === 'box' ? Float32Array.from(numbers) : Int32Array.from(numbers);
}

class Recorder implements Experience {
  readonly observations: Float32Array[] = [];
  readonly rewards: number[] = [];
  readonly measures: Readonly<Record<string, number>>[] = [];
  readonly returns: number[] = [];
  readonly moments: Moment[] = [];
  terminated = false;
  microsecondsPerStep = Infinity;
  private stretchMs = 0;
  private readonly environment: Environment;
  private readonly momentEvery: number;

  constructor(environment: Environment, momentEvery: number) {
    this.environment = environment;
    this.momentEvery = momentEvery;
  }

  /** Plays an episode, or the first `most` steps of it. */
  play(manner: Manner, seed: number, most: number): void {
    let seen = this.environment.reset(seed);
    let episodeReturn = 0;
    this.observations.push(seen.observation.slice());
    for (let step = 0; step < most; step++) {
      if (this.rewards.length % this.momentEvery === 0) this.keepMoment(seen);
      const transition = this.timed(manner(seen, step));
      this.note(transition);
      episodeReturn += transition.reward;
      seen = transition;
      if (!transition.terminated && !transition.truncated) continue;
      this.returns.push(episodeReturn);
      this.terminated ||= transition.terminated;
      return;
    }
  }

  private note({ observation, reward, measures }: Transition): void {
    this.observations.push(observation.slice());
    this.rewards.push(reward);
    this.measures.push({ ...measures });
  }

  private keepMoment({ observation, actionMask }: Observation): void {
    const state = JSON.stringify(this.environment.saveState());
    this.moments.push({
      state,
      seen: { observation: observation.slice(), actionMask: actionMask && actionMask.slice() },
    });
  }

  private timed(action: Action): Transition {
    const before = performance.now();
    const transition = this.environment.step(action);
    this.stretchMs += performance.now() - before;
    if ((this.rewards.length + 1) % TIMED_STEPS === 0) {
      this.microsecondsPerStep = Math.min(this.microsecondsPerStep, (1000 * this.stretchMs) / TIMED_STEPS);
      this.stretchMs = 0;
    }
    return transition;
  }
}
