/**
 * ONNX files without an ONNX library: a graph described in plain objects to its protobuf bytes.
 * Decides the little of the format that the stand-ins use: float and int64 tensors, and attributes
 * of one int, several ints or a text. Invariant: the same description gives the same bytes.
 * Source: onnx/onnx.proto3 (field numbers), IR version 8.
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';

const IR_VERSION = 8;
/** TensorProto.DataType. */
const DATA_TYPES = { float: 1, int64: 7 };
/** AttributeProto.AttributeType. */
const INT = 2;
const STRING = 3;
const INTS = 7;

/** A tensor of constants, as an initialiser of the graph. */
export const constant = (name, dims, values, type = 'float') => ({ name, dims, values, type });

/** One operator; attributes by name: an int, a text or several ints. */
export const node = (opType, inputs, outputs, attributes = {}) => ({
  opType,
  inputs: [inputs].flat(),
  outputs: [outputs].flat(),
  attributes,
});

/** Bytes of a model; `graph`: name, doc, inputs and outputs (name, dims), constants, nodes. */
export function encodeModel({ producerName, opset, graph }) {
  const writer = new BinaryWriter();
  writer.uint32(tag(1, 0)).int64(IR_VERSION);
  writer.uint32(tag(2, 2)).string(producerName);
  message(writer, 7, (into) => writeGraph(into, graph));
  message(writer, 8, (into) => into.uint32(tag(2, 0)).int64(opset));
  return Buffer.from(writer.finish());
}

/** Wire types: 0 varint, 2 length-delimited. */
function tag(field, wireType) {
  return (field << 3) | wireType;
}

function message(writer, field, write) {
  writer.uint32(tag(field, 2)).fork();
  write(writer);
  writer.join();
}

function writeGraph(writer, { name, doc, inputs, outputs, constants, nodes }) {
  for (const one of nodes) message(writer, 1, (into) => writeNode(into, one));
  writer.uint32(tag(2, 2)).string(name);
  for (const tensor of constants) message(writer, 5, (into) => writeTensor(into, tensor));
  writer.uint32(tag(10, 2)).string(doc);
  for (const value of inputs) message(writer, 11, (into) => writeValueInfo(into, value));
  for (const value of outputs) message(writer, 12, (into) => writeValueInfo(into, value));
}

function writeNode(writer, { opType, inputs, outputs, attributes }) {
  for (const input of inputs) writer.uint32(tag(1, 2)).string(input);
  for (const output of outputs) writer.uint32(tag(2, 2)).string(output);
  writer.uint32(tag(3, 2)).string(outputs[0]);
  writer.uint32(tag(4, 2)).string(opType);
  for (const [name, value] of Object.entries(attributes)) {
    message(writer, 5, (into) => writeAttribute(into, name, value));
  }
}

function writeAttribute(writer, name, value) {
  writer.uint32(tag(1, 2)).string(name);
  if (typeof value === 'number') {
    writer.uint32(tag(3, 0)).int64(value);
    writer.uint32(tag(20, 0)).int32(INT);
  } else if (Array.isArray(value)) {
    for (const one of value) writer.uint32(tag(8, 0)).int64(one);
    writer.uint32(tag(20, 0)).int32(INTS);
  } else {
    writer.uint32(tag(4, 2)).string(value);
    writer.uint32(tag(20, 0)).int32(STRING);
  }
}

function writeTensor(writer, { name, dims, values, type }) {
  for (const dim of dims) writer.uint32(tag(1, 0)).int64(dim);
  writer.uint32(tag(2, 0)).int32(DATA_TYPES[type]);
  writer.uint32(tag(8, 2)).string(name);
  const raw = Buffer.alloc(values.length * (type === 'float' ? 4 : 8));
  values.forEach((value, at) => {
    if (type === 'float') raw.writeFloatLE(value, at * 4);
    else raw.writeBigInt64LE(BigInt(value), at * 8);
  });
  writer.uint32(tag(9, 2)).bytes(raw);
}

/** Tensors of the graph's interface are float. */
function writeValueInfo(writer, { name, dims }) {
  writer.uint32(tag(1, 2)).string(name);
  message(writer, 2, (type) =>
    message(type, 1, (tensor) => {
      tensor.uint32(tag(1, 0)).int32(DATA_TYPES.float);
      message(tensor, 2, (shape) => {
        for (const dim of dims) message(shape, 1, (into) => into.uint32(tag(1, 0)).int64(dim));
      });
    }),
  );
}
