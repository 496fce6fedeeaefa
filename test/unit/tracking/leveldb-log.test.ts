import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { LevelDbLog } from '../../../src/tracking/leveldb-log.ts';

const blockBytes = 32_768;
const chunkHeaderBytes = 7;

/** Type and length of the chunks in `bytes`, whose first byte is at `from` in the file; checks each checksum. */
function chunksOf(bytes: Buffer, from: number): [type: number, length: number][] {
  const chunks: [number, number][] = [];
  for (let at = 0; at < bytes.length;) {
    const left = blockBytes - ((from + at) % blockBytes);
    if (left < chunkHeaderBytes) {
      assert.ok(bytes.subarray(at, at + left).every((byte) => byte === 0));
      at += left;
      continue;
    }
    const length = bytes.readUInt16LE(at + 4);
    assert.equal(bytes.readUInt32LE(at), crc32(bytes.subarray(at + 6, at + 7 + length)));
    chunks.push([bytes.readUInt8(at + 6), length]);
    at += chunkHeaderBytes + length;
  }
  return chunks;
}

test('a short record is one chunk: checksum, length, type, bytes', () => {
  const log = new LevelDbLog();
  // The checksum is what Python's zlib.crc32 gives for type and payload, 01 68 69.
  assert.equal(log.frame(Buffer.from('hi')).toString('hex'), '768bc9670200016869');
});

test("the file starts with W&B's header", () => {
  assert.equal(LevelDbLog.header.toString('hex'), '3a572642e1be00');
});

test('a record longer than a block is first, middle and last chunk', () => {
  const frames = new LevelDbLog().frame(Buffer.alloc(70_000, 1));
  const room = blockBytes - chunkHeaderBytes;
  const first = room - LevelDbLog.header.length;
  assert.deepEqual(chunksOf(frames, LevelDbLog.header.length), [
    [2, first],
    [3, room],
    [4, 70_000 - first - room],
  ]);
});

for (const left of [0, 1, 6, 7, 8])
  test(`a record that finds ${left} bytes left in its block`, () => {
    const log = new LevelDbLog();
    const filler = blockBytes - LevelDbLog.header.length - chunkHeaderBytes - left;
    const before = log.frame(Buffer.alloc(filler));
    const record = Buffer.from('record');
    const frames = log.frame(record);
    const chunks = chunksOf(frames, LevelDbLog.header.length + before.length);
    const expected = {
      0: [[1, 6]],
      1: [[1, 6]],
      6: [[1, 6]],
      7: [
        [2, 0],
        [4, 6],
      ],
      8: [
        [2, 1],
        [4, 5],
      ],
    }[left];
    assert.deepEqual(chunks, expected);
  });

test('an empty record is an empty chunk', () => {
  assert.deepEqual(chunksOf(new LevelDbLog().frame(Buffer.alloc(0)), LevelDbLog.header.length), [[1, 0]]);
});
