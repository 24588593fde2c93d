/**
 * Byte sequences that mean something in DICOM: what chance alone would take years to write.
 * Decides the dictionaries of the targets. Source: PS3.5 7.5 and A.4, PS3.6, PS3.7 E.1, PS3.8 9.3.
 */
const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const UIDS = [
  '1.2.840.10008.1.1',
  '1.2.840.10008.1.2',
  '1.2.840.10008.1.2.1',
  '1.2.840.10008.1.2.2',
  '1.2.840.10008.1.2.4.70',
  '1.2.840.10008.1.20.1',
  '1.2.840.10008.3.1.1.1',
  '1.2.840.10008.5.1.4.1.1.2',
  '1.2.840.10008.5.1.4.1.2.2.1',
];
const VRS = 'AE AT CS DS FD IS LO LT OB OW PN SH SQ SS UC UI UL UN US UT UV'.split(' ');

/** Items, delimiters, pixel data and the attributes that describe it; both byte orders. */
export const DATASET_TOKENS: readonly Uint8Array[] = [
  ...VRS.map(latin1),
  ...UIDS.map(latin1),
  hex('feff00e0 ffffffff'),
  hex('feff00e0 00000000'),
  hex('feff0de0 00000000'),
  hex('feffdde0 00000000'),
  hex('fffee000 ffffffff'),
  hex('fffee00d 00000000'),
  hex('fffee0dd 00000000'),
  hex('ffffffff'),
  hex('e07f1000 4f57 0000 00000000'),
  hex('e07f1000 4f42 0000 ffffffff feff00e0 00000000'),
  hex('e07f1000 ffffffff'),
  hex('e07f0800 4f46 0000 00000000'),
  hex('28001000 5553 0200 0100'),
  hex('28001100 5553 0200 0100'),
  hex('28000200 5553 0200 0100'),
  hex('28000001 5553 0200 1000'),
  hex('28000800 4953 0200 3120'),
  hex('08001600 5549 0000'),
  hex('08004011 5351 0000 ffffffff'),
  hex('08004011 ffffffff'),
  hex('09001000 4c4f 0000'),
  hex('09000110 554e 0000 ffffffff'),
  hex('08000500 4353 0000'),
  latin1('\\ISO 2022 IR 87'),
];
/** Elements of command sets in Implicit VR. */
export const COMMAND_TOKENS: readonly Uint8Array[] = [
  ...UIDS.map(latin1),
  hex('00000000 04000000 00000000'),
  hex('00000200 12000000'),
  hex('00000001 02000000 0100'),
  hex('00000001 02000000 0180'),
  hex('00000001 02000000 3000'),
  hex('00000001 02000000 0001'),
  hex('00000001 02000000 2000'),
  hex('00001001 02000000 0100'),
  hex('00002001 02000000 0100'),
  hex('00000008 02000000 0101'),
  hex('00000008 02000000 0000'),
  hex('00000009 02000000 0000'),
  hex('00000010 02000000'),
  hex('00000210 02000000 0100'),
];
/** PDU and item types with short lengths. */
export const UPPER_LAYER_TOKENS: readonly Uint8Array[] = [
  ...UIDS.map(latin1),
  hex('0100 00000048'),
  hex('0400 0000000c 00000008 0103'),
  hex('0400 00000008 00000004 0102'),
  hex('0500 00000004 00000000'),
  hex('0700 00000004 00000000'),
  hex('10000015'),
  hex('2000002e 01000000'),
  hex('21000019 01000000'),
  hex('30000011'),
  hex('40000011'),
  hex('5000003a'),
  hex('51000004 00004000'),
  hex('52000011'),
  hex('53000004 00010001'),
  hex('54000015 0011'),
  hex('5500000a'),
  hex('56000004'),
  hex('58000008 0200 0000'),
];
