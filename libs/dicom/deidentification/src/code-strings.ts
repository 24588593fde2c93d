/**
 * Code strings: values of defined terms, and what becomes of those that are none.
 * Decides by the repertoire and the length that a code string has: a sentence is no code. Body Part
 * Examined and Patient's Sex keep listed terms only. What breaks is emptied where an object may
 * have it empty; where it may not, the caller holds the object, because a dummy would be read as a
 * statement about the image. Invariant: what returns is made of at most 16 characters per value.
 * Source: PS3.5 6.2 (CS); PS3.3 C.7.1.1 (sex), C.7.6.1.1.2 (image type); PS3.16 annex L.
 */
import { tagOf } from '@aifi/dicom-core';
import * as bodyParts from './body-parts.table.js';
import { tokensOf } from './normalised-text.js';
import { isDescriptionWord } from './vocabulary.js';

const CODE = /^[A-Z0-9_ ]{0,16} *$/;
const CODE_LENGTH_MAX = 16;
/** Of one attribute; Image Type has ten at most in practice. */
const VALUES_MAX = 64;
const BODY_PART = tagOf('BodyPartExamined');
const SEX = tagOf('PatientSex');
const SEXES: ReadonlySet<string> = new Set(['F', 'M', 'O', '']);
/** Values from the third on are of the maker; an empty one keeps the place. */
const IMAGE_TYPES: ReadonlySet<number> = new Set(['ImageType', 'FrameType'].map(tagOf));
const IMAGE_TYPES_REQUIRED = 2;
/** Type 1 or 1C in some object without functional groups (PS3.3 annex C). */
const NEVER_EMPTY: ReadonlySet<number> = new Set(
  [
    ...['ImageType', 'Modality', 'PhotometricInterpretation', 'ConversionType', 'MaskOperation'],
    ...['PresentationIntentType', 'ImageLaterality', 'PixelIntensityRelationship', 'OrganExposed'],
    ...['PresentationLUTShape', 'LossyImageCompression', 'LossyImageCompressionMethod'],
    ...['ScanningSequence', 'SequenceVariant', 'RadiationSetting', 'ShutterShape'],
    ...['CollimatorShape', 'PixelSpacingCalibrationType'],
  ].map(tagOf),
);
/** In an object with functional groups most codes are type 1: these are not. */
const EMPTY_IN_ALL: ReadonlySet<number> = new Set(
  [
    ...['BodyPartExamined', 'PatientSex', 'Laterality', 'PatientPosition', 'PatientOrientation'],
    ...['ScanOptions', 'VOILUTFunction', 'PixelSpacingCalibrationType', 'FilterMaterial'],
  ].map(tagOf),
);
const partWords: ReadonlySet<string> = new Set(
  `${bodyParts.WORDS_WITH_FACE} ${bodyParts.WORDS_WITHOUT_FACE} ${bodyParts.OTHER_WORDS}`
    .trim()
    .split(/\s+/),
);

/** The values that may leave; undefined when the attribute cannot leave as it stands. */
export function cleanedCodes(
  tag: number,
  codes: readonly string[],
  isEnhanced: boolean,
): readonly string[] | undefined {
  if (tag === BODY_PART) return [bodyPartOf(codes)];
  if (tag === SEX) return codes.every((code) => SEXES.has(code.trim())) ? codes : [];
  if (codes.length > VALUES_MAX) return undefined;
  if (codes.every((code) => CODE.test(code))) return codes;
  if (IMAGE_TYPES.has(tag)) {
    const required = isEnhanced ? codes.length : IMAGE_TYPES_REQUIRED;
    const isWhole = codes.slice(0, required).every((code) => CODE.test(code));
    return isWhole ? codes.map((code) => (CODE.test(code) ? code : '')) : undefined;
  }
  const mayBeEmpty = isEnhanced ? EMPTY_IN_ALL.has(tag) : !NEVER_EMPTY.has(tag);
  return mayBeEmpty ? [] : undefined;
}

/** Listed parts of the body, in capitals; '' when none is. */
function bodyPartOf(codes: readonly string[]): string {
  const tokens = tokensOf(codes.join(' ').slice(0, 256));
  const whole = tokens.join('');
  // C-Spine: the letters of the defined term, whatever stands between them.
  if (partWords.has(whole) && whole.length <= CODE_LENGTH_MAX) {
    return codes.length === 1 && CODE.test(codes[0]!) ? codes[0]! : whole;
  }
  const listed = tokens.filter((token) => partWords.has(token) || isDescriptionWord(token));
  let text = '';
  for (const word of listed) {
    const longer = text === '' ? word : `${text} ${word}`;
    if (longer.length > CODE_LENGTH_MAX) break;
    text = longer;
  }
  // As it came, when all of it is listed: separators of a device are none of our business.
  const [first = ''] = codes;
  const isWhole = listed.length === tokens.length && codes.length === 1 && CODE.test(first);
  return isWhole ? first : text;
}
