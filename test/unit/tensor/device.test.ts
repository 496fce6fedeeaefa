import assert from 'node:assert/strict';
import test from 'node:test';

import { parseDevice } from '../../../src/tensor/device.ts';

test('device names say who computes, and on which card or backend', () => {
  assert.deepEqual(parseDevice('cpu'), { kind: 'cpu', name: 'cpu' });
  assert.deepEqual(parseDevice('webgpu'), { kind: 'webgpu', name: 'webgpu' });
  assert.deepEqual(parseDevice('cuda'), { kind: 'cuda', name: 'cuda', index: 0 });
  assert.deepEqual(parseDevice('cuda:12'), { kind: 'cuda', name: 'cuda:12', index: 12 });
  assert.deepEqual(parseDevice('tfjs'), { kind: 'tfjs', name: 'tfjs', backend: 'wasm' });
  for (const backend of ['wasm', 'cpu', 'node', 'node-gpu'])
    assert.deepEqual(parseDevice(`tfjs:${backend}`), { kind: 'tfjs', name: `tfjs:${backend}`, backend });
});

test('other names are refused with all that are allowed', () => {
  for (const name of [
    '',
    'CPU',
    'gpu',
    'cuda:',
    'cuda:x',
    'cuda:-1',
    'cuda:1.5',
    'webgpu:0',
    'tfjs:',
    'tfjs:webgl',
    'cpu ',
  ]) {
    assert.throws(() => parseDevice(name), {
      code: 'DEVICE_UNAVAILABLE',
      message: `Device "${name}" is not known; allowed are cpu, cuda, cuda:<number>, webgpu, tfjs, tfjs:wasm, tfjs:cpu, tfjs:node and tfjs:node-gpu.`,
    });
  }
});
