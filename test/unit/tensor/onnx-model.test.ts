import assert from 'node:assert/strict';
import test from 'node:test';

import type { Graph } from '../../../src/tensor/graph.ts';
import { loadModel } from '../../../src/tensor/loaded-model.ts';
import { encodeModel, readMetadata } from '../../../src/tensor/onnx-model.ts';
import { protobufFields } from '../../../src/tensor/protobuf-reader.ts';
import { ProtobufWriter } from '../../../src/tensor/protobuf-writer.ts';

test('numbers, texts and packed lists are written as the protocol buffers documentation shows', () => {
  const writer = new ProtobufWriter();
  writer.integer(1, 150);
  writer.string(2, 'testing');
  writer.integers(6, [3, 270, 86942]);
  writer.integer(3, -2);
  writer.float(5, 1.5);
  writer.message(4, (inner) => inner.integer(1, 150));
  const hex = Buffer.from(writer.finish()).toString('hex');
  assert.equal(
    hex,
    '089601' + '120774657374696e67' + '3206038e029ea705' + '18feffffffffffffffff01' + '2d0000c03f' + '2203089601',
  );
});

test('buffers grow with what is written', () => {
  const writer = new ProtobufWriter();
  const data = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
  writer.data(1, data);
  writer.string(2, 'end');
  const [first, second] = protobufFields(writer.finish());
  assert.deepEqual(first.data, data);
  assert.equal(new TextDecoder().decode(second.data), 'end');
});

test('whole numbers and numbers of fixed length are read back', () => {
  const writer = new ProtobufWriter();
  writer.integer(3, 2 ** 40 + 5);
  writer.float(5, 1.5);
  const [integer, float] = protobufFields(writer.finish());
  assert.deepEqual([integer.field, integer.integer, integer.data.length], [3, 2 ** 40 + 5, 0]);
  assert.deepEqual([float.field, [...float.data]], [5, [...new Uint8Array(Float32Array.of(1.5).buffer)]]);
});

const graph: Graph = {
  inputs: [{ name: 'x', type: 'float32', shape: ['n', 2] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['n', 2] }],
  constants: [{ name: 'c', type: 'float32', shape: [2], values: [10, -0.5] }],
  nodes: [{ operator: 'Mul', inputs: ['x', 'c'], outputs: ['y'], attributes: {} }],
};

test('ONNX Runtime reads what we write', async () => {
  const model = await loadModel(encodeModel(graph));
  assert.deepEqual(model.inputs, { x: ['n', 2] });
  assert.deepEqual([...(await model.run({ x: Float32Array.of(1, 2, 3, 4) })).y], [10, -1, 30, -2]);
  await model.dispose();
});

test('metadata properties come back', () => {
  const properties = { 'coxswain.choices': '[15,15]', note: 'Grüße' };
  assert.deepEqual(readMetadata(encodeModel(graph, properties)), properties);
  assert.deepEqual(readMetadata(encodeModel(graph)), {});
});

test('bytes that end inside a field are refused', () => {
  const bytes = encodeModel(graph, { a: 'b' });
  assert.throws(() => readMetadata(bytes.subarray(0, bytes.length - 1)), RangeError);
  assert.throws(() => readMetadata(Uint8Array.of(0xff, 0xff)), RangeError);
});
