import { before, test } from 'node:test';

import { Generator } from '../../../src/rl/random.ts';
import { elementCount } from '../../../src/tensor/graph.ts';
import { encodeModel } from '../../../src/tensor/onnx-model.ts';
import { openSession } from '../../../src/tensor/runtime.ts';
import { trace } from '../../../src/tensor/trace.ts';
import { assertClose, runOnCpuBackend } from './compare.ts';
import type { Inputs } from './compare.ts';
import { exampleModels, trainingInputs, trainingProgram } from './example-models.ts';
import type { ExampleModel } from './example-models.ts';
import { loadGradientsOfTfjs } from './kernels/family.ts';

const generator = new Generator(13);

type Lengths = Record<string, number>;

/** Two sets of lengths; one traced graph must serve both. */
const lengths: readonly Lengths[] = [
  { batch: 3, time: 5, nodes: 4, edges: 9 },
  { batch: 1, time: 2, nodes: 6, edges: 1 },
];

function draw(model: ExampleModel, at: Lengths): Inputs {
  const entries = Object.entries(trainingInputs(model)).map(([name, { shape, type = 'float32' }]) => {
    const fixed = shape.map((length) => (typeof length === 'string' ? at[length] : length));
    const below = model.data[name]?.below;
    const values = Array.from({ length: elementCount(fixed) }, () =>
      below ? Math.floor(below * generator.uniform()) : 0.5 * generator.normal(),
    );
    return [name, { shape: fixed, values, type }] as const;
  });
  return Object.fromEntries(entries);
}

type Outputs = Record<string, ArrayLike<number>>;

async function runModel(model: ExampleModel, inputs: readonly Inputs[]): Promise<Outputs[]> {
  const graph = trace(trainingProgram(model), trainingInputs(model));
  const session = await openSession(encodeModel(graph), { kind: 'cpu', name: 'cpu' });
  const fetches = Object.fromEntries(session.outputs.map(({ name }) => [name, null]));
  const results = inputs.map((given) => {
    const feeds = session.inputs.map(({ name }) => {
      const { shape, values, type = 'float32' } = given[name];
      const array = type === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
      return [name, session.tensor(type, array, shape)] as const;
    });
    const outputs = session.run(Object.fromEntries(feeds), fetches);
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]));
  });
  session.release();
  return results;
}

const drawn = new Map(
  Object.entries(exampleModels).map(([name, model]) => [name, lengths.map((at) => draw(model, at))]),
);
const computed = new Map<string, Outputs[] | Error>();

before(async () => {
  for (const [name, model] of Object.entries(exampleModels)) {
    computed.set(name, await runModel(model, drawn.get(name)!).catch((error: unknown) => error as Error));
  }
  await loadGradientsOfTfjs();
});

for (const [name, model] of Object.entries(exampleModels)) {
  test(`${name}: loss and all gradients are TF.js's, whatever the named lengths`, async () => {
    const results = computed.get(name)!;
    if (results instanceof Error) throw results;
    for (const [index, inputs] of drawn.get(name)!.entries()) {
      const expected = await runOnCpuBackend(trainingProgram(model), inputs);
      for (const [output, values] of Object.entries(expected)) {
        assertClose(results[index][output], values, 2e-5, `${output} at ${JSON.stringify(lengths[index])}`);
      }
    }
  });
}
