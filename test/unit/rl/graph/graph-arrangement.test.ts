import assert from 'node:assert/strict';
import test from 'node:test';

import { GraphArrangement, graphLayoutOf } from '../../../../src/rl/graph/graph-arrangement.ts';
import type { GraphArrays } from '../../../../src/rl/graph/graph-arrangement.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { compile } from '../../../../src/tensor/program.ts';
import { assertClose } from '../../tensor/compare.ts';
import { description, flat, layout, randomGraph } from './small-graphs.ts';
import type { SmallGraph } from './small-graphs.ts';

const arrangement = new GraphArrangement(layout);

const node = (slot: number, features: number[]): SmallGraph['nodes'][number] => ({
  slot,
  identity: 7 + slot,
  features,
});

const graph: SmallGraph = {
  nodes: [node(0, [1, 2]), node(1, [3, 4]), node(3, [5, 6])],
  edges: [
    { source: 0, target: 1, features: [0.5, 1] },
    { source: 3, target: 0, features: [2, 3] },
    { source: 0, target: 1, features: [1.5, 3] },
    { source: 1, target: 3, features: [9, 9], active: 0 },
    { source: 1, target: 2, features: [8, 8] },
    { source: 2, target: 1, features: [8, 8] },
    { source: 4, target: 1, features: [8, 8] },
    { source: 0.5, target: 1, features: [8, 8] },
  ],
  globals: [0.1, 0.2],
};

function arranged(observation: Float32Array): GraphArrays {
  const arrays = arrangement.allocate(2);
  for (const array of Object.values(arrays)) array.fill(99);
  arrangement.arrange(Float32Array.of(...observation, ...observation), observation.length, arrays, 1);
  const second = arrangement.allocate(1);
  arrangement.copy(arrays, 1, second, 0);
  return second;
}

test('edges stand in the cell of their ends; those between the same nodes are averaged and counted', () => {
  const { nodes, identities, links, edges, globals } = arranged(flat(graph));
  assert.deepEqual([...nodes], [1, 2, 3, 4, 0, 0, 5, 6]);
  assert.deepEqual([...identities], [7, 8, 0, 10]);
  // Cell [target, source]: 3 → 0 once and 0 → 1 twice.
  assert.deepEqual([...links], [0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...edges.subarray(0, 16)], [0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...edges.subarray(16)], [0, 0, 0, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assertClose(globals, [0.1, 0.2], 1e-7, 'globals');
});

test('what is in an empty slot is not seen', () => {
  const observation = flat(graph);
  const other = observation.slice();
  other.set([55, 66], 2 * layout.nodeFeatures);
  assert.deepEqual(arranged(other), arranged(observation));
});

test('a compiled program arranges observations alike', async () => {
  const program = await compile(({ observation }) => arrangement.arranged(observation), {
    observation: { shape: ['batch', arrangement.observationSize] },
  });
  const generator = new Generator(3);
  const graphs = [graph, ...Array.from({ length: 5 }, (_, i) => randomGraph(generator, i % 4))];
  const observations = Float32Array.from(graphs.flatMap((each) => [...flat(each)]));
  const expected = arrangement.allocate(graphs.length);
  graphs.forEach((_, i) => arrangement.arrange(observations, i * arrangement.observationSize, expected, i));
  const actual = await program.run({ observation: observations });
  await program.dispose();
  for (const [name, values] of Object.entries(expected)) assertClose(actual[name], values, 1e-6, name);
});

test('where edges have no features, that they are there is one; no global features are one that is 0', async () => {
  const bare = new GraphArrangement({ nodes: 2, nodeFeatures: 1, edges: 1, edgeFeatures: 3, globalFeatures: 0 });
  const observation = Float32Array.of(0.5, 0.25, 1, 2, 0, 1, 1);
  const arrays = bare.allocate(1);
  bare.arrange(observation, 0, arrays, 0);
  assert.deepEqual([[...arrays.edges], [...arrays.globals]], [[0, 0, 1, 0], [0]]);
  const program = await compile(({ observation: x }) => bare.arranged(x), { observation: { shape: ['batch', 7] } });
  const results = await program.run({ observation });
  await program.dispose();
  assert.deepEqual([[...results.edges], [...results.globals]], [[0, 0, 1, 0], [0]]);
});

test('what is no graph, or has other heads than slots, is refused', () => {
  const { graph: _, ...vector } = description();
  const refused = (given: Parameters<typeof graphLayoutOf>[0], message: RegExp): void =>
    assert.throws(() => graphLayoutOf(given), { code: 'ENVIRONMENT_INVALID', message });
  refused(vector, /its observation is no graph/);
  refused(
    { ...description(), actionSpace: { kind: 'multi-discrete', choices: [3, 3] } },
    /2 heads, but the graph has 4/,
  );
  refused({ ...description(), graph: { ...layout, edgeFeatures: 2 } }, /columns source, target and active/);
  refused({ ...description(), graph: { ...layout, globalFeatures: 9 } }, /describes 61 numbers, but .* shape \[54\]/);
});
