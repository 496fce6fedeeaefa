import { GraphPpoModel, graphPpo } from '../../src/rl/algorithms/graph-ppo.ts';
import { describeServiceGraph } from '../../src/rl/environments/service-graph/description.ts';
import { Generator } from '../../src/rl/random.ts';
import { adamSchedule } from '../../src/tensor/adam.ts';
import { elementCount } from '../../src/tensor/graph.ts';
import { compileUpdateLoop } from '../../src/tensor/update-loop.ts';
import type { UpdateLoopInputs } from '../../src/tensor/update-loop.ts';
import { millisecondsEach } from '../figure.ts';
import type { Figure } from '../figure.ts';

const graphs = 2048;
const batch = 64;
const slots = 20;
/** Of 400 cells. */
const edgeShare = 0.1;

/** One epoch over random samples in the shapes of the dynamic graph, 20 slots and 400 possible edges. */
function epoch(model: GraphPpoModel): UpdateLoopInputs {
  const { unrollSteps } = model.config;
  const generator = new Generator(1);
  const { samples: specs } = model.updateInputs;
  const sequences = graphs / unrollSteps;
  const parameters = model.initialParameters(generator);
  const samples = Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => [
      name,
      Float32Array.from({ length: sequences * elementCount(shape as number[]) }, () => generator.normal()),
    ]),
  );
  samples.identities.forEach((_, i, all) => (all[i] = 1 + (i % slots)));
  samples.before?.set(samples.identities);
  samples.links.forEach((_, i, all) => (all[i] = Number(generator.uniform() < edgeShare)));
  samples.action.forEach((_, i, all) => (all[i] = Number(i % 15 === 0)));
  samples.penalty.fill(0);
  samples.logProbability.fill(-slots * Math.log(15));
  const order = Int32Array.from({ length: sequences }, (_, index) => index);
  generator.shuffle(order);
  const batchSizes = new Array<number>(graphs / batch).fill(batch / unrollSteps);
  return {
    state: {
      parameters,
      firstMoment: new Float32Array(parameters.length),
      secondMoment: new Float32Array(parameters.length),
    },
    samples,
    picks: { advantage: Float32Array.from({ length: graphs }, () => generator.normal()) },
    schedule: { ...adamSchedule(0, batchSizes.length, 3e-4, 1e-5) },
    order,
    batchSizes,
  };
}

/** Milliseconds of one update of graph PPO with 64 graphs, default hyperparameters, within an epoch of 2 048 graphs. */
export const graphPpoUpdateB64: Figure = {
  name: 'graph_ppo_update_ms_b64',
  unit: 'ms',
  async measure() {
    const model = new GraphPpoModel(graphPpo.configure(), describeServiceGraph(slots, 100));
    const loop = await compileUpdateLoop({ ...model.updateInputs, iteration: (inputs) => model.update(inputs) });
    const inputs = epoch(model);
    const epochs = await millisecondsEach(15, 3, () => loop.run(inputs));
    await loop.dispose();
    return epochs.map((milliseconds) => milliseconds / inputs.batchSizes.length);
  },
};
