import type { Environment, EnvironmentDescription, Observation, Transition } from '../environment.ts';
import { Generator } from '../random.ts';
import { parseParameters } from './parameters.ts';
import type { EnvironmentKind } from './registry.ts';
import { choiceAt, stepOutsideEpisode } from './step-checks.ts';

/** m/s². Both links have 1 kg, 1 m, their centre of mass at 0.5 m and a moment of inertia of 1 kg m². */
const gravity = 9.8;
/** Seconds per step. */
const stepSeconds = 0.2;
const highestSpeed1 = 4 * Math.PI;
const highestSpeed2 = 9 * Math.PI;
const maxEpisodeSteps = 500;

const description: EnvironmentDescription = {
  name: 'acrobot',
  observationSpace: {
    kind: 'box',
    shape: [6],
    low: [-1, -1, -1, -1, -highestSpeed1, -highestSpeed2],
    high: [1, 1, 1, 1, highestSpeed1, highestSpeed2],
  },
  actionSpace: { kind: 'discrete', n: 3 },
  actionMaskSize: 0,
  maxEpisodeSteps,
  observationTable: [
    { index: '0', name: 'cosine1', unit: '', low: -1, high: 1, meaning: 'Cosine of the first angle; 1 hangs down.' },
    { index: '1', name: 'sine1', unit: '', low: -1, high: 1, meaning: 'Sine of the first angle.' },
    {
      index: '2',
      name: 'cosine2',
      unit: '',
      low: -1,
      high: 1,
      meaning: 'Cosine of the second angle, relative to the first link; 1 is straight.',
    },
    { index: '3', name: 'sine2', unit: '', low: -1, high: 1, meaning: 'Sine of the second angle.' },
    {
      index: '4',
      name: 'angularVelocity1',
      unit: 'rad/s',
      low: -12.567,
      high: 12.567,
      meaning: 'Angular velocity of the first link, cut to ±4π.',
    },
    {
      index: '5',
      name: 'angularVelocity2',
      unit: 'rad/s',
      low: -28.275,
      high: 28.275,
      meaning: 'Angular velocity of the second joint, cut to ±9π.',
    },
  ],
  actionTable: [
    {
      index: '0',
      name: 'torque',
      unit: 'choice',
      low: 0,
      high: 2,
      meaning: 'Torque on the joint between the links: 0 is −1 N m, 1 none, 2 is +1 N m.',
    },
  ],
};

/** θ1, θ2 (radians from hanging down; the second relative to the first), θ1', θ2' (rad/s). */
type Motion = readonly [angle1: number, angle2: number, velocity1: number, velocity2: number];

/** Everything that changes during an episode. */
interface State {
  readonly motion: Motion;
  readonly steps: number;
  readonly over: boolean;
}

/**
 * Acrobot-v1 of Gymnasium: two links, a motor between them, to be swung up (Sutton, "Generalization in reinforcement
 * learning", 1996; equations of Sutton & Barto's book). One step of fourth-order Runge–Kutta over 0.2 s. A reward of −1
 * at each step and 0 at the last, termination when the tip is one link above the pivot, truncation after 500 steps.
 */
export class Acrobot implements Environment {
  readonly description = description;
  private readonly observation = new Float32Array(6);
  private state: State | null = null;

  reset(seed: number): Observation {
    const generator = new Generator(seed);
    // Gymnasium keeps the state of a reset in single precision.
    const draw = (): number => Math.fround(0.2 * generator.uniform() - 0.1);
    return this.enter({ motion: [draw(), draw(), draw(), draw()], steps: 0, over: false });
  }

  step(action: Int32Array | Float32Array): Transition {
    if (!this.state || this.state.over) throw stepOutsideEpisode(description.name);
    const torque = choiceAt(description.name, action, 0, 3) - 1;
    const motion = bounded(rungeKutta(this.state.motion, torque));
    const steps = this.state.steps + 1;
    const terminated = -Math.cos(motion[0]) - Math.cos(motion[1] + motion[0]) > 1;
    const truncated = steps >= maxEpisodeSteps;
    const seen = this.enter({ motion, steps, over: terminated || truncated });
    return { ...seen, reward: terminated ? 0 : -1, terminated, truncated, measures: {} };
  }

