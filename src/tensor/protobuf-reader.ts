/** A field of a message; `data` is empty for fields that are not length-delimited. */
export interface ProtobufField {
  readonly field: number;
  readonly data: Uint8Array;
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
    const length = payloadLength(tag % 8, varint);
    if (position + length > bytes.length) throw new RangeError('The message ends inside a field.');
    const data = tag % 8 === 2 ? bytes.subarray(position, position + length) : new Uint8Array();
    position += length;
    yield { field: Math.floor(tag / 8), data };
  }
}

/** Bytes that follow a tag; numbers of variable length are read here. */
function payloadLength(wireType: number, varint: () => number): number {
  switch (wireType) {
    case 0:
      varint();
      return 0;
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
