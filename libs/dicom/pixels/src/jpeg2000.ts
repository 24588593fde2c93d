/**
 * JPEG 2000: one codestream of one component to samples.
 * Decides, from the codestream's own header, whether it is decoded at all: the codec allocates what
 * that header asks for, and reports no failure but an empty picture.
 * Invariant: either every sample of the announced frame was decoded, or nothing is given.
 * Source: ISO/IEC 15444-1 A.5.1 (SIZ); PS3.5 A.4.4 and 8.2.4 (raw codestream, no JP2 boxes).
 */
import openJpeg from '@cornerstonejs/codec-openjpeg/decodewasmjs';
import { AifiError } from '@aifi/shared-kernel';

/** SOC and SIZ markers: every codestream begins with them. */
const CODESTREAM_START = 0xff4fff51;
/** Up to and including the three bytes of the first component. @unit bytes */
const FIRST_COMPONENT_END = 45;

export interface FrameSize {
  readonly rows: number;
  readonly columns: number;
}
export interface Jpeg2000Frame {
  /** [y, x], little endian; two's complement when the codestream is signed. */
  readonly bytes: Uint8Array;
  /** 8 for samples of up to 8 bits, else 16. */
  readonly bitsAllocated: 8 | 16;
}

/** The codec keeps its memory between frames: one instance per process. */
let codec: ReturnType<typeof openJpeg> | undefined;

/**
 * Decodes a codestream that must hold one component of `expected` size. Throws DICOM_MALFORMED for
 * another size, more components, more than 16 bits, and for what does not decode to its end.
 */
export async function decodeJpeg2000(
  codestream: Uint8Array,
  expected: FrameSize,
): Promise<Jpeg2000Frame> {
  const bits = judgeHeader(codestream, expected);
  // The codec tells its warnings in words of its own: nobody reads them here.
  const silent = (): void => undefined;
  codec ??= openJpeg({ print: silent, printErr: silent });
  const decoder = new (await codec).J2KDecoder();
  try {
    decoder.getEncodedBuffer(codestream.length).set(codestream);
    decoder.decode();
    const frame = decoder.getFrameInfo();
    const bytes = Uint8Array.from(decoder.getDecodedBuffer());
    const bitsAllocated = bits > 8 ? 16 : 8;
    const size = (expected.rows * expected.columns * bitsAllocated) / 8;
    if (frame.bitsPerSample !== bits || bytes.length !== size) {
      throw malformed('JPEG 2000 codestream does not decode');
    }
    return { bytes, bitsAllocated };
  } finally {
    decoder.delete();
  }
}

/** Bits per sample, when the header is what the image says. */
function judgeHeader(codestream: Uint8Array, { rows, columns }: FrameSize): number {
  const view = new DataView(codestream.buffer, codestream.byteOffset, codestream.byteLength);
  if (view.byteLength < FIRST_COMPONENT_END || view.getUint32(0) !== CODESTREAM_START) {
    throw malformed('pixel data is no JPEG 2000 codestream');
  }
  const width = view.getUint32(8) - view.getUint32(16);
  const height = view.getUint32(12) - view.getUint32(20);
  const components = view.getUint16(40);
  const [precision, stepX, stepY] = [view.getUint8(42), view.getUint8(43), view.getUint8(44)];
  if (width !== columns || height !== rows || components !== 1) {
    throw malformed('JPEG 2000 codestream holds another image than its attributes say');
  }
  // Bit 7 tells signed samples; the others are the number of bits less one.
  const bits = (precision & 0x7f) + 1;
  if (bits > 16 || stepX !== 1 || stepY !== 1) {
    throw malformed('JPEG 2000 codestream with samples that no image here has');
  }
  return bits;
}

function malformed(what: string): AifiError {
  return new AifiError('DICOM_MALFORMED', what);
}
