import { PpoModel, ppo } from '../../src/rl/algorithms/ppo.ts';
import { CartPole } from '../../src/rl/environments/cart-pole.ts';
import { Generator } from '../../src/rl/random.ts';
import { adamSchedule } from '../../src/tensor/adam.ts';
import { compileUpdateLoop } from '../../src/tensor/update-loop.ts';
import type { UpdateLoopInputs } from '../../src/tensor/update-loop.ts';
import { millisecondsEach } from '../figure.ts';
import type { Figure } from '../figure.ts';

const samples = 2048;
const epochs = 10;

/** A phase on random samples in CartPole's shapes. */
function phase(model: PpoModel, batchSize: number): UpdateLoopInputs {
  const generator = new Generator(1);
  const draws = (count: number): Float32Array => Float32Array.from({ length: count }, () => generator.normal());
  const parameters = model.initialParameters(generator);
  const batchSizes = new Array<number>((epochs * samples) / batchSize).fill(batchSize);
  const order = Int32Array.from({ length: epochs * samples }, (_, index) => index % samples);
  for (let epoch = 0; epoch < epochs; epoch++)
    generator.shuffle(order.subarray(epoch * samples, (epoch + 1) * samples));
  return {
    state: {
      parameters,
      firstMoment: new Float32Array(parameters.length),
      secondMoment: new Float32Array(parameters.length),
    },
    samples: {
      observation: draws(4 * samples),
      action: Float32Array.from({ length: 2 * samples }, (_, index) => Number(index % 4 === 0 || index % 4 === 3)),
      logProbability: new Float32Array(samples).fill(-Math.LN2),
      target: draws(samples),
    },
    picks: { advantage: draws(order.length) },
    schedule: { ...adamSchedule(0, batchSizes.length, 3e-4, 1e-5) },
    order,
    batchSizes,
  };
}

/** Milliseconds of one PPO update (two 64 × 64 networks) within a phase of ten epochs over 2 048 samples. */
function ppoUpdate(batchSize: number): Figure {
  return {
    name: `ppo_update_ms_b${batchSize}`,
    unit: 'ms',
    async measure() {
      const model = new PpoModel(ppo.configure(), new CartPole().description);
      const loop = await compileUpdateLoop({ ...model.updateInputs, iteration: (inputs) => model.update(inputs) });
      const inputs = phase(model, batchSize);
      const phases = await millisecondsEach(31, 5, () => loop.run(inputs));
      await loop.dispose();
      return phases.map((milliseconds) => milliseconds / inputs.batchSizes.length);
    },
  };
}

export const ppoUpdateB64 = ppoUpdate(64);
export const ppoUpdateB2048 = ppoUpdate(2048);
