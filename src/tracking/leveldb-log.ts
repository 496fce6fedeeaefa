import { crc32 } from 'node:zlib';

/** Chunks do not cross the borders of blocks of this size. */
const blockBytes = 32 * 1024;

/** Checksum (4), length (2) and type (1) before each chunk. */
const chunkHeaderBytes = 7;

const chunkTypes = { full: 1, first: 2, middle: 3, last: 4 } as const;

/**
 * Frames records as LevelDB's log format does (google/leveldb, doc/log_format.md), with W&B's file header and W&B's plain
 * CRC-32 over type and payload in place of LevelDB's masked CRC-32C.
 */
export class LevelDbLog {
  /** The file's header, which counts in the first block. */
  static readonly header = Buffer.from([...Buffer.from(':W&B'), 0xe1, 0xbe, 0]);

  private position = LevelDbLog.header.length;

  /** The bytes to append to the file for one record. */
  frame(record: Uint8Array): Buffer {
    const parts: Uint8Array[] = [];
    let written = 0;
    do {
      const padding = this.paddingToNextBlock();
      const room = blockBytes - ((this.position + padding) % blockBytes) - chunkHeaderBytes;
      const payload = record.subarray(written, written + room);
      const type = chunkType(parts.length === 0, written + payload.length === record.length);
      parts.push(Buffer.alloc(padding), chunk(type, payload));
      written += payload.length;
      this.position += padding + chunkHeaderBytes + payload.length;
    } while (written < record.length);
    return Buffer.concat(parts);
  }

  /** A block's last bytes stay empty when no chunk header fits into them. */
  private paddingToNextBlock(): number {
    const left = blockBytes - (this.position % blockBytes);
    return left < chunkHeaderBytes ? left : 0;
  }
}

function chunkType(isFirst: boolean, isLast: boolean): number {
  if (isFirst) return isLast ? chunkTypes.full : chunkTypes.first;
  return isLast ? chunkTypes.last : chunkTypes.middle;
}

function chunk(type: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(chunkHeaderBytes + payload.length);
  bytes.writeUInt16LE(payload.length, 4);
  bytes.writeUInt8(type, 6);
  bytes.set(payload, chunkHeaderBytes);
  bytes.writeUInt32LE(crc32(bytes.subarray(6)), 0);
  return bytes;
}