  saveState(): State | null {
    return this.state;
  }

  loadState(state: unknown): Observation {
    return this.enter(state as State);
  }

  private enter(state: State): Observation {
    this.state = state;
    const [angle1, angle2, velocity1, velocity2] = state.motion;
    const { observation } = this;
    observation[0] = Math.cos(angle1);
    observation[1] = Math.sin(angle1);
    observation[2] = Math.cos(angle2);
    observation[3] = Math.sin(angle2);
    observation[4] = velocity1;
    observation[5] = velocity2;
    return { observation, actionMask: null };
  }
}

/** The derivative of a motion under a torque; every sum in the order of the reference, so that it rounds alike. */
function derivative([angle1, angle2, velocity1, velocity2]: Motion, torque: number): Motion {
  const cosine2 = Math.cos(angle2);
  const sine2 = Math.sin(angle2);
  const inertia1 = 0.25 + (1.25 + cosine2) + 1 + 1;
  const inertia2 = 0.25 + 0.5 * cosine2 + 1;
  const phi2 = 0.5 * gravity * Math.cos(angle1 + angle2 - Math.PI / 2);
  const phi1 =
    -0.5 * (velocity2 * velocity2) * sine2 -
    velocity2 * velocity1 * sine2 +
    1.5 * gravity * Math.cos(angle1 - Math.PI / 2) +
    phi2;
  const acceleration2 =
    (torque + (inertia2 / inertia1) * phi1 - 0.5 * (velocity1 * velocity1) * sine2 - phi2) /
    (1.25 - (inertia2 * inertia2) / inertia1);
  const acceleration1 = -(inertia2 * acceleration2 + phi1) / inertia1;
  return [velocity1, velocity2, acceleration1, acceleration2];
}

function rungeKutta(motion: Motion, torque: number): Motion {
  const half = stepSeconds / 2;
  const k1 = derivative(motion, torque);
  const k2 = derivative(shifted(motion, half, k1), torque);
  const k3 = derivative(shifted(motion, half, k2), torque);
  const k4 = derivative(shifted(motion, stepSeconds, k3), torque);
  const sixth = stepSeconds / 6;
  const moved = (i: number): number => motion[i] + sixth * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
  return [moved(0), moved(1), moved(2), moved(3)];
}

function shifted(motion: Motion, seconds: number, slope: Motion): Motion {
  return [
    motion[0] + seconds * slope[0],
    motion[1] + seconds * slope[1],
    motion[2] + seconds * slope[2],
    motion[3] + seconds * slope[3],
  ];
}

function bounded([angle1, angle2, velocity1, velocity2]: Motion): Motion {
  return [
    wrapAngle(angle1),
    wrapAngle(angle2),
    Math.min(Math.max(velocity1, -highestSpeed1), highestSpeed1),
    Math.min(Math.max(velocity2, -highestSpeed2), highestSpeed2),
  ];
}

/** The angle in [−π, π], by whole turns one at a time, as the reference rounds. */
function wrapAngle(angle: number): number {
  let wrapped = angle;
  while (wrapped > Math.PI) wrapped -= 2 * Math.PI;
  while (wrapped < -Math.PI) wrapped += 2 * Math.PI;
  return wrapped;
}

/** Swinging two links up with a motor between them. */
export const acrobot: EnvironmentKind = {
  name: description.name,
  summary: 'Swing two links up by a motor between them; −1 a step until the tip is high enough.',
  parameters: {},
  create: (parameters = {}) => {
    parseParameters(description.name, {}, parameters);
    return new Acrobot();
  },
  acceptedFindings: [
    {
      kind: 'constant-reward',
      where: /^reward$/,
      reason: 'As in Gymnasium: −1 a step until the tip is high enough, which random actions seldom reach.',
    },
  ],
};
