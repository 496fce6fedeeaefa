import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { PpoModel, ppo } from '../../src/rl/algorithms/ppo.ts';
import { CartPole } from '../../src/rl/environments/cart-pole.ts';
import { perceptron, perceptronLayout } from '../../src/rl/networks.ts';
import { policyModel } from '../../src/rl/policy-export.ts';
import { Generator } from '../../src/rl/random.ts';
import { ActionLayout } from '../../src/rl/spaces.ts';
import type { Graph } from '../../src/tensor/graph.ts';
import { loopGraph } from '../../src/tensor/loop-graph.ts';
import { encodeModel } from '../../src/tensor/onnx-model.ts';
import { trace } from '../../src/tensor/trace.ts';
import { obtainPython } from '../fakes/python-package.ts';
import { exampleModels, trainingInputs, trainingProgram } from '../unit/tensor/example-models.ts';

const python = await obtainPython('onnx', '1.23.0');
const skip = typeof python === 'string' ? python : false;
const folder = mkdtempSync(join(tmpdir(), 'onnx-checker-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Types and shapes are inferred and compared too; what ONNX itself would only warn of fails. */
const checker = `
import sys, onnx
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
print("checked", sum(1 for _ in model.graph.node))
`;

/** Throws with the checker's words when it refuses the file. */
async function check(model: Uint8Array): Promise<void> {
  assert.ok(typeof python !== 'string');
  const path = join(folder, 'model.onnx');
  writeFileSync(path, model);
  assert.match(await python(checker, [path]), /^checked [1-9]/);
}

for (const [name, model] of Object.entries(exampleModels)) {
  test(`ONNX's checker accepts loss and gradients of ${name}`, { skip }, async () => {
    await check(encodeModel(trace(trainingProgram(model), trainingInputs(model))));
  });
}

test("ONNX's checker accepts a phase of PPO updates, which is one loop", { skip }, async () => {
  const model = new PpoModel(ppo.configure(), new CartPole().description);
  await check(encodeModel(loopGraph({ ...model.updateInputs, iteration: (inputs) => model.update(inputs) })));
});

test("ONNX's checker accepts a policy", { skip }, async () => {
  const actions = new ActionLayout([3, 2]);
  const network = { inputs: 4, hiddenSizes: [8], outputs: actions.logits, activation: 'tanh' as const };
  const layout = perceptronLayout('policy', network);
  const generator = new Generator(1);
  const policy = policyModel(
    {
      kind: 'categorical',
      observationSize: 4,
      layout,
      actions,
      outputs: (named, { observation }) => ({ logits: perceptron('policy', network, named, observation) }),
    },
    { parameters: Float32Array.from({ length: layout.size }, () => generator.normal()), normalisation: null },
  );
  await check(policy);
});

test("ONNX's checker refuses a file that is wrong", { skip }, async () => {
  const wrong: Graph = {
    inputs: [{ name: 'x', type: 'float32', shape: [2] }],
    outputs: [{ name: 'y', type: 'float32', shape: [3] }],
    constants: [],
    nodes: [{ operator: 'Neg', inputs: ['x'], outputs: ['y'], attributes: {} }],
  };
  await assert.rejects(check(encodeModel(wrong)), /y/);
});
