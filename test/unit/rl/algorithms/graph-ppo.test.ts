import assert from 'node:assert/strict';
import test from 'node:test';

import { graphPpo, GraphPpoModel } from '../../../../src/rl/algorithms/graph-ppo.ts';
import { readCheckpoint } from '../../../../src/rl/checkpoint.ts';
import type { Policy } from '../../../../src/rl/policy.ts';
import { loadPolicy } from '../../../../src/rl/policy.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { createTraining } from '../../../../src/rl/training-loop.ts';
import type { Training } from '../../../../src/rl/training-loop.ts';
import { constantObservation, ConstantGraph } from '../graph/constant-graph.ts';
import { EchoGraph } from '../graph/echo-graph.ts';
import { compile } from '../../../../src/tensor/program.ts';
import { ContextualBandit } from '../toy-environments.ts';

const quick = {
  width: 16,
  attentionWidth: 8,
  memoryWidth: 16,
  messageRounds: 1,
  unrollSteps: 2,
  rolloutSteps: 256,
  minibatchSize: 64,
  epochs: 6,
  learningRate: 0.01,
  discount: 0,
};

function training(hyperparameters: object, environments: EchoGraph[], totalSteps: number): Promise<Training> {
  return createTraining({ algorithm: graphPpo, hyperparameters, environments, seed: 1, totalSteps });
}

/** Mean reward of the last of 2 560 steps, drawn from the policy. Chance is 0.3, the best is 0.9. */
async function learnedReward(changes: object): Promise<{ reward: number; violations: number }> {
  const environments = Array.from({ length: 8 }, () => new EchoGraph());
  const session = await training({ ...quick, ...changes }, environments, 2560);
  let reward = 0;
  await session.run({ onUpdate: ({ metrics }) => void (reward = metrics.rewardMean) });
  await session.dispose();
  return { reward, violations: environments.reduce((sum, { violations }) => sum + violations, 0) };
}

test('what neighbours showed a step ago is learned to be answered, and empty slots are left alone', async () => {
  const { reward, violations } = await learnedReward({});
  assert.ok(reward > 0.75, String(reward));
  assert.equal(violations, 0);
});

test('without memory it stays at chance', async () => {
  const { reward } = await learnedReward({ memoryWidth: 0 });
  assert.ok(reward < 0.4, String(reward));
});

test('without messages it learns no more than what the mean of all nodes tells', async () => {
  const { reward } = await learnedReward({ messageRounds: 0 });
  assert.ok(reward < 0.7, String(reward));
});

/** Mean reward of greedy episodes, one after the other. */
async function greedyReward(policy: Policy, episodes: number): Promise<number> {
  const environment = new EchoGraph();
  const memory = new Float32Array(policy.memorySize);
  let rewards = 0;
  let steps = 0;
  for (let episode = 0; episode < episodes; episode++) {
    memory.fill(0);
    let { observation, actionMask } = environment.reset(900 + episode);
    for (let over = false; !over; steps++) {
      const transition = environment.step((await policy.act(observation, actionMask, memory)) as Int32Array);
      ({ observation, actionMask } = transition);
      rewards += transition.reward;
      over = transition.truncated;
    }
  }
  return rewards / steps;
}

test('the exported policy carries its memory and its normalisation: it answers as well as the training does', async () => {
  const environments = Array.from({ length: 8 }, () => new EchoGraph());
  const session = await training(quick, environments, 2560);
  await session.run();
  const { onnx, metadata } = await session.exportPolicy('latest');
  await session.dispose();
  const policy = await loadPolicy(onnx);
  assert.equal(policy.memorySize, 4 * (16 + 1));
  assert.deepEqual([metadata.memorySize, metadata.normalisation], [4 * 17, null]);
  const reward = await greedyReward(policy, 30);
  await policy.dispose();
  assert.ok(reward > 0.85, String(reward));
});

