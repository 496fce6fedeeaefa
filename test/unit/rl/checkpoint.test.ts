import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';

import { readCheckpoint, writeCheckpoint } from '../../../src/rl/checkpoint.ts';

const content = {
  identity: 'agent',
  device: 'cpu',
  arrays: {
    parameters: Float32Array.of(1.5, -0, NaN, 1e-45),
    odd: Uint8Array.of(7, 8, 9),
    wide: Float64Array.of(1 / 3, -0),
    whole: Int32Array.of(-5),
    empty: new Float32Array(0),
  },
  warnings: ['An earlier change.'],
  values: { text: 'é', seeds: [4294967295, null], deep: { step: 1 } },
};

test('a checkpoint gives back every bit', () => {
  const bytes = writeCheckpoint(content);
  const shifted = new Uint8Array(bytes.length + 1).subarray(1); // not at a multiple of four bytes
  shifted.set(bytes);
  const read = readCheckpoint(shifted);
  assert.deepEqual(read.arrays, content.arrays);
  assert.deepEqual([read.identity, read.device, read.values], ['agent', 'cpu', content.values]);
  assert.deepEqual(read.parameters, content.arrays.parameters);
  assert.deepEqual(read.warnings, content.warnings);
  assert.equal(read.writtenOn.versions.node, process.versions.node);
});

test('a checkpoint that arrives as a Buffer inside a larger one is read', () => {
  const bytes = writeCheckpoint(content);
  const inside = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(5)]).subarray(3, 3 + bytes.length);
  assert.deepEqual(readCheckpoint(inside).arrays, content.arrays);
});

test('what changed since a checkpoint was written is added to its warnings', () => {
  const text = Buffer.from(writeCheckpoint(content)).toString('latin1');
  const other = text.replace(
    `"node":"${process.versions.node}"`,
    `"node":"${process.versions.node.replace(/./g, '9')}"`,
  );
  assert.notEqual(other, text);
  const body = Buffer.from(other, 'latin1').subarray(0, -32);
  const bytes = Buffer.concat([body, createHash('sha256').update(body).digest()]);
  const { warnings } = readCheckpoint(new Uint8Array(bytes));
  assert.equal(warnings.length, 2);
  assert.match(warnings[1], /another node \(.* after 9+\)/);
});

test('the same content gives the same bytes', () => {
  assert.deepEqual(writeCheckpoint(content), writeCheckpoint(content));
});

test('a checkpoint that was truncated anywhere is refused', () => {
  const bytes = writeCheckpoint(content);
  for (const length of [0, 7, 16, 40, Math.floor(bytes.length / 2), bytes.length - 1]) {
    assert.throws(() => readCheckpoint(bytes.subarray(0, length)), { code: 'CHECKPOINT_INVALID' }, `${length} bytes`);
  }
});

test('a checkpoint with any byte changed or one added is refused', () => {
  const bytes = writeCheckpoint(content);
  for (let position = 0; position < bytes.length; position += 13) {
    const changed = bytes.slice();
    changed[position] ^= 0x10;
    assert.throws(() => readCheckpoint(changed), { code: 'CHECKPOINT_INVALID' }, `byte ${position}`);
  }
  assert.throws(() => readCheckpoint(Uint8Array.of(...bytes, 0)), { code: 'CHECKPOINT_INVALID' });
});

test('a checkpoint of another format version is refused with both versions', () => {
  const bytes = writeCheckpoint(content);
  new DataView(bytes.buffer).setUint32(8, 1, true);
  assert.throws(() => readCheckpoint(bytes), { code: 'CHECKPOINT_INVALID', message: /version 1.*version 2/ });
});

test('something else is refused', () => {
  assert.throws(() => readCheckpoint(new TextEncoder().encode('{"not": "a checkpoint"}'.repeat(9))), /no checkpoint/);
});
