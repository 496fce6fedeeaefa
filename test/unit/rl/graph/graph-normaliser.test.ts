import assert from 'node:assert/strict';
import test from 'node:test';

import { GraphArrangement } from '../../../../src/rl/graph/graph-arrangement.ts';
import { GraphNormaliser, normalised } from '../../../../src/rl/graph/graph-normaliser.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { compile } from '../../../../src/tensor/program.ts';
import { assertClose } from '../../tensor/compare.ts';
import { flat, layout, randomGraph } from './small-graphs.ts';
import type { SmallGraph } from './small-graphs.ts';

const arrangement = new GraphArrangement(layout);

test('only nodes and edges that are there count, all of a kind together', () => {
  const graph: SmallGraph = {
    nodes: [
      { slot: 0, identity: 1, features: [1, 5] },
      { slot: 2, identity: 2, features: [3, 5] },
    ],
    edges: [
      { source: 0, target: 2, features: [10, 0] },
      { source: 2, target: 0, features: [30, 0] },
    ],
    globals: [4, 6],
  };
  const normaliser = new GraphNormaliser(arrangement.sizes);
  const arrays = arrangement.allocate(1);
  arrangement.arrange(flat(graph), 0, arrays, 0);
  normaliser.add(arrays, 0, 1);
  const view = (name: string): number[] => [...normaliser.layout.view(normaliser.current(), name)];
  assert.deepEqual(
    [view('nodes.mean'), view('edges.mean'), view('globals.mean')],
    [
      [2, 5],
      [20, 0],
      [4, 6],
    ],
  );
  assertClose(view('nodes.deviation'), [1, 1e-4], 1e-6, 'deviation of nodes');
  assertClose(view('edges.deviation'), [10, 1e-4], 1e-6, 'deviation of edges');
  normaliser.apply(arrays, 0, 1);
  assertClose(arrays.nodes, [-1, 0, 0, 0, 1, 0, 0, 0], 1e-6, 'nodes');
  // Cells [2, 0] and [0, 2].
  assertClose(arrays.edges.subarray(0, 16), [0, 0, 1, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0], 1e-6, 'edges');
});

test('a compiled program normalises alike, and a saved state goes on', async () => {
  const normaliser = new GraphNormaliser(arrangement.sizes);
  const generator = new Generator(5);
  const count = 12;
  const arrays = arrangement.allocate(count);
  for (let i = 0; i < count; i++) arrangement.arrange(flat(randomGraph(generator, i % 4)), 0, arrays, i);
  normaliser.add(arrays, 0, count - 1);
  const program = await compile(
    ({ statistics, ...graph }) => {
      const result = normalised(normaliser.layout.split(statistics), graph);
      return { nodeFeatures: result.nodes, edgeFeatures: result.edges, globalFeatures: result.globals };
    },
    {
      statistics: { shape: [normaliser.layout.size] },
      ...arrangement.inputs(['batch']),
    },
  );
  const given = Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, values.slice()]));
  const { nodeFeatures, edgeFeatures, globalFeatures } = await program.run({
    statistics: normaliser.current(),
    ...given,
  });
  await program.dispose();
  const resumed = new GraphNormaliser(arrangement.sizes);
  resumed.loadState(JSON.parse(JSON.stringify(normaliser.saveState())) as ReturnType<GraphNormaliser['saveState']>);
  for (const each of [normaliser, resumed]) each.add(arrays, count - 1, count);
  assert.deepEqual(resumed.current(), normaliser.current());
  const fresh = new GraphNormaliser(arrangement.sizes);
  fresh.add(arrays, 0, count - 1);
  fresh.apply(arrays, 0, count);
  assertClose(nodeFeatures, arrays.nodes, 1e-5, 'nodes');
  assertClose(edgeFeatures, arrays.edges, 1e-5, 'edges');
  assertClose(globalFeatures, arrays.globals, 1e-5, 'globals');
});
