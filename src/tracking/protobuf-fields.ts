/**
 * Fields of a protocol buffer message in wire format (protobuf.dev/programming-guides/encoding), as far as W&B's records
 * need them: whole numbers, texts and embedded messages. A message is its fields one after the other.
 */
export function integerField(number: number, value: number): Buffer {
  return Buffer.from([...varint(number << 3), ...varint(value)]);
}

/** A text, in UTF-8. */
export function textField(number: number, text: string): Buffer {
  return messageField(number, Buffer.from(text, 'utf8'));
}

/** An embedded message. */
export function messageField(number: number, ...fields: readonly Uint8Array[]): Buffer {
  const length = fields.reduce((sum, field) => sum + field.length, 0);
  return Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(length)]), ...fields]);
}

/** @param value a whole number of at least 0; beyond 2⁵³ it would not be exact. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}
