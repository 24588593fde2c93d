/**
 * Generated objects: CT images with pixels that no two places share, the floor of every suite.
 * Decides the encoding by hand (Explicit VR Little Endian), so that a suite's input does not come
 * from the code under test. Every pixel byte depends on its place and on the object, so a byte that
 * is lost, doubled or moved shows. Source: PS3.5 7.1.2, PS3.3 A.3.
 */
import { createHash } from 'node:crypto';
import { seededRandom } from './framings.js';
import type { RawObject } from './raw-encoding.js';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const LONG_LENGTH = new Set(['OB', 'OW']);

function element(tag: number, vr: string, value: Buffer): Buffer {
  const isLong = LONG_LENGTH.has(vr);
  const head = Buffer.alloc(isLong ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, 'latin1');
  if (isLong) head.writeUInt32LE(value.length, 8);
  else head.writeUInt16LE(value.length, 6);
  return Buffer.concat([head, value]);
}
function text(tag: number, vr: string, value: string): Buffer {
  const padding = vr === 'UI' ? '\0' : ' ';
  const even = value.length % 2 === 0 ? value : value + padding;
  return element(tag, vr, Buffer.from(even, 'latin1'));
}
function number(tag: number, value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return element(tag, 'US', bytes);
}

/** A UID of our own for a name. */
export function uidFor(name: string): string {
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 30);
  return `2.25.${BigInt(`0x${digest}`)}`;
}

export interface GeneratedSize {
  readonly rows: number;
  readonly columns: number;
}
function datasetOf(sopInstanceUid: string, size: GeneratedSize, pixelElement: Buffer): Buffer {
  return Buffer.concat([
    text(0x00080016, 'UI', CT),
    text(0x00080018, 'UI', sopInstanceUid),
    text(0x00080060, 'CS', 'CT'),
    text(0x00100010, 'PN', 'Interop^Generated'),
    text(0x00100020, 'LO', 'INTEROP-1'),
    text(0x0020000d, 'UI', uidFor('interop study')),
    text(0x0020000e, 'UI', uidFor('interop series')),
    number(0x00280002, 1),
    text(0x00280004, 'CS', 'MONOCHROME2'),
    number(0x00280010, size.rows),
    number(0x00280011, size.columns),
    number(0x00280100, 16),
    number(0x00280101, 16),
    number(0x00280102, 15),
    number(0x00280103, 0),
    pixelElement,
  ]);
}

/** A CT image of `rows` x `columns` x 16 bit whose identifiers and pixels follow from its name. */
export function generatedCt(name: string, size: GeneratedSize): RawObject {
  const sopInstanceUid = uidFor(name);
  const random = seededRandom(createHash('sha256').update(name).digest().readUInt32LE());
  const pixels = Buffer.alloc(size.rows * size.columns * 2);
  for (let at = 0; at + 4 <= pixels.length; at += 4) {
    pixels.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  }
  const dataset = datasetOf(sopInstanceUid, size, element(0x7fe00010, 'OW', pixels));
  return { sopClassUid: CT, sopInstanceUid, transferSyntaxUid: EXPLICIT, dataset };
}

/** Encapsulated pixel data: tag, OB, reserved, undefined length (PS3.5 A.4). */
const ENCAPSULATED = Buffer.from('e07f10004f420000ffffffff', 'hex');
/** A whole object around the compressed pixels of one that lacks identifiers of its own. */
export function withGeneratedHeader(name: string, object: RawObject): RawObject {
  const at = object.dataset.indexOf(ENCAPSULATED);
  if (at < 0) throw new Error('the object has no encapsulated pixel data');
  const sopInstanceUid = uidFor(name);
  const size = { rows: 64, columns: 64 };
  const dataset = datasetOf(sopInstanceUid, size, object.dataset.subarray(at));
  return { ...object, sopClassUid: CT, sopInstanceUid, dataset };
}

/** The object as a Part 10 file (PS3.10 7.1), for senders that want one. */
export function asFile(object: RawObject): Buffer {
  const group = Buffer.concat([
    element(0x00020001, 'OB', Buffer.from([0, 1])),
    text(0x00020002, 'UI', object.sopClassUid),
    text(0x00020003, 'UI', object.sopInstanceUid),
    text(0x00020010, 'UI', object.transferSyntaxUid),
    text(0x00020012, 'UI', uidFor('interop implementation')),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(group.length);
  const head = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]);
  return Buffer.concat([head, element(0x00020000, 'UL', length), group, object.dataset]);
}
