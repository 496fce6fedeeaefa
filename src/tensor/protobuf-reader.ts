/** A field of a message. */
export interface ProtobufField {
  readonly field: number;
  /** The bytes of a length-delimited field or of a number of fixed length; empty for other fields. */
  readonly data: Uint8Array;
  /** A whole number, exact below 2⁵³; 0 for other fields. */
  readonly integer: number;
}

/**
 * The fields of a message in the protocol buffers wire format, one level deep.
 * @throws RangeError when the bytes end inside a field or are no message.
 */
export function* protobufFields(bytes: Uint8Array): Generator<ProtobufField> {
  let position = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (position >= bytes.length) throw new RangeError('The message ends inside a number.');
      const byte = bytes[position++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (position < bytes.length) {
    const tag = varint();
    const wireType = tag % 8;
    const integer = wireType === 0 ? varint() : 0;
    const length = wireType === 0 ? 0 : payloadLength(wireType, varint);
    if (position + length > bytes.length) throw new RangeError('The message ends inside a field.');
    const data = bytes.subarray(position, position + length);
    position += length;
    yield { field: Math.floor(tag / 8), data, integer };
  }
}

/** Bytes that follow a tag. */
function payloadLength(wireType: number, varint: () => number): number {
  switch (wireType) {
    case 1:
      return 8;
    case 2:
      return varint();
    case 5:
      return 4;
    default:
      throw new RangeError(`The message has a field of unknown type ${wireType}.`);
  }
}
