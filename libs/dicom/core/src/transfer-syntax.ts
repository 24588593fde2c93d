/**
 * Transfer syntaxes: how the bytes of a dataset are laid out.
 * Decides VR form, byte order and whether pixel data is encapsulated.
 * Source: PS3.5 annex A, PS3.6 annex A.
 */
export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
export const DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1.99';
export const EXPLICIT_VR_BIG_ENDIAN = '1.2.840.10008.1.2.2';
const NATIVE = new Set([
  IMPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
]);

export interface Encoding {
  readonly explicitVr: boolean;
  readonly littleEndian: boolean;
}

/** Layout of the dataset; every encapsulated syntax is Explicit VR Little Endian (PS3.5 A.4). */
export function encodingOf(transferSyntaxUid: string): Encoding {
  return {
    explicitVr: transferSyntaxUid !== IMPLICIT_VR_LITTLE_ENDIAN,
    littleEndian: transferSyntaxUid !== EXPLICIT_VR_BIG_ENDIAN,
  };
}
export function isEncapsulated(transferSyntaxUid: string): boolean {
  return !NATIVE.has(transferSyntaxUid);
}
export function isDeflated(transferSyntaxUid: string): boolean {
  return transferSyntaxUid === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
}
/** VRs whose explicit form has a 32-bit length (PS3.5 7.1.2). */
export const LONG_LENGTH_VRS: ReadonlySet<string> = new Set(
  'OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '),
);
/** Width in bytes of one value, for byte order; 1 for everything textual or opaque. */
export function byteOrderWidth(vr: string): number {
  if (['US', 'SS', 'AT', 'OW'].includes(vr)) return 2;
  if (['UL', 'SL', 'FL', 'OF', 'OL'].includes(vr)) return 4;
  return ['FD', 'OD', 'SV', 'UV', 'OV'].includes(vr) ? 8 : 1;
}
/** Reverses the byte order of every `width` bytes, in a copy. */
export function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (let at = 0; at + width <= out.length; at += width) out.subarray(at, at + width).reverse();
  return out;
}
