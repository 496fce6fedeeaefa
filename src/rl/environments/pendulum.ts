import type { Environment, EnvironmentDescription, Observation, Transition } from '../environment.ts';
import { Generator } from '../random.ts';
import { parseParameters } from './parameters.ts';
import type { EnvironmentKind } from './registry.ts';
import { realOf, stepOutsideEpisode } from './step-checks.ts';

/** m/s². */
const gravity = 10;
/** rad/s. */
const highestSpeed = 8;
/** N m. */
const highestTorque = 2;
/** Seconds per step. */
const stepSeconds = 0.05;
const maxEpisodeSteps = 200;
/** Price of a squared torque, in single precision as NumPy 2 multiplies it. */
const torquePrice = Math.fround(0.001);

const description: EnvironmentDescription = {
  name: 'pendulum',
  observationSpace: { kind: 'box', shape: [3], low: [-1, -1, -highestSpeed], high: [1, 1, highestSpeed] },
  actionSpace: { kind: 'box', shape: [1], low: -highestTorque, high: highestTorque },
  actionMaskSize: 0,
  maxEpisodeSteps,
  observationTable: [
    { index: '0', name: 'cosine', unit: '', low: -1, high: 1, meaning: 'Cosine of the angle; 1 is upright.' },
    { index: '1', name: 'sine', unit: '', low: -1, high: 1, meaning: 'Sine of the angle.' },
    {
      index: '2',
      name: 'angularVelocity',
      unit: 'rad/s',
      low: -highestSpeed,
      high: highestSpeed,
      meaning: 'Angular velocity, cut to ±8.',
    },
  ],
  actionTable: [
    {
      index: '0',
      name: 'torque',
      unit: 'N m',
      low: -highestTorque,
      high: highestTorque,
      meaning: 'Torque at the free end’s pivot; cut to ±2.',
    },
  ],
};

/** Everything that changes during an episode. */
interface State {
  /** Radians from upright, not wrapped. */
  readonly angle: number;
  readonly angularVelocity: number;
  readonly steps: number;
  readonly over: boolean;
}

/**
 * Pendulum-v1 of Gymnasium: a rod of 1 m and 1 kg is swung up and held. The reward is −(angle² + 0.1 · velocity² +
 * 0.001 · torque²) of the state before the step, at least −16.27; never terminated, truncated after 200 steps. The state
 * is in double precision, the torque in single, as NumPy 2 has them.
 */
export class Pendulum implements Environment {
  readonly description = description;
  private readonly observation = new Float32Array(3);
  private state: State | null = null;

  reset(seed: number): Observation {
    const generator = new Generator(seed);
    const angle = Math.PI * (2 * generator.uniform() - 1);
    return this.enter({ angle, angularVelocity: 2 * generator.uniform() - 1, steps: 0, over: false });
  }

  step(action: Int32Array | Float32Array): Transition {
    if (!this.state || this.state.over) throw stepOutsideEpisode(description.name);
    const torque = Math.min(Math.max(realOf(description.name, action), -highestTorque), highestTorque);
    const reward = -costOf(this.state, torque);
    const moved = advance(this.state, torque);
    const truncated = moved.steps >= maxEpisodeSteps;
    const seen = this.enter({ ...moved, over: truncated });
    return { ...seen, reward, terminated: false, truncated, measures: {} };
  }

  saveState(): State | null {
    return this.state;
  }

  loadState(state: unknown): Observation {
    return this.enter(state as State);
  }

  private enter(state: State): Observation {
    this.state = state;
    this.observation[0] = Math.cos(state.angle);
    this.observation[1] = Math.sin(state.angle);
    this.observation[2] = state.angularVelocity;
    return { observation: this.observation, actionMask: null };
  }
}

function advance({ angle, angularVelocity, steps, over }: State, torque: number): State {
  const acceleration = ((3 * gravity) / 2) * Math.sin(angle) + Math.fround(3 * torque);
  const wanted = angularVelocity + acceleration * stepSeconds;
  const moving = Math.min(Math.max(wanted, -highestSpeed), highestSpeed);
  return { angle: angle + moving * stepSeconds, angularVelocity: moving, steps: steps + 1, over };
}

function costOf({ angle, angularVelocity }: State, torque: number): number {
  const wrapped = wrapAngle(angle);
  const effort = Math.fround(torquePrice * Math.fround(torque * torque));
  return wrapped * wrapped + 0.1 * (angularVelocity * angularVelocity) + effort;
}

/** The angle in [−π, π). */
function wrapAngle(angle: number): number {
  const turn = 2 * Math.PI;
  const rest = (angle + Math.PI) % turn;
  return (rest < 0 ? rest + turn : rest) - Math.PI;
}

/** Swinging up with continuous torque. */
export const pendulum: EnvironmentKind = {
  name: description.name,
  summary: 'Swing a pendulum up and hold it with a weak motor; real-valued torque, 200 steps.',
  parameters: {},
  create: (parameters = {}) => {
    parseParameters(description.name, {}, parameters);
    return new Pendulum();
  },
};
