import type { Environment, EnvironmentDescription, Observation, Transition } from '../environment.ts';
import { Generator } from '../random.ts';
import { parseParameters } from './parameters.ts';
import type { EnvironmentKind } from './registry.ts';
import { realOf, stepOutsideEpisode } from './step-checks.ts';

const power = 0.0015;
const gravity = 0.0025;
const lowestPosition = -1.2;
const highestPosition = 0.6;
const highestSpeed = 0.07;
const goalPosition = 0.45;
const goalReward = 100;
/** Price of an action squared. */
const actionPrice = 0.1;
const maxEpisodeSteps = 999;

const description: EnvironmentDescription = {
  name: 'mountain-car-continuous',
  observationSpace: {
    kind: 'box',
    shape: [2],
    low: [lowestPosition, -highestSpeed],
    high: [highestPosition, highestSpeed],
  },
  actionSpace: { kind: 'box', shape: [1], low: -1, high: 1 },
  actionMaskSize: 0,
  maxEpisodeSteps,
  observationTable: [
    {
      index: '0',
      name: 'position',
      unit: 'road lengths',
      low: lowestPosition,
      high: highestPosition,
      meaning: 'Place of the car; the valley’s bottom is near −0.52, the goal at 0.45.',
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
      unit: '0.0015 road lengths/step²',
      low: -1,
      high: 1,
      meaning: 'Acceleration, to the right when positive; cut to ±1, but the reward charges what was asked for.',
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
 * MountainCarContinuous-v0 of Gymnasium (goal at 0.45, as there). The reward is 100 on the goal minus 0.1 · action².
 * Gymnasium keeps the state of a reset in double and every later one in single precision, where NumPy 2 also does the
 * arithmetic; so does this.
 */
export class MountainCarContinuous implements Environment {
  readonly description = description;
  private readonly observation = new Float32Array(2);
  private state: State | null = null;

  reset(seed: number): Observation {
    return this.enter({ position: -0.6 + 0.2 * new Generator(seed).uniform(), velocity: 0, steps: 0, over: false });
  }

  step(action: Int32Array | Float32Array): Transition {
    if (!this.state || this.state.over) throw stepOutsideEpisode(description.name);
    const push = realOf(description.name, action);
    const round = this.state.steps === 0 ? inDouble : Math.fround;
    const moved = advance(this.state, push, round);
    const terminated = moved.position >= round(goalPosition) && moved.velocity >= 0;
    const truncated = moved.steps >= maxEpisodeSteps;
    const reward = (terminated ? goalReward : 0) - push * push * actionPrice;
    const { position, velocity } = moved;
    const over = terminated || truncated;
    const seen = this.enter({ ...moved, position: Math.fround(position), velocity: Math.fround(velocity), over });
    return { ...seen, reward, terminated, truncated, measures: {} };
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

/** @param round rounds a result to the precision that NumPy would give it. */
function advance({ position, velocity, steps, over }: State, push: number, round: (value: number) => number): State {
  const slope = gravity * Math.cos(round(3 * position));
  const wanted = round(velocity + round(accelerationOf(push, slope)));
  const speedLimit = round(highestSpeed);
  const moving = Math.min(Math.max(wanted, -speedLimit), speedLimit);
  const reached = round(position + moving);
  const lowest = round(lowestPosition);
  const place = Math.min(Math.max(reached, lowest), round(highestPosition));
  return { position: place, velocity: place === lowest && moving < 0 ? 0 : moving, steps: steps + 1, over };
}

/** A push within its limits is a NumPy single, so the difference is one; a limit is a Python double until it is added. */
function accelerationOf(push: number, slope: number): number {
  if (push > 1) return power - slope;
  if (push < -1) return -power - slope;
  return Math.fround(Math.fround(push * Math.fround(power)) - Math.fround(slope));
}

function inDouble(value: number): number {
  return value;
}

/** The mountain car with a real-valued push. */
export const mountainCarContinuous: EnvironmentKind = {
  name: description.name,
  summary: 'Swing an underpowered car out of a valley with real-valued pushes; 100 on the goal, pushing costs.',
  parameters: {},
  create: (parameters = {}) => {
    parseParameters(description.name, {}, parameters);
    return new MountainCarContinuous();
  },
};
