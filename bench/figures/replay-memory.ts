import { CartPole } from '../../src/rl/environments/cart-pole.ts';
import { Generator } from '../../src/rl/random.ts';
import { ReplayBuffer } from '../../src/rl/replay/replay-buffer.ts';
import { VectorEnvironment } from '../../src/rl/vector-environment.ts';
import type { Figure } from '../figure.ts';

const transitions = 1_000_000;

/** Megabytes (10⁶ bytes) of the arrays of a full replay of a million transitions of CartPole, played at random. */
function replayMemory(name: string, prioritised: boolean): Figure {
  return {
    name,
    unit: 'MB',
    async measure() {
      const generator = new Generator(1);
      const environments = new VectorEnvironment([new CartPole()], new Generator(2));
      const buffer = new ReplayBuffer(environments.description, 1, {
        capacity: transitions,
        discount: 0.99,
        ...(prioritised ? { prioritised: { exponent: 0.6 } } : {}),
      });
      buffer.start(environments.observations, environments.masks);
      buffer.mark();
      for (let step = 0; step < 1.1 * transitions; step++) {
        environments.actions[0] = generator.integer(2);
        buffer.record(environments.actions, environments.step(), environments);
        if (step % 1000 === 0) buffer.mark();
      }
      return [buffer.bytes / 1e6];
    },
  };
}

export const replayMemoryUniform = replayMemory('replay_1m_cartpole_mb', false);
export const replayMemoryPrioritised = replayMemory('replay_1m_cartpole_prioritised_mb', true);
