import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';

import type { PolicyWeights } from '../../../src/rl/agent.ts';
import { CartPole } from '../../../src/rl/environments/cart-pole.ts';
import { perceptron, perceptronLayout } from '../../../src/rl/networks.ts';
import type { PerceptronShape } from '../../../src/rl/networks.ts';
import type { CategoricalArchitecture } from '../../../src/rl/policy-architecture.ts';
import { exportPolicy, policyModel } from '../../../src/rl/policy-export.ts';
import { loadPolicy } from '../../../src/rl/policy.ts';
import { Generator } from '../../../src/rl/random.ts';
import { ActionLayout } from '../../../src/rl/spaces.ts';
import { loadModel } from '../../../src/tensor/loaded-model.ts';

/** A policy with random weights. */
function randomPolicy(
  choices: number[],
  normalised: boolean,
): { architecture: CategoricalArchitecture; network: PerceptronShape; weights: PolicyWeights } {
  const actions = new ActionLayout(choices);
  const network = { inputs: 4, hiddenSizes: [8, 8], outputs: actions.logits, activation: 'tanh' as const };
  const generator = new Generator(2);
  const parameters = Float32Array.from({ length: perceptronLayout('policy', network).size }, () => generator.normal());
  const normalisation = normalised
    ? { mean: Float32Array.of(1, 2, 3, 4), standardDeviation: Float32Array.of(1, 0.5, 2, 1e-4) }
    : null;
  const architecture: CategoricalArchitecture = {
    kind: 'categorical',
    observationSize: network.inputs,
    layout: perceptronLayout('policy', network),
    actions,
    outputs: (named, { observation }) => ({ logits: perceptron('policy', network, named, observation) }),
  };
  return { architecture, network, weights: { parameters, normalisation } };
}

/** The same network in plain double precision, for one observation; masked and padded choices left out. */
function logitsByHand(
  { architecture: { actions }, network, weights }: ReturnType<typeof randomPolicy>,
  observation: number[],
): number[][] {
  const layout = perceptronLayout('policy', network);
  const view = (name: string): Float32Array => layout.view(weights.parameters, `policy.${name}`);
  const { normalisation } = weights;
  let layer = observation.map((value, i) =>
    normalisation
      ? Math.max(-10, Math.min(10, (value - normalisation.mean[i]) / normalisation.standardDeviation[i]))
      : value,
  );
  network.hiddenSizes.forEach((size, index) => {
    const [w, b] = [view(`hidden${index}.weights`), view(`hidden${index}.bias`)];
    layer = Array.from({ length: size }, (_, j) =>
      Math.tanh(layer.reduce((sum, x, i) => sum + x * w[i * size + j], b[j])),
    );
  });
  const [w, b] = [view('output.weights'), view('output.bias')];
  const logits = Array.from(b, (bias, j) => layer.reduce((sum, x, i) => sum + x * w[j * layer.length + i], bias));
  return actions.choices.map((count, head) => logits.slice(head * actions.width, head * actions.width + count));
}

const rows = (count: number): Float32Array => {
  const generator = new Generator(8);
  return Float32Array.from({ length: 4 * count }, () => 2 * generator.normal());
};

for (const [name, choices, normalised] of [
  ['one head', [3], false],
  ['equal heads with normalisation', [4, 4, 4], true],
  ['heads of different sizes with normalisation', [2, 5, 3], true],
] as const) {
  test(`an exported policy with ${name} computes what its weights say, at every batch size from one file`, async () => {
    const policy = randomPolicy([...choices], normalised);
    const model = await loadModel(policyModel(policy.architecture, policy.weights));
    for (const batch of [1, 2, 33]) {
      const observation = rows(batch);
      const maskSize = policy.architecture.actions.maskSize;
      const { logits, action } = await model.run({
        observation,
        action_mask: new Uint8Array(batch * maskSize).fill(1),
      });
      assert.equal(logits.length, batch * maskSize);
      for (let row = 0; row < batch; row++) {
        const expected = logitsByHand(policy, [...observation.subarray(4 * row, 4 * row + 4)]);
        expected.flat().forEach((value, i) => {
          const actual = logits[row * maskSize + i];
          assert.ok(Math.abs(actual - value) < 1e-4 * Math.max(1, Math.abs(value)), `row ${row}: ${actual}, ${value}`);
        });
        const greedy = expected.map((head) => head.indexOf(Math.max(...head)));
        assert.deepEqual([...action.subarray(row * choices.length, (row + 1) * choices.length)], greedy);
      }
    }
    await model.dispose();
  });
}

