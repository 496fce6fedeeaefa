import type { Attribute, Constant, ElementType, Graph, Node, Port } from './graph.ts';
import { protobufFields } from './protobuf-reader.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** The ONNX operator set that our graphs are written in. */
export const operatorSetVersion = 18;
/** ONNX IR version 9 goes with operator sets up to 20. */
const irVersion = 9;

const elementTypeNumbers: Record<ElementType, number> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** AttributeProto.type */
const attributeTypes = { float: 1, int: 2, string: 3, graph: 5, ints: 7 };

/**
 * A graph as the bytes of an ONNX file. Field numbers are those of onnx.proto3.
 * @param metadata further facts, stored as ONNX metadata properties.
 */
export function encodeModel(graph: Graph, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const model = new ProtobufWriter();
  model.integer(1, irVersion);
  model.string(2, 'coxswain');
  model.message(7, (writer) => writeGraph(writer, graph, 'main'));
  model.message(8, (writer) => {
    writer.string(1, '');
    writer.integer(2, operatorSetVersion);
  });
  for (const [key, value] of Object.entries(metadata)) {
    model.message(14, (writer) => {
      writer.string(1, key);
      writer.string(2, value);
    });
  }
  return model.finish();
}

function writeGraph(writer: ProtobufWriter, graph: Graph, name: string): void {
  for (const node of graph.nodes) writer.message(1, (inner) => writeNode(inner, node));
  writer.string(2, name);
  for (const constant of graph.constants) writer.message(5, (inner) => writeConstant(inner, constant));
  for (const port of graph.inputs) writer.message(11, (inner) => writePort(inner, port));
  for (const port of graph.outputs) writer.message(12, (inner) => writePort(inner, port));
}

function writeNode(writer: ProtobufWriter, node: Node): void {
  for (const input of node.inputs) writer.string(1, input);
  for (const output of node.outputs) writer.string(2, output);
  writer.string(4, node.operator);
  for (const [name, value] of Object.entries(node.attributes)) {
    writer.message(5, (inner) => writeAttribute(inner, name, value));
  }
}

function writeAttribute(writer: ProtobufWriter, name: string, value: Attribute): void {
  writer.string(1, name);
  if (typeof value === 'number') {
    writer.integer(3, value);
    writer.integer(20, attributeTypes.int);
  } else if (typeof value === 'string') {
    writer.data(4, new TextEncoder().encode(value));
    writer.integer(20, attributeTypes.string);
  } else if ('float' in value) {
    writer.float(2, value.float);
    writer.integer(20, attributeTypes.float);
  } else if ('graph' in value) {
    writer.message(6, (inner) => writeGraph(inner, value.graph, name));
    writer.integer(20, attributeTypes.graph);
  } else {
    writer.integers(8, value);
    writer.integer(20, attributeTypes.ints);
  }
}

function writeConstant(writer: ProtobufWriter, constant: Constant): void {
  writer.integers(1, constant.shape);
  writer.integer(2, elementTypeNumbers[constant.type]);
  writer.string(8, constant.name);
  writer.data(9, rawBytes(constant));
}

/** TensorProto.raw_data: little-endian, as every platform that Node runs on stores its typed arrays. */
function rawBytes({ type, values }: Constant): Uint8Array {
  switch (type) {
    case 'float32':
      return new Uint8Array(Float32Array.from(values).buffer);
    case 'int32':
      return new Uint8Array(Int32Array.from(values).buffer);
    case 'int64':
      return new Uint8Array(BigInt64Array.from(Array.from(values), BigInt).buffer);
    case 'bool':
      return Uint8Array.from(values);
  }
}

function writePort(writer: ProtobufWriter, port: Port): void {
  const { shape } = port;
  writer.string(1, port.name);
  writer.message(2, (type) => {
    type.message(1, (tensor) => {
      tensor.integer(1, elementTypeNumbers[port.type]);
      if (!shape) return;
      tensor.message(2, (dimensions) => {
        for (const length of shape) {
          dimensions.message(1, (dimension) => {
            if (typeof length === 'number') dimension.integer(1, length);
            else dimension.string(2, length);
          });
        }
      });
    });
  });
}

/**
 * The metadata properties of an ONNX file that {@link encodeModel} wrote.
 * @throws RangeError when the bytes are no protocol buffer.
 */
export function readMetadata(model: Uint8Array): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const { field, data } of protobufFields(model)) {
    if (field !== 14) continue;
    const texts = new Map(
      Array.from(protobufFields(data), (part) => [part.field, new TextDecoder().decode(part.data)]),
    );
    properties[texts.get(1) ?? ''] = texts.get(2) ?? '';
  }
  return properties;
}
