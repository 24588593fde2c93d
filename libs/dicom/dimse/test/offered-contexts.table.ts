/**
 * Offered contexts: which storage SOP classes and transfer syntaxes the listener says that it takes.
 * Decides nothing by itself: one row of each kind, of today and retired, and what is refused.
 * Source: PS3.4 B.5, B.6 and GG; PS3.5 A; PS3.6 annex A.
 */
import type { NetworkCase } from './network-cases.table.js';
import { associate, context, CT } from './wire.js';

const STORAGE_CLASSES = [
  // CT, Inventory, DICOS CT; retired: Nuclear Medicine, Ultrasound Multi-frame, Standalone Curve.
  ...['4.1.1.2', '4.1.1.201.1', '4.1.1.501.1', '4.1.1.5', '4.1.1.3', '4.1.1.9'],
  // Beside the arc: RT Beams and RT Brachy Delivery Instruction...
  ...['4.34.7', '4.34.10'],
  // ...and retired: RT Beams trial, Stored Print, Hardcopy Grayscale and Color.
  ...['4.34.1', '1.27', '1.29', '1.30'],
].map((last) => `1.2.840.10008.5.1.${last}`);
/** Hanging Protocol (no patient), Basic Film Session, Unified Procedure Step. */
const OTHER_CLASSES = ['4.38.1', '1.1', '4.34.6.1'].map((last) => `1.2.840.10008.5.1.${last}`);

const SYNTAXES = [
  // Implicit, explicit, deflated, encapsulated uncompressed, big endian, RLE.
  ...['', '.1', '.1.99', '.1.98', '.2', '.5'],
  // JPEG, one of the retired ones, JPEG-LS, JPEG 2000 part 2, MPEG-2, HEVC, JPEG XL, HTJ2K.
  ...['.4.50', '.4.52', '.4.80', '.4.92', '.4.100', '.4.108', '.4.110', '.4.201'],
].map((last) => `1.2.840.10008.1.2${last}`);
/** JPIP, the pixels of which are elsewhere: referenced, deflated, HTJ2K referenced, deflated. */
const BY_REFERENCE = ['94', '95', '204', '205'].map((last) => `1.2.840.10008.1.2.4.${last}`);

/** Contexts 1, 3, 5... and the answer to each: the taken ones first. */
function answer(taken: number, refused: number, reason: 3 | 4): string {
  const results = Array.from({ length: taken + refused }, (_, i) => (i < taken ? 0 : reason));
  return `accept${results.map((result, i) => ` ${2 * i + 1}:${result}`).join('')}`;
}

export const OFFER_CASES: readonly NetworkCase[] = [
  {
    title: 'every kind of storage SOP class, and three that store nothing of a patient',
    sends: associate({
      contexts: [...STORAGE_CLASSES, ...OTHER_CLASSES].map((uid, i) => context(2 * i + 1, uid)),
    }),
    answers: [answer(STORAGE_CLASSES.length, OTHER_CLASSES.length, 3)],
  },
  {
    title: 'every kind of transfer syntax, and those that hold no pixels',
    sends: associate({
      contexts: [...SYNTAXES, ...BY_REFERENCE].map((uid, i) => context(2 * i + 1, CT, [uid])),
    }),
    answers: [answer(SYNTAXES.length, BY_REFERENCE.length, 4)],
  },
  {
    title: 'a transfer syntax with a leading zero, which no file may name',
    sends: associate({ contexts: [context(1, CT, ['1.2.840.10008.1.2.4.090'])] }),
    answers: [answer(0, 1, 4)],
  },
];