test('a mask takes choices away from the greedy action and sets their logits to −1e8', async () => {
  const { architecture, weights } = randomPolicy([2, 5, 3], false);
  const onnx = policyModel(architecture, weights);
  const policy = await loadPolicy(onnx);
  const model = await loadModel(onnx);
  const observation = rows(1);
  const free = await policy.act(observation, null);
  const mask = new Uint8Array(10).fill(1);
  mask[2 + free[1]] = 0;
  const { logits } = await model.run({ observation, action_mask: mask });
  assert.equal(logits[2 + free[1]], -1e8);
  const masked = await policy.act(observation, mask);
  assert.deepEqual([masked[0], masked[2]], [free[0], free[2]]);
  assert.notEqual(masked[1], free[1]);
  await Promise.all([policy.dispose(), model.dispose()]);
});

test('sampling follows the softmax of the logits, respects masks and follows from the generator', async () => {
  const random = randomPolicy([2, 3], false);
  const { architecture, weights } = random;
  const onnx = policyModel(architecture, weights);
  const policy = await loadPolicy(onnx);
  const observation = Float32Array.of(0.1, -0.2, 0.05, 0);
  const count = 8000;
  const many = Float32Array.from({ length: 4 * count }, (_, i) => observation[i % 4]);
  const mask = Uint8Array.from({ length: 5 * count }, (_, i) => Number(i % 5 !== 3));
  const actions = await policy.sample(many, mask, new Generator(1));
  assert.deepEqual(await policy.sample(many, mask, new Generator(1)), actions);
  const [first, second] = logitsByHand(random, [...observation]);
  const shares = [0, 0, 0, 0, 0];
  for (let row = 0; row < count; row++) {
    shares[actions[2 * row]] += 1 / count;
    shares[2 + actions[2 * row + 1]] += 1 / count;
  }
  const [a, b] = first.map(Math.exp);
  const [c, , e] = second.map(Math.exp);
  const expected = [a / (a + b), b / (a + b), c / (c + e), 0, e / (c + e)];
  expected.forEach((share, i) => assert.ok(Math.abs(shares[i] - share) < 0.02, `${i}: ${shares[i]}, ${share}`));
  assert.equal(shares[3], 0);
  await policy.dispose();
});

test('a loaded policy knows its sizes', async () => {
  const { architecture, weights } = randomPolicy([2, 5], false);
  const policy = await loadPolicy(policyModel(architecture, weights));
  assert.deepEqual([policy.observationSize, policy.actionMaskSize, policy.choices], [4, 7, [2, 5]]);
  await policy.dispose();
});

test('metadata says what a server must know', () => {
  const { architecture, weights } = randomPolicy([2], true);
  const origin = { algorithm: 'ppo', environment: new CartPole().description, trainedSteps: 2048, score: 475 };
  const { onnx, metadata } = exportPolicy(architecture, weights, origin);
  assert.equal(metadata.onnxSha256, createHash('sha256').update(onnx).digest('hex'));
  assert.deepEqual(metadata.action.choices, [2]);
  assert.deepEqual(metadata.normalisation?.mean, [1, 2, 3, 4]);
  assert.equal(metadata.observation.table.length, 4);
  assert.deepEqual(JSON.parse(JSON.stringify(metadata)), metadata);
});

test('bytes that are no policy file are refused', async () => {
  await assert.rejects(loadPolicy(new TextEncoder().encode('no model')), { code: 'ARTIFACT_CORRUPT' });
  await assert.rejects(loadPolicy(new Uint8Array(0)), { code: 'ARTIFACT_CORRUPT' });
});
