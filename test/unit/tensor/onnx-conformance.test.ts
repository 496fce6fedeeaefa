import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { openSession } from '../../../src/tensor/runtime.ts';
import { readTensorProto } from './tensor-proto.ts';
import type { StoredTensor } from './tensor-proto.ts';

const folder = join(import.meta.dirname, '../../../../shared/data/onnx-conformance');
const skip = existsSync(folder) ? false : 'optional: the conformance cases of ONNX are not here';

/** Cases that our runtime cannot take, with the reason. */
const unsupported: Readonly<Record<string, string>> = {
  'node/test_loop13_seq': 'its inputs and outputs are sequences; ours are tensors',
  'node/test_convinteger_with_padding':
    'ONNX Runtime takes one zero point for all weights of ConvInteger; the case has one for each filter',
  'simple/test_sequence_model1': 'its inputs are sequences; ours are tensors',
};

const cases = skip
  ? []
  : readFileSync(join(folder, 'MANIFEST.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').slice(0, 2).join('/'));

test('there are the cases that the manifest lists', { skip }, () => {
  assert.equal(cases.length, 114);
  for (const name of Object.keys(unsupported)) assert.ok(cases.includes(name), name);
});

/** Why a case is left out; false when it is run. */
function leftOut(name: string): string | false {
  if (!existsSync(join(folder, name, 'model.onnx')))
    return `optional: ${name} is not at ../shared/data/onnx-conformance`;
  return unsupported[name] ?? false;
}

for (const name of cases) {
  test(`${name} gives the outputs of the conformance case`, { skip: leftOut(name) }, async () => {
    const path = join(folder, name);
    const session = await openSession(readFileSync(join(path, 'model.onnx')), { kind: 'cpu', name: 'cpu' });
    const [inputs, expected] = ['input', 'output'].map((kind) => stored(join(path, 'test_data_set_0'), kind));
    const feeds = session.inputs.slice(0, inputs.length).map((port, index) => {
      const { type, values, shape } = inputs[index];
      return [port.name, session.tensor(type, values, shape)] as const;
    });
    const fetches = Object.fromEntries(session.outputs.map((port) => [port.name, null]));
    const results = session.run(Object.fromEntries(feeds), fetches);
    session.outputs.forEach((port, index) => {
      const { type, dims, data } = results[port.name];
      const actual = { type, shape: [...dims], values: data as StoredTensor['values'] };
      assertSame(port.name, actual, expected[index]);
    });
    session.release();
  });
}

function stored(path: string, kind: string): StoredTensor[] {
  const files = readdirSync(path).filter((file) => file.startsWith(kind));
  return files.map((_, index) => readTensorProto(readFileSync(join(path, `${kind}_${index}.pb`))));
}

function assertSame(name: string, actual: StoredTensor, expected: StoredTensor): void {
  assert.equal(actual.type, expected.type, name);
  assert.deepEqual(actual.shape, expected.shape, name);
  const values = Array.from(actual.values, Number);
  Array.from(expected.values, Number).forEach((value, index) => {
    const close = Object.is(values[index], value) || Math.abs(values[index] - value) <= 1e-5 + 1e-3 * Math.abs(value);
    assert.ok(close, `${name}[${index}]: ${values[index]} instead of ${value}`);
  });
}
