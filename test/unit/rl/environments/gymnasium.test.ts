import assert from 'node:assert/strict';
import test from 'node:test';
import type { Environment } from '../../../../src/rl/environment.ts';
import { Acrobot } from '../../../../src/rl/environments/acrobot.ts';
import { CartPole } from '../../../../src/rl/environments/cart-pole.ts';
import { MountainCarContinuous } from '../../../../src/rl/environments/mountain-car-continuous.ts';
import { MountainCar } from '../../../../src/rl/environments/mountain-car.ts';
import { Pendulum } from '../../../../src/rl/environments/pendulum.ts';
import { trajectoriesOf } from './gymnasium-trajectories.ts';
import type { RecordedTrajectory } from './gymnasium-trajectories.ts';

/** An environment beside Gymnasium's recordings of it. */
interface Reference {
  create(): Environment;
  /** Our state for a state of Gymnasium. */
  stateOf(state: readonly number[], steps: number): unknown;
  /** And back. */
  numbersOf(state: never): readonly number[];
  /**
   * How far a state after one step may be from the recorded one, relative to max(1, |x|). Math.sin and Math.cos of V8
   * differ from those of glibc by one unit in the last place at about 1 argument in 37, and x² from NumPy's x ** 2 at 1
   * in 1 200; where that reaches a state it is one or two units. 0 is equality to the last digit.
   */
  readonly tolerance: number;
}

const unit = Number.EPSILON;

const references: Readonly<Record<string, Reference>> = {
  'cart-pole': {
    create: () => new CartPole(),
    stateOf: ([position, velocity, angle, angularVelocity], steps) => ({
      position,
      velocity,
      angle,
      angularVelocity,
      steps,
      over: false,
    }),
    numbersOf: ({ position, velocity, angle, angularVelocity }: Record<string, number>) => [
      position,
      velocity,
      angle,
      angularVelocity,
    ],
    tolerance: 0,
  },
  acrobot: {
    create: () => new Acrobot(),
    stateOf: (motion, steps) => ({ motion, steps, over: false }),
    numbersOf: ({ motion }: { motion: readonly number[] }) => motion,
    tolerance: 4 * unit,
  },
  'mountain-car': {
    create: () => new MountainCar(),
    stateOf: ([position, velocity], steps) => ({ position, velocity, steps, over: false }),
    numbersOf: ({ position, velocity }: Record<string, number>) => [position, velocity],
    tolerance: unit,
  },
  'mountain-car-continuous': {
    create: () => new MountainCarContinuous(),
    stateOf: ([position, velocity], steps) => ({ position, velocity, steps, over: false }),
    numbersOf: ({ position, velocity }: Record<string, number>) => [position, velocity],
    tolerance: 0,
  },
  pendulum: {
    create: () => new Pendulum(),
    stateOf: ([angle, angularVelocity], steps) => ({ angle, angularVelocity, steps, over: false }),
    numbersOf: ({ angle, angularVelocity }: Record<string, number>) => [angle, angularVelocity],
    tolerance: unit,
  },
};

/** Plays a recorded trajectory from its start and looks at each step. */
function replay(reference: Reference, recorded: RecordedTrajectory, look: (...step: StepLook) => void): void {
  const environment = reference.create();
  environment.loadState(reference.stateOf(recorded.start, 0));
  recorded.actions.forEach((action, step) => {
    look(environment.step(Float32Array.of(action)), step);
  });
}

type StepLook = [transition: ReturnType<Environment['step']>, step: number];

for (const [name, reference] of Object.entries(references)) {
  const recordings = trajectoriesOf(name);

  test(`${name}: observations, rewards and the end of Gymnasium’s recorded trajectories, digit by digit`, () => {
    assert.ok(recordings.length >= 3);
    for (const recorded of recordings) {
      const last = recorded.actions.length - 1;
      replay(reference, recorded, ({ observation, reward, terminated, truncated }, step) => {
        const expected = recorded.observations[step].map(Math.fround);
        assert.deepEqual([...observation], expected, `observation after step ${step} from ${recorded.start}`);
        assert.equal(reward, recorded.rewards[step], `reward of step ${step} from ${recorded.start}`);
        assert.deepEqual([terminated, truncated], [step === last && recorded.terminated, false]);
      });
    }
  });

  test(`${name}: each step from a recorded state leads to the next one within ${reference.tolerance / unit} units in the last place`, () => {
    for (const recorded of recordings) {
      recorded.actions.forEach((action, step) => {
        const before = step === 0 ? recorded.start : recorded.states[step - 1];
        const environment = reference.create();
        environment.loadState(reference.stateOf(before, step));
        environment.step(Float32Array.of(action));
        const reached = reference.numbersOf(environment.saveState() as never);
        recorded.states[step].forEach((expected, index) => {
          const difference = Math.abs(reached[index] - expected) / Math.max(1, Math.abs(expected));
          assert.ok(
            difference <= reference.tolerance,
            `number ${index} after step ${step}: ${reached[index]}, ${expected}`,
          );
        });
      });
    }
  });
}

test('the recordings reach what the dynamics do at their limits', () => {
  const statesOf = (name: string): number[][] =>
    trajectoriesOf(name).flatMap(({ states }) => states.map((s) => [...s]));
  assert.ok(statesOf('mountain-car').some(([position, velocity]) => position === -1.2 && velocity === 0));
  assert.ok(statesOf('mountain-car-continuous').some(([position]) => position === Math.fround(-1.2)));
  assert.ok(statesOf('pendulum').some(([, velocity]) => Math.abs(velocity) === 8));
  assert.ok(statesOf('acrobot').some(([, , velocity1]) => Math.abs(velocity1) === 4 * Math.PI));
  for (const name of ['acrobot', 'mountain-car', 'mountain-car-continuous']) {
    assert.ok(
      trajectoriesOf(name).some(({ terminated }) => terminated),
      name,
    );
  }
});
