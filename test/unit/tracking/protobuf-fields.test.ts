import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integerField, messageField, textField } from '../../../src/tracking/protobuf-fields.ts';

test("the encoding guide's examples come out byte for byte", () => {
  assert.equal(integerField(1, 150).toString('hex'), '089601');
  assert.equal(textField(2, 'testing').toString('hex'), '120774657374696e67');
  assert.equal(messageField(3, integerField(1, 150)).toString('hex'), '1a03089601');
});

test('field numbers above 15 take two bytes', () => {
  assert.equal(integerField(17, 0).toString('hex'), '880100');
  assert.equal(textField(16, '').toString('hex'), '820100');
});

test('numbers beyond 32 bits are whole', () => {
  assert.equal(integerField(1, 1_767_323_045_250).toString('hex'), '08829ba6e5b733');
  assert.equal(integerField(1, 2 ** 32).toString('hex'), '088080808010');
});

test('a text is counted in bytes', () => {
  assert.equal(textField(1, 'é').toString('hex'), '0a02c3a9');
});
