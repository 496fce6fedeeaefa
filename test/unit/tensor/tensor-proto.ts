import { protobufFields } from '../../../src/tensor/protobuf-reader.ts';

/** A tensor with its values as they are stored. */
export interface StoredTensor {
  readonly type: string;
  readonly shape: number[];
  readonly values: ArrayBufferView & ArrayLike<number | bigint>;
}

type Constructor = new (buffer: ArrayBuffer) => ArrayBufferView & ArrayLike<number | bigint>;

/** TensorProto.DataType: the name in ONNX Runtime and how values lie in raw_data. */
const types: Readonly<Record<number, [string, Constructor]>> = {
  1: ['float32', Float32Array],
  2: ['uint8', Uint8Array],
  3: ['int8', Int8Array],
  6: ['int32', Int32Array],
  7: ['int64', BigInt64Array],
  9: ['bool', Uint8Array],
  10: ['float16', Float16Array],
  11: ['float64', Float64Array],
};

/** Reads a TensorProto (onnx.proto3) that has its values in raw_data. */
export function readTensorProto(bytes: Uint8Array): StoredTensor {
  const shape: number[] = [];
  let elementType = 0;
  let raw = new Uint8Array();
  for (const { field, integer, data } of protobufFields(bytes)) {
    if (field === 1) shape.push(integer);
    else if (field === 2) elementType = integer;
    else if (field === 9) raw = new Uint8Array(data);
  }
  const [type, Values] = types[elementType] ?? [];
  if (!type || !Values) throw new Error(`element type ${elementType} has no reader here`);
  return { type, shape, values: new Values(raw.buffer) };
}