test('memories are part of a checkpoint, and differ from environment to environment', async () => {
  const session = await training({ ...quick, rolloutSteps: 16 }, [new EchoGraph(), new EchoGraph()], 16);
  await session.run();
  const { arrays } = readCheckpoint(session.checkpoint());
  await session.dispose();
  const memory = arrays.memory as Float32Array;
  const size = 4 * 17;
  assert.equal(memory.length, 2 * size);
  assert.ok(memory.subarray(0, size).some((value) => value !== 0));
  assert.notDeepEqual(memory.subarray(0, size), memory.subarray(size));
});

test('after the last step of an episode nothing is remembered', async () => {
  // Episodes have 12 steps.
  const session = await training({ ...quick, rolloutSteps: 24 }, [new EchoGraph(), new EchoGraph()], 24);
  await session.run();
  const { arrays } = readCheckpoint(session.checkpoint());
  await session.dispose();
  assert.ok((arrays.memory as Float32Array).every((value) => value === 0));
});

/** The values that training gives the first and the second step of an episode of {@link ConstantGraph}. */
async function learnedValues(end: 'truncated' | 'terminated'): Promise<number[]> {
  const hyperparameters = {
    ...quick,
    width: 8,
    attentionWidth: 4,
    memoryWidth: 8,
    rolloutSteps: 128,
    minibatchSize: 32,
    learningRate: 0.005,
    discount: 0.8,
    maxGradientNorm: 100,
    normaliseObservations: false,
    scaleRewards: false,
  };
  const environments = [new ConstantGraph(end), new ConstantGraph(end)];
  const session = await createTraining({
    algorithm: graphPpo,
    hyperparameters,
    environments,
    seed: 2,
    totalSteps: 128 * 20,
  });
  await session.run();
  const { parameters } = readCheckpoint(session.checkpoint());
  await session.dispose();
  const model = new GraphPpoModel(graphPpo.configure(hyperparameters), environments[0].description);
  const program = await compile((inputs) => model.act(inputs), model.actInputs);
  const graph = model.arrangement.allocate(1);
  model.arrangement.arrange(constantObservation, 0, graph, 0);
  const inputs = { parameters, ...graph };
  const first = await program.run({ ...inputs, memory: new Float32Array(model.policy.memorySize!) });
  const second = await program.run({ ...inputs, memory: first.next_memory });
  await program.dispose();
  return [first.values[0], second.values[0]];
}

test('the value of an endless reward that is only cut off counts what would follow', async () => {
  // 1 / (1 − 0.8) = 5
  for (const value of await learnedValues('truncated')) assert.ok(Math.abs(value - 5) < 0.4, String(value));
});

test('the value of a reward that ends counts nothing after the end, and memory tells how far it is', async () => {
  const [first, second] = await learnedValues('terminated');
  assert.ok(Math.abs(first - 1.8) < 0.15, String(first));
  assert.ok(Math.abs(second - 1) < 0.15, String(second));
});

test('the first policy does nothing in every head with the asked probability', () => {
  const { description } = new EchoGraph();
  const model = new GraphPpoModel(graphPpo.configure({ initialNoopProbability: 0.8 }), description);
  const bias = model.network.layout.view(model.initialParameters(new Generator(1)), 'heads.output.bias');
  const powers = Array.from(bias, Math.exp);
  assert.ok(Math.abs(powers[0] / powers.reduce((sum, power) => sum + power, 0) - 0.8) < 1e-6);
});

test('numbers that do not divide each other are refused', async () => {
  await assert.rejects(training({ ...quick, unrollSteps: 3 }, [new EchoGraph()], 1), {
    code: 'SPEC_INVALID',
    message:
      /rolloutSteps: found 256; allowed: a multiple of the number of environments \(1\) × unrollSteps \(3\).; minibatchSize: found 64; allowed: a multiple of unrollSteps \(3\)/,
  });
});

test('an environment whose observation is no graph is refused', async () => {
  const environments = [new ContextualBandit()];
  await assert.rejects(createTraining({ algorithm: graphPpo, environments, seed: 1, totalSteps: 1 }), {
    code: 'ENVIRONMENT_INVALID',
    message: /contextual-bandit: its observation is no graph/,
  });
});
