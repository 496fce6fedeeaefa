import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeRecording, encodeRecording, maxRecordingBins } from '../../../src/recordings/recording.ts';
import type { Recording } from '../../../src/recordings/recording.ts';
import { maxRecordingBins as maxBinsOfSpecs } from '../../../src/spec/run-spec-schema.ts';

const recording: Recording = {
  source: 'traces/Größe.csv',
  seed: 7,
  binSeconds: 15,
  parts: { train: { from: 0, to: 3 }, validate: { from: 3, to: 4 }, heldOut: { from: 4, to: 5 } },
  repairs: { interpolatedBins: 1, summedDuplicates: 2 },
  arrivals: Uint32Array.of(0, 1, 258, 4294967295, 5),
};

/** The bytes with their metadata replaced by `text`. */
function withMetadata(text: string): Uint8Array {
  const bytes = encodeRecording(recording);
  const old = new DataView(bytes.buffer).getUint32(8, true);
  const metadata = Buffer.from(text + ' '.repeat((4 - (Buffer.byteLength(text) % 4)) % 4));
  const header = Buffer.from(bytes.subarray(0, 12));
  header.writeUInt32LE(metadata.length, 8);
  return Buffer.concat([header, metadata, bytes.subarray(12 + old)]);
}

function metadataWith(change: object): string {
  const { arrivals: _, ...metadata } = recording;
  return JSON.stringify({ ...metadata, ...change });
}

function assertRefused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => decodeRecording(bytes), { code: 'ARTIFACT_CORRUPT', message });
}

describe('a recording', () => {
  test('comes back from its bytes as it was', () => {
    assert.deepEqual(decodeRecording(encodeRecording(recording)), recording);
  });

  test('comes back from a view at an odd place of a larger buffer', () => {
    const bytes = encodeRecording(recording);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    assert.deepEqual(decodeRecording(shifted.subarray(3)), recording);
  });

  test('has the same bytes whatever the order in which its fields were written', () => {
    const reversed = Object.fromEntries(Object.entries(recording).reverse()) as unknown as Recording;
    const parts = Object.fromEntries(Object.entries(recording.parts).reverse()) as unknown as Recording['parts'];
    assert.deepEqual(encodeRecording({ ...reversed, parts }), encodeRecording(recording));
  });

  test('has the documented layout', () => {
    const bytes = Buffer.from(encodeRecording({ ...recording, source: 'generator' }));
    const metadata =
      '{"source":"generator","seed":7,"binSeconds":15,"parts":{"train":{"from":0,"to":3},"validate":{"from":3,"to":4},' +
      '"heldOut":{"from":4,"to":5}},"repairs":{"interpolatedBins":1,"summedDuplicates":2}}';
    assert.equal(bytes.toString('latin1', 0, 4), 'CXWR');
    assert.equal(bytes.readUInt32LE(4), 1);
    assert.equal(bytes.readUInt32LE(8) % 4, 0);
    assert.equal(bytes.toString('utf8', 12, 12 + bytes.readUInt32LE(8)).trimEnd(), metadata);
    assert.deepEqual([...bytes.subarray(-20)], [0, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0, 255, 255, 255, 255, 5, 0, 0, 0]);
  });

  test('may have as many bins as a spec may ask for', () => {
    assert.equal(maxRecordingBins, maxBinsOfSpecs);
  });
});

describe('decodeRecording', () => {
  test('refuses other files and other versions', () => {
    assertRefused(new Uint8Array(), /letters CXWR/);
    assertRefused(Buffer.from('period,count\n1,2\n'), /letters CXWR/);
    const newer = encodeRecording(recording);
    newer[4] = 2;
    assertRefused(newer, /expected version 1, found 2/);
  });

  test('refuses what is cut off anywhere', () => {
    const bytes = encodeRecording(recording);
    for (let length = 0; length < bytes.length; length++)
      assertRefused(bytes.subarray(0, length), /cannot|can be read/);
  });

  test('refuses metadata that is no JSON, lacks a field, has one more or a wrong one', () => {
    assertRefused(withMetadata('{'), /no JSON/);
    assertRefused(withMetadata('null'), /metadata/);
    assertRefused(withMetadata('{"source":"x"}'), /metadata/);
    for (const change of [{ extra: 1 }, { seed: '7' }, { seed: -1 }, { binSeconds: 1.5 }, { source: 3 }, { parts: {} }])
      assertRefused(withMetadata(metadataWith(change)), /lacks a field or holds a wrong one/);
  });

  test('refuses parts that do not cover the bins', () => {
    const { validate, heldOut } = recording.parts;
    const gap = { train: { from: 0, to: 2 }, validate, heldOut };
    assertRefused(withMetadata(metadataWith({ parts: gap })), /do not cover its 5 bins/);
    const beyond = { ...recording.parts, heldOut: { from: 4, to: 6 } };
    assertRefused(withMetadata(metadataWith({ parts: beyond })), /do not cover its 5 bins/);
  });
});
