/**
 * Writes the protocol buffers wire format (protobuf.dev/programming-guides/encoding) into a growing buffer: varints,
 * length-delimited fields and 32-bit floats, which is all that ONNX models need.
 */
export class ProtobufWriter {
  private bytes = new Uint8Array(1024);
  private length = 0;

  /** A whole number, negative ones in two's complement of 64 bits. */
  integer(field: number, value: number | bigint): void {
    this.tag(field, 0);
    this.varint(BigInt.asUintN(64, BigInt(value)));
  }

  /** A 32-bit float. */
  float(field: number, value: number): void {
    this.tag(field, 5);
    this.append(new Uint8Array(Float32Array.of(value).buffer));
  }

  string(field: number, value: string): void {
    this.data(field, new TextEncoder().encode(value));
  }

  data(field: number, value: Uint8Array): void {
    this.tag(field, 2);
    this.varint(BigInt(value.length));
    this.append(value);
  }

  /** Repeated whole numbers in packed form. */
  integers(field: number, values: readonly number[]): void {
    const packed = new ProtobufWriter();
    for (const value of values) packed.varint(BigInt.asUintN(64, BigInt(value)));
    this.data(field, packed.finish());
  }

  /** An embedded message, written by `write`. */
  message(field: number, write: (writer: ProtobufWriter) => void): void {
    const inner = new ProtobufWriter();
    write(inner);
    this.data(field, inner.finish());
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private tag(field: number, wireType: number): void {
    this.varint(BigInt((field << 3) | wireType));
  }

  private varint(value: bigint): void {
    let rest = value;
    while (rest >= 0x80n) {
      this.append(Uint8Array.of(Number(rest & 0x7fn) | 0x80));
      rest >>= 7n;
    }
    this.append(Uint8Array.of(Number(rest)));
  }

  private append(chunk: Uint8Array): void {
    if (this.length + chunk.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + chunk.length));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(chunk, this.length);
    this.length += chunk.length;
  }
}
