/**
 * Encoder: a dataset to bytes of a transfer syntax.
 * Decides defined lengths everywhere, so that equal datasets give equal bytes.
 * Source: PS3.5 7.1.2, 7.1.3, 7.5.1.
 */
import { type DicomDataset, type DicomElement } from './dataset.js';
import { byteOrderWidth, LONG_LENGTH_VRS, swapped, type Encoding } from './transfer-syntax.js';

const ITEM = 0xfffee000;

/** Encodes the elements in ascending tag order, without group lengths of their own making. */
export function encodeDataset(dataset: DicomDataset, encoding: Encoding): Buffer {
  const parts: Uint8Array[] = [];
  for (const element of dataset) parts.push(...encodeElement(element, encoding));
  return Buffer.concat(parts);
}

function encodeElement(element: DicomElement, encoding: Encoding): Uint8Array[] {
  const value = encodeValue(element, encoding);
  return [elementHeader(element.tag, element.vr, value.length, encoding), value];
}

function encodeValue(element: DicomElement, encoding: Encoding): Uint8Array {
  if (element.value instanceof Uint8Array) {
    const width = encoding.littleEndian ? 1 : byteOrderWidth(element.vr);
    return width > 1 ? swapped(element.value, width) : element.value;
  }
  const parts = element.value.flatMap((item) => {
    const bytes = encodeDataset(item, encoding);
    return [tagAndLength(ITEM, bytes.length, encoding), bytes];
  });
  return Buffer.concat(parts);
}

/** Tag, VR and length field of one element; `length` may be 0xFFFFFFFF for undefined. */
export function elementHeader(
  tag: number,
  vr: string,
  length: number,
  encoding: Encoding,
): Uint8Array {
  if (!encoding.explicitVr) return tagAndLength(tag, length, encoding);
  // PS3.5 6.2.2 note 2: a value too long for a 16-bit length is written as UN.
  const settledVr = !LONG_LENGTH_VRS.has(vr) && length > 0xfffe ? 'UN' : vr;
  const long = LONG_LENGTH_VRS.has(settledVr);
  const header = new Uint8Array(long ? 12 : 8);
  const view = new DataView(header.buffer);
  view.setUint16(0, tag >>> 16, encoding.littleEndian);
  view.setUint16(2, tag & 0xffff, encoding.littleEndian);
  header.set(Buffer.from(settledVr, 'latin1'), 4);
  if (long) view.setUint32(8, length, encoding.littleEndian);
  else view.setUint16(6, length, encoding.littleEndian);
  return header;
}

function tagAndLength(tag: number, length: number, encoding: Encoding): Uint8Array {
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint16(0, tag >>> 16, encoding.littleEndian);
  view.setUint16(2, tag & 0xffff, encoding.littleEndian);
  view.setUint32(4, length, encoding.littleEndian);
  return header;
}
