import type { Environment, EnvironmentDescription, Observation, Transition } from '../environment.ts';
import { Generator } from '../random.ts';
import { parseParameters } from './parameters.ts';
import type { EnvironmentKind } from './registry.ts';
import { choiceAt, stepOutsideEpisode } from './step-checks.ts';

const force = 0.001;
const gravity = 0.0025;
const lowestPosition = -1.2;
const highestPosition = 0.6;
const highestSpeed = 0.07;
const goalPosition = 0.5;
const maxEpisodeSteps = 200;

const description: EnvironmentDescription = {
  name: 'mountain-car',
  observationSpace: {
    kind: 'box',
    shape: [2],
    low: [lowestPosition, -highestSpeed],
    high: [highestPosition, highestSpeed],
  },
  actionSpace: { kind: 'discrete', n: 3 },
  actionMaskSize: 0,
  maxEpisodeSteps,
  observationTable: [
    {
      index: '0',
      name: 'position',
      unit: 'road lengths',
      low: lowestPosition,
      high: highestPosition,
      meaning: 'Place of the car; the valley’s bottom is near −0.52, the goal at 0.5.',
    },
    {
      index: '1',
      name: 'velocity',
      unit: 'road lengths/step',
      low: -highestSpeed,
      high: highestSpeed,
      meaning: 'Speed of the car, to the right when positive.',
    },
  ],
  actionTable: [
    {
      index: '0',
      name: 'push',
      unit: 'choice',
      low: 0,
      high: 2,
      meaning: '0 accelerates to the left, 1 not at all, 2 to the right, by 0.001 road lengths/step².',
    },
  ],
};

/** Everything that changes during an episode. */
interface State {
  readonly position: number;
  readonly velocity: number;
  readonly steps: number;
  readonly over: boolean;
}

/**
 * MountainCar-v0 of Gymnasium: a car too weak for its hill (Moore, "Efficient memory-based learning for robot control",
 * 1990; constants of Singh & Sutton 1996). A reward of −1 at each step, termination on the goal, truncation after 200
 * steps. The state is in double precision.
 */
export class MountainCar implements Environment {
  readonly description = description;
  private readonly observation = new Float32Array(2);
  private state: State | null = null;

  reset(seed: number): Observation {
    return this.enter({ position: -0.6 + 0.2 * new Generator(seed).uniform(), velocity: 0, steps: 0, over: false });
  }

  step(action: Int32Array | Float32Array): Transition {
    if (!this.state || this.state.over) throw stepOutsideEpisode(description.name);
    const moved = advance(this.state, choiceAt(description.name, action, 0, 3));
    const terminated = moved.position >= goalPosition && moved.velocity >= 0;
    const truncated = moved.steps >= maxEpisodeSteps;
    const seen = this.enter({ ...moved, over: terminated || truncated });
    return { ...seen, reward: -1, terminated, truncated, measures: {} };
  }

  saveState(): State | null {
    return this.state;
  }

  loadState(state: unknown): Observation {
    return this.enter(state as State);
  }

  private enter(state: State): Observation {
    this.state = state;
    this.observation[0] = state.position;
    this.observation[1] = state.velocity;
    return { observation: this.observation, actionMask: null };
  }
}

function advance({ position, velocity, steps, over }: State, choice: number): State {
  const wanted = velocity + ((choice - 1) * force + Math.cos(3 * position) * -gravity);
  const moving = Math.min(Math.max(wanted, -highestSpeed), highestSpeed);
  const reached = Math.min(Math.max(position + moving, lowestPosition), highestPosition);
  const stopped = reached === lowestPosition && moving < 0;
  return { position: reached, velocity: stopped ? 0 : moving, steps: steps + 1, over };
}

/** Reaching a goal that is only reached by first going the other way. */
export const mountainCar: EnvironmentKind = {
  name: description.name,
  summary: 'Swing an underpowered car out of a valley within 200 steps; −1 a step until the goal.',
  parameters: {},
  create: (parameters = {}) => {
    parseParameters(description.name, {}, parameters);
    return new MountainCar();
  },
  acceptedFindings: [
    {
      kind: 'constant-reward',
      where: /^reward$/,
      reason:
        'As in Gymnasium: −1 a step until a goal that random actions do not reach. It is there to test exploration.',
    },
  ],
};
