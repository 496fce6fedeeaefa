import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** A protocol buffer message: its fields by number, each a list of numbers and byte strings. */
export type Message = ReadonlyMap<number, readonly (bigint | Buffer)[]>;

const blockBytes = 32 * 1024;

/** Reads the records of a `.wandb` file, independently of what writes it. Throws on anything that is not as it should be. */
export function readWandbFile(path: string): readonly Message[] {
  const bytes = readFileSync(path);
  if (bytes.subarray(0, 7).toString('hex') !== '3a572642e1be00') throw new Error('not a .wandb file');
  const records: Message[] = [];
  let partial: Buffer[] = [];
  for (let at = 7; at < bytes.length;) {
    const left = blockBytes - (at % blockBytes);
    if (left < 7) {
      at += left;
      continue;
    }
    const length = bytes.readUInt16LE(at + 4);
    const type = bytes.readUInt8(at + 6);
    if (bytes.readUInt32LE(at) !== crc32(bytes.subarray(at + 6, at + 7 + length))) throw new Error(`bad CRC at ${at}`);
    if ((type === 1 || type === 2) !== (partial.length === 0))
      throw new Error(`unexpected chunk type ${type} at ${at}`);
    partial.push(bytes.subarray(at + 7, at + 7 + length));
    at += 7 + length;
    if (type !== 1 && type !== 4) continue;
    records.push(decode(Buffer.concat(partial)));
    partial = [];
  }
  if (partial.length > 0) throw new Error('the last record is incomplete');
  return records;
}

/** The fields of a message. */
export function decode(bytes: Buffer): Message {
  const fields = new Map<number, (bigint | Buffer)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = tag >> 3;
    const number = varint();
    const value = (tag & 7) === 0 ? number : bytes.subarray(at, (at += Number(number)));
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

/** The message in a field; throws when there is none. */
export function messageAt(message: Message, field: number, index = 0): Message {
  return decode(bytesAt(message, field, index));
}

/** The text in a field; throws when there is none. */
export function textAt(message: Message, field: number, index = 0): string {
  return bytesAt(message, field, index).toString('utf8');
}

/** Key and parsed JSON of the items in field `field`. */
export function itemsAt(message: Message, field: number): Record<string, unknown> {
  const items = (message.get(field) ?? []).map((item) => decode(item as Buffer));
  return Object.fromEntries(items.map((item) => [textAt(item, 1), JSON.parse(textAt(item, 16))]));
}

function bytesAt(message: Message, field: number, index: number): Buffer {
  const value = message.get(field)?.[index];
  if (!Buffer.isBuffer(value)) throw new Error(`no bytes in field ${field}`);
  return value;
}
