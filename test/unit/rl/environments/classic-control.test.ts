import assert from 'node:assert/strict';
import test from 'node:test';
import type { Environment, Transition } from '../../../../src/rl/environment.ts';
import { Acrobot, acrobot } from '../../../../src/rl/environments/acrobot.ts';
import { cartPole } from '../../../../src/rl/environments/cart-pole.ts';
import {
  MountainCarContinuous,
  mountainCarContinuous,
} from '../../../../src/rl/environments/mountain-car-continuous.ts';
import { MountainCar, mountainCar } from '../../../../src/rl/environments/mountain-car.ts';
import { Pendulum, pendulum } from '../../../../src/rl/environments/pendulum.ts';
import { environmentSuite } from '../../../contracts/environment-suite.ts';

environmentSuite('acrobot', () => new Acrobot());
environmentSuite('mountain-car', () => new MountainCar());
environmentSuite('mountain-car-continuous', () => new MountainCarContinuous(), { maxSteps: 1000 });
environmentSuite('pendulum', () => new Pendulum());

/** The observations of many resets, one column for each element. */
function startsOf(environment: Environment): number[][] {
  const starts = Array.from({ length: 300 }, (_, seed) => [...environment.reset(seed).observation]);
  return starts[0].map((_, index) => starts.map((start) => start[index]));
}

/** Asserts that values fill the range `low … high` evenly: its edges are nearly reached and its quarters hold 1/4 each. */
function assertUniform(values: readonly number[], low: number, high: number): void {
  const shares = values.map((value) => (value - low) / (high - low));
  assert.ok(Math.min(...shares) >= -1e-6 && Math.max(...shares) <= 1 + 1e-6);
  for (let quarter = 0; quarter < 4; quarter++) {
    const inside = shares.filter((share) => Math.floor(share * 4) === quarter).length / shares.length;
    assert.ok(Math.abs(inside - 0.25) < 0.08, `quarter ${quarter}: ${inside}`);
  }
}

test('mountain cars start at rest in −0.6 … −0.4', () => {
  for (const environment of [new MountainCar(), new MountainCarContinuous()]) {
    const [positions, velocities] = startsOf(environment);
    assertUniform(positions, -0.6, -0.4);
    assert.ok(velocities.every((velocity) => velocity === 0));
  }
});

test('the pendulum starts at any angle with ±1 rad/s', () => {
  const [cosines, sines, velocities] = startsOf(new Pendulum());
  assertUniform(
    sines.map((sine, index) => Math.atan2(sine, cosines[index])),
    -Math.PI,
    Math.PI,
  );
  assertUniform(velocities, -1, 1);
});

test('the acrobot starts with its angles and velocities in ±0.1', () => {
  const [, sines1, , sines2, velocities1, velocities2] = startsOf(new Acrobot());
  assertUniform(sines1.map(Math.asin), -0.1, 0.1);
  assertUniform(sines2.map(Math.asin), -0.1, 0.1);
  assertUniform(velocities1, -0.1, 0.1);
  assertUniform(velocities2, -0.1, 0.1);
});

test('episodes without an end are truncated after 500, 200, 999 and 200 steps', () => {
  const lengths = [new Acrobot(), new MountainCar(), new MountainCarContinuous(), new Pendulum()].map((environment) => {
    environment.reset(1);
    // Holding still: the first three never reach their goal by it.
    const still = environment.description.actionSpace.kind === 'box' ? Float32Array.of(0) : Int32Array.of(1);
    let transition: Transition;
    let steps = 0;
    do {
      transition = environment.step(still);
      steps++;
    } while (!transition.truncated && !transition.terminated);
    assert.deepEqual([transition.truncated, transition.terminated], [true, false]);
    return steps;
  });
  assert.deepEqual(lengths, [500, 200, 999, 200]);
});

test('continuous actions are clipped; the mountain car still pays for all that was asked', () => {
  const outcomes = [3, 2].map((push) => {
    const environment = new MountainCarContinuous();
    environment.reset(1);
    const { observation, reward } = environment.step(Float32Array.of(push));
    return { observation: [...observation], reward };
  });
  assert.deepEqual(outcomes[0].observation, outcomes[1].observation);
  assert.deepEqual(
    outcomes.map(({ reward }) => reward),
    [-0.9, -0.4],
  );
  const rewards = [5, 2].map((torque) => {
    const environment = new Pendulum();
    environment.reset(1);
    return environment.step(Float32Array.of(torque)).reward;
  });
  assert.equal(rewards[0], rewards[1]);
});

test('energy pumping reaches the mountain car’s goal, and the end pays', () => {
  const discrete = new MountainCar();
  const continuous = new MountainCarContinuous();
  let seen: Transition = { ...discrete.reset(1), reward: 0, terminated: false, truncated: false, measures: {} };
  while (!seen.terminated) {
    assert.equal(seen.truncated, false);
    seen = discrete.step(Int32Array.of(seen.observation[1] >= 0 ? 2 : 0));
  }
  assert.equal(seen.reward, -1);
  seen = { ...seen, ...continuous.reset(1), terminated: false };
  while (!seen.terminated) seen = continuous.step(Float32Array.of(seen.observation[1] >= 0 ? 1 : -1));
  assert.equal(seen.reward, 100 - 0.1);
});

test('the pendulum’s worst reward is that of hanging down at full speed and torque', () => {
  const environment = new Pendulum();
  environment.loadState({ angle: Math.PI, angularVelocity: 8, steps: 0, over: false });
  const { reward } = environment.step(Float32Array.of(2));
  assert.ok(Math.abs(reward + (Math.PI ** 2 + 6.4 + 0.004)) < 1e-9);
});

test('a parameter is refused by every kind that has none', () => {
  for (const kind of [cartPole, acrobot, mountainCar, mountainCarContinuous, pendulum]) {
    assert.throws(() => kind.create({ gravity: 1 }), {
      code: 'ENVIRONMENT_INVALID',
      message: `${kind.name}: unknown parameter "gravity"; there are: none.`,
    });
  }
});
