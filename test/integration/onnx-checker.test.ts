import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { PpoModel, ppo } from '../../src/rl/algorithms/ppo.ts';
import { CartPole } from '../../src/rl/environments/cart-pole.ts';
import { perceptron, perceptronLayout } from '../../src/rl/networks.ts';
import { policyModel } from '../../src/rl/policy-export.ts';
import { Generator } from '../../src/rl/random.ts';
import { ActionLayout } from '../../src/rl/spaces.ts';
import type { Graph } from '../../src/tensor/graph.ts';
import { loopGraph } from '../../src/tensor/loop-graph.ts';
import { encodeModel } from '../../src/tensor/onnx-model.ts';
import { gradients } from '../../src/tensor/gradients/index.ts';
import { trace } from '../../src/tensor/trace.ts';
import type { Program } from '../../src/tensor/trace.ts';
import { obtainPython } from '../fakes/python-package.ts';
import { specsOf } from '../unit/tensor/compare.ts';
import { exampleModels, trainingInputs, trainingProgram } from '../unit/tensor/example-models.ts';
import { cases as convolution } from '../unit/tensor/kernels/convolution-cases.ts';
import { cases as creation } from '../unit/tensor/kernels/creation-cases.ts';
import { cases as elementwise } from '../unit/tensor/kernels/elementwise-cases.ts';
import { gradientsOf, hasGradient, valuesOf } from '../unit/tensor/kernels/family.ts';
import type { Cases } from '../unit/tensor/kernels/family.ts';
import { cases as gather } from '../unit/tensor/kernels/gather-cases.ts';
import { cases as image } from '../unit/tensor/kernels/image-cases.ts';
import { cases as linearAlgebra } from '../unit/tensor/kernels/linear-algebra-cases.ts';
import { cases as normalization } from '../unit/tensor/kernels/normalization-cases.ts';
import { cases as pooling } from '../unit/tensor/kernels/pooling-cases.ts';
import { cases as reduction } from '../unit/tensor/kernels/reduction-cases.ts';
import { cases as shape } from '../unit/tensor/kernels/shape-cases.ts';

const python = await obtainPython('onnx', '1.23.0');
const skip = typeof python === 'string' ? python : false;
const families: readonly Cases[] = [
  convolution,
  creation,
  elementwise,
  gather,
  image,
  linearAlgebra,
  normalization,
  pooling,
  reduction,
  shape,
];

/** Types and shapes are inferred and compared too. Prints for each file that is refused its name and why. */
const checker = `
import sys, os, onnx
folder = sys.argv[1]
for name in sorted(os.listdir(folder)):
    try:
        onnx.checker.check_model(onnx.load(os.path.join(folder, name)), full_check=True)
    except Exception as error:
        print(name, str(error).replace(chr(10), " ")[:300])
print("checked", len(os.listdir(folder)))
`;

/** What the checker says of the files that it refuses, by their names; null where it refuses none. */
async function refusals(models: Readonly<Record<string, Uint8Array>>): Promise<string | null> {
  assert.ok(typeof python !== 'string');
  const folder = mkdtempSync(join(tmpdir(), 'onnx-checker-'));
  try {
    for (const [name, model] of Object.entries(models)) writeFileSync(join(folder, name), model);
    const lines = (await python(checker, [folder])).trim().split('\n');
    assert.equal(lines.pop(), `checked ${Object.keys(models).length}`);
    return lines.length > 0 ? lines.join('\n') : null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws with the checker's words when it refuses the file. */
async function check(model: Uint8Array): Promise<void> {
  assert.equal(await refusals({ model }), null);
}

/** Values, and gradients where there are some, of every use of every operation that the unit tests have. */
function casesAsModels(): Record<string, Uint8Array> {
  const models: Record<string, Uint8Array> = {};
  for (const [kernel, list] of Object.entries(Object.assign({}, ...families) as Cases)) {
    list.forEach((one, index) => {
      const specs = specsOf(one.inputs, one.named);
      const add = (kind: string, program: Program): void => {
        models[`${kernel}-${index}-${kind}.onnx`] = encodeModel(trace(program, specs));
      };
      add('values', valuesOf(one.use));
      if (kernel in gradients && hasGradient(one)) add('gradients', gradientsOf(one.use));
    });
  }
  return models;
}

test("ONNX's checker accepts every use of every operation, and its gradients", { skip }, async () => {
  const models = casesAsModels();
  assert.ok(Object.keys(models).length > 500);
  assert.equal(await refusals(models), null);
});

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
  assert.match((await refusals({ wrong: encodeModel(wrong) }))!, /^wrong .*Inferred shape/);
});
