/**
 * Codestream headers: what a compressed frame says of itself.
 * Decides, before the codec allocates anything, whether a codestream holds the image of the
 * attributes: the codec makes room for whatever a header announces.
 * Invariant: size and number of components are those of the attributes, and samples fit into what
 * is allocated. Source: ISO/IEC 10918-1 B.2.2 (SOF), ISO/IEC 14495-1 C.2.2 (SOF55), ISO/IEC 15444-1
 * A.5.1 (SIZ); PS3.5 8.2 and A.4.4 (raw codestream, no file format around it).
 */
import { AifiError } from '@aifi/shared-kernel';
import type { CodecFrame, CodecName } from './codec-module.js';
import type { ImageDescription } from './image-description.js';

const START_OF_IMAGE = 0xffd8;
const START_OF_SCAN = 0xda;
/** Baseline, extended and progressive Huffman, lossless Huffman. Arithmetic ones are not read. */
const JPEG_FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2, 0xc3]);
const JPEG_LS_FRAME = 0xf7;
/** Any start of a frame, also those that are not read: the first one decides. */
const isFrameMarker = (marker: number): boolean =>
  (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) ||
  marker === JPEG_LS_FRAME;
/** SOC and SIZ markers: every JPEG 2000 codestream begins with them. */
const JPEG_2000_START = 0xff4fff51;
/** Up to the first component. @unit bytes */
const SIZ_BYTES = 42;

/** True when a fragment begins a codestream, so that a frame begins there. */
export function isCodestreamStart(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 4) return false;
  return view.getUint16(0) === START_OF_IMAGE || view.getUint32(0) === JPEG_2000_START;
}

/** The codestream's header, when it is that of the image; else throws DICOM_MALFORMED. */
export function judgeCodestream(
  codec: CodecName,
  codestream: Uint8Array,
  image: ImageDescription,
): CodecFrame {
  const frame =
    codec === 'jpeg' || codec === 'jpeg-ls' ? jpegFrame(codec, codestream) : sizFrame(codestream);
  const isSameImage =
    frame.rows === image.rows &&
    frame.columns === image.columns &&
    frame.samplesPerPixel === image.samplesPerPixel;
  if (!isSameImage) throw malformed('a codestream holds another image than its attributes say');
  if (frame.precision < 2 || frame.precision > Math.min(16, image.bitsAllocated)) {
    throw malformed('a codestream holds samples that its attributes have no room for');
  }
  return frame;
}

function jpegFrame(codec: CodecName, bytes: Uint8Array): CodecFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 4 || view.getUint16(0) !== START_OF_IMAGE) {
    throw malformed('pixel data is no codestream of its transfer syntax');
  }
  // SOI, then segments of marker and length up to the frame header.
  let at = 2;
  while (at + 10 <= view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (isFrameMarker(marker)) {
      const isRead = codec === 'jpeg-ls' ? marker === JPEG_LS_FRAME : JPEG_FRAMES.has(marker);
      if (!isRead) throw malformed('a codestream of another process than is read here');
      const precision = view.getUint8(at + 4);
      const [rows, columns] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      const samplesPerPixel = view.getUint8(at + 9);
      return { rows, columns, samplesPerPixel, precision, signed: false };
    }
    if (marker === START_OF_SCAN) break;
    at += 2 + view.getUint16(at + 2);
  }
  throw malformed('a codestream without a frame header');
}

function sizFrame(bytes: Uint8Array): CodecFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < SIZ_BYTES || view.getUint32(0) !== JPEG_2000_START) {
    throw malformed('pixel data is no codestream of its transfer syntax');
  }
  const columns = view.getUint32(8) - view.getUint32(16);
  const rows = view.getUint32(12) - view.getUint32(20);
  const samplesPerPixel = view.getUint16(40);
  if (samplesPerPixel < 1 || view.byteLength < SIZ_BYTES + samplesPerPixel * 3) {
    throw malformed('a codestream without a frame header');
  }
  // Bit 7 tells signed samples; the others are the number of bits less one.
  const first = view.getUint8(SIZ_BYTES);
  for (let i = 0; i < samplesPerPixel; i += 1) {
    const at = SIZ_BYTES + i * 3;
    const isAlike = view.getUint8(at) === first;
    if (!isAlike || view.getUint8(at + 1) !== 1 || view.getUint8(at + 2) !== 1) {
      throw malformed('a codestream with components that no image here has');
    }
  }
  const precision = (first & 0x7f) + 1;
  return { rows, columns, samplesPerPixel, precision, signed: first > 0x7f };
}

function malformed(what: string): AifiError {
  return new AifiError('DICOM_MALFORMED', what);
}
