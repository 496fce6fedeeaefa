import { CoxswainError } from '../../contracts/errors.ts';
import type { Environment, EnvironmentDescription, Observation, Transition } from '../environment.ts';
import { Generator } from '../random.ts';
import { parseParameters } from './parameters.ts';
import type { EnvironmentKind } from './registry.ts';

const gravity = 9.8;
const cartMass = 1.0;
const poleMass = 0.1;
const totalMass = cartMass + poleMass;
/** Half of the pole's length, in metres. */
const poleHalfLength = 0.5;
const poleMassLength = poleMass * poleHalfLength;
/** Newtons. */
const force = 10.0;
/** Seconds per step. */
const stepSeconds = 0.02;
/** 12 degrees. */
const angleLimit = (12 * 2 * Math.PI) / 360;
/** Metres from the centre. */
const positionLimit = 2.4;
const maxEpisodeSteps = 500;

const description: EnvironmentDescription = {
  name: 'cart-pole',
  observationSpace: {
    kind: 'box',
    shape: [4],
    low: [-2 * positionLimit, -Infinity, -2 * angleLimit, -Infinity],
    high: [2 * positionLimit, Infinity, 2 * angleLimit, Infinity],
  },
  actionSpace: { kind: 'discrete', n: 2 },
  actionMaskSize: 0,
  maxEpisodeSteps,
  observationTable: [
    {
      index: '0',
      name: 'position',
      unit: 'm',
      low: -4.8,
      high: 4.8,
      meaning: 'Cart position; the episode ends beyond ±2.4.',
    },
    { index: '1', name: 'velocity', unit: 'm/s', low: -Infinity, high: Infinity, meaning: 'Cart velocity.' },
    {
      index: '2',
      name: 'angle',
      unit: 'rad',
      low: -0.419,
      high: 0.419,
      meaning: 'Pole angle; the episode ends beyond ±0.2095.',
    },
    {
      index: '3',
      name: 'angularVelocity',
      unit: 'rad/s',
      low: -Infinity,
      high: Infinity,
      meaning: 'Pole angular velocity.',
    },
  ],
  actionTable: [
    {
      index: '0',
      name: 'push',
      unit: '',
      low: 0,
      high: 1,
      meaning: '0 pushes the cart to the left, 1 to the right, with 10 N.',
    },
  ],
};

/** Everything that changes during an episode. */
interface State {
  readonly position: number;
  readonly velocity: number;
  readonly angle: number;
  readonly angularVelocity: number;
  readonly steps: number;
  readonly over: boolean;
}

/**
 * CartPole-v1 of Gymnasium, to the last digit: Euler integration in double precision of Barto, Sutton & Anderson,
 * "Neuronlike adaptive elements that can solve difficult learning control problems" (1983). A reward of 1 at each step,
 * termination when the pole or the cart leaves its limits, truncation after 500 steps.
 */
export class CartPole implements Environment {
  readonly description = description;
  private readonly observation = new Float32Array(4);
  private state: State | null = null;

  reset(seed: number): Observation {
    const generator = new Generator(seed);
    const draw = (): number => 0.1 * generator.uniform() - 0.05;
    return this.enter({
      position: draw(),
      velocity: draw(),
      angle: draw(),
      angularVelocity: draw(),
      steps: 0,
      over: false,
    });
  }

  step(action: Int32Array | Float32Array): Transition {
    if (!this.state || this.state.over) {
      throw new CoxswainError(
        'ENVIRONMENT_INVALID',
        'cart-pole: step was called before reset or after the end of an episode.',
      );
    }
    if (action[0] !== 0 && action[0] !== 1) {
      throw new CoxswainError('ENVIRONMENT_INVALID', `cart-pole: action ${action[0]} is neither 0 nor 1.`);
    }
    const moved = advance(this.state, action[0] === 1 ? force : -force);
    const terminated = Math.abs(moved.position) > positionLimit || Math.abs(moved.angle) > angleLimit;
    const truncated = moved.steps >= maxEpisodeSteps;
    const seen = this.enter({ ...moved, over: terminated || truncated });
    return { ...seen, reward: 1, terminated, truncated, measures: {} };
  }

  saveState(): State | null {
    return this.state;
  }

  loadState(state: unknown): Observation {
    return this.enter(state as State);
  }

  private enter(state: State): Observation {
    this.state = state;
    this.observation.set([state.position, state.velocity, state.angle, state.angularVelocity]);
    return { observation: this.observation, actionMask: null };
  }
}

function advance({ position, velocity, angle, angularVelocity, steps, over }: State, push: number): State {
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const pushed = (push + poleMassLength * (angularVelocity * angularVelocity) * sine) / totalMass;
  const angularAcceleration =
    (gravity * sine - cosine * pushed) / (poleHalfLength * (4.0 / 3.0 - (poleMass * (cosine * cosine)) / totalMass));
  const acceleration = pushed - (poleMassLength * angularAcceleration * cosine) / totalMass;
  return {
    position: position + stepSeconds * velocity,
    velocity: velocity + stepSeconds * acceleration,
    angle: angle + stepSeconds * angularVelocity,
    angularVelocity: angularVelocity + stepSeconds * angularAcceleration,
    steps: steps + 1,
    over,
  };
}

/** Balancing a pole: the toy on which agents are checked. */
export const cartPole: EnvironmentKind = {
  name: description.name,
  summary: 'Balance a pole on a cart for 500 steps by pushing it left or right.',
  parameters: {},
  create: (parameters = {}) => {
    parseParameters(description.name, {}, parameters);
    return new CartPole();
  },
};
