import assert from 'node:assert/strict';
import test from 'node:test';

import { graphPpo, GraphPpoModel } from '../../../../src/rl/algorithms/graph-ppo.ts';
import type { PolicyWeights } from '../../../../src/rl/agent.ts';
import { policyModel } from '../../../../src/rl/policy-export.ts';
import { Generator } from '../../../../src/rl/random.ts';
import { loadModel } from '../../../../src/tensor/loaded-model.ts';
import type { Values } from '../../../../src/tensor/loaded-model.ts';
import { assertClose } from '../../tensor/compare.ts';
import { choices, description, flat, layout, moved, randomGraph } from './small-graphs.ts';
import type { SmallGraph } from './small-graphs.ts';

const config = graphPpo.configure({ width: 8, attentionWidth: 4, memoryWidth: 5, normaliseObservations: false });
const model = new GraphPpoModel(config, description(false));
const memorySize = layout.nodes * 6;

/** The exported policy with random weights, run step by step on one graph after the other. */
async function outputsOf(
  graphs: readonly SmallGraph[],
  given = model,
): Promise<{ logits: Values; memory: Values | undefined }[]> {
  const generator = new Generator(21);
  const parameters = Float32Array.from({ length: given.policy.layout.size }, () => 0.6 * generator.normal());
  const weights: PolicyWeights = { parameters, normalisation: null };
  const program = await loadModel(policyModel(given.policy, weights));
  const results: { logits: Values; memory: Values | undefined }[] = [];
  let memory: Values = new Float32Array(given.policy.memorySize!);
  for (const graph of graphs) {
    const { logits, next_memory: next } = await program.run({
      observation: flat(graph),
      action_mask: new Uint8Array(layout.nodes * choices).fill(1),
      ...(memory.length > 0 ? { memory } : {}),
    });
    memory = next ?? memory;
    results.push({ logits, memory: next });
  }
  await program.dispose();
  return results;
}

function rows(values: Values, width: number): number[][] {
  return Array.from({ length: layout.nodes }, (_, slot) => [...values.slice(slot * width, (slot + 1) * width)]);
}

const generator = new Generator(8);
const steps = [randomGraph(generator), randomGraph(generator), randomGraph(generator)];
/** Where each slot's node goes. */
const slots = [2, 0, 3, 1];

test('permuting the slots permutes logits and memories', async () => {
  const original = await outputsOf(steps);
  const permuted = await outputsOf(steps.map((graph) => moved(graph, slots)));
  original.forEach(({ logits, memory }, step) => {
    const expected = rows(logits, choices);
    const actual = rows(permuted[step].logits, choices);
    for (const slot of [0, 1, 2]) assertClose(actual[slots[slot]], expected[slot], 1e-5, `logits of slot ${slot}`);
    const remembered = rows(memory!, 5);
    const elsewhere = rows(permuted[step].memory!, 5);
    for (const slot of [0, 1, 2, 3]) assertClose(elsewhere[slots[slot]], remembered[slot], 1e-5, `memory of ${slot}`);
  });
});

test('a memory follows its identity to another slot', async () => {
  const [{ logits: stayed }] = (await outputsOf(steps)).slice(-1);
  const [{ logits: moving }] = (await outputsOf([steps[0], steps[1], moved(steps[2], slots)])).slice(-1);
  const expected = rows(stayed, choices);
  for (const slot of [0, 1, 2]) assertClose(rows(moving, choices)[slots[slot]], expected[slot], 1e-5, String(slot));
});

test('who comes anew remembers nothing, and nobody gets the memory of who went', async () => {
  const renamed: SmallGraph = {
    ...steps[1],
    nodes: steps[1].nodes.map((node) => ({ ...node, identity: node.identity + 100 })),
  };
  const [, after] = await outputsOf([steps[0], renamed]);
  const [fresh] = await outputsOf([renamed]);
  const [, known] = await outputsOf([steps[0], steps[1]]);
  assertClose(after.logits, fresh.logits, 1e-6, 'logits');
  assert.notDeepEqual(known.logits, fresh.logits);
  // The memory ends with the identities that it belongs to.
  assert.deepEqual([...after.memory!.slice(-layout.nodes)], [101, 102, 103, 0]);
  assert.equal(after.memory!.length, memorySize);
});

test('empty slots and inactive edges have no influence', async () => {
  const [plain] = await outputsOf([steps[0]]);
  const noise: SmallGraph = {
    ...steps[0],
    nodes: [...steps[0].nodes, { slot: 3, identity: 0, features: [50, -50] }],
    edges: [
      { source: 3, target: 0, features: [70, 70] },
      { source: 0, target: 1, features: [90, -90], active: 0 },
      ...steps[0].edges,
    ],
  };
  const [disturbed] = await outputsOf([noise]);
  assert.deepEqual(disturbed.logits, plain.logits);
  assert.deepEqual(disturbed.memory, plain.memory);
  assert.ok(plain.memory!.slice(15, 20).every((value) => value === 0));
});

test('the order of the edges has no influence; their ends and features do', async () => {
  const [plain] = await outputsOf([steps[0]]);
  const [reversed] = await outputsOf([{ ...steps[0], edges: steps[0].edges.toReversed() }]);
  assertClose(reversed.logits, plain.logits, 1e-6, 'logits');
  const [first, ...others] = steps[0].edges;
  const changed = [
    { ...first, features: first.features.map((feature) => feature + 1) },
    { ...first, source: first.target, target: first.source },
  ];
  for (const edge of changed) {
    const [other] = await outputsOf([{ ...steps[0], edges: [edge, ...others] }]);
    assert.notDeepEqual(other.logits, plain.logits);
  }
});

test('without memory nothing is carried, without rounds nothing passes along edges', async () => {
  const forgetful = new GraphPpoModel({ ...config, memoryWidth: 0 }, description(false));
  assert.equal(forgetful.policy.memorySize, 0);
  const [, second] = await outputsOf([steps[0], steps[1]], forgetful);
  const [alone] = await outputsOf([steps[1]], forgetful);
  assert.deepEqual(second, alone);
  const deaf = new GraphPpoModel({ ...config, messageRounds: 0 }, description(false));
  const [withEdges] = await outputsOf([steps[0]], deaf);
  const [withoutEdges] = await outputsOf([{ ...steps[0], edges: [] }], deaf);
  assert.deepEqual(withoutEdges, withEdges);
});
