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
  for (const element of dataset) {
    const value = encodeValue(element, encoding);
    parts.push(elementHeader(element.tag, element.vr, value.length, encoding), value);
  }
  return Buffer.concat(parts);
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
  putTag(header, tag, encoding);
  header[4] = settledVr.charCodeAt(0);
  header[5] = settledVr.charCodeAt(1);
  if (long) putLength(header, 8, length, encoding);
  else {
    header[encoding.littleEndian ? 6 : 7] = length;
    header[encoding.littleEndian ? 7 : 6] = length >>> 8;
  }
  return header;
}

function tagAndLength(tag: number, length: number, encoding: Encoding): Uint8Array {
  const header = new Uint8Array(8);
  putTag(header, tag, encoding);
  putLength(header, 4, length, encoding);
  return header;
}

// Byte by byte: a view over eight bytes costs more than the bytes.
function putTag(header: Uint8Array, tag: number, { littleEndian }: Encoding): void {
  header[littleEndian ? 1 : 0] = tag >>> 24;
  header[littleEndian ? 0 : 1] = tag >>> 16;
  header[littleEndian ? 3 : 2] = tag >>> 8;
  header[littleEndian ? 2 : 3] = tag;
}
function putLength(
  header: Uint8Array,
  at: number,
  length: number,
  { littleEndian }: Encoding,
): void {
  for (let i = 0; i < 4; i += 1) header[at + (littleEndian ? i : 3 - i)] = length >>> (8 * i);
}
