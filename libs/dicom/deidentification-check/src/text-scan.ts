/**
 * Text that should not be where it is: citizen service numbers, dates and words of the patient.
 * Decides on every text value of an output. Invariant: nothing that was read is told.
 * A number of nine (or eight, with its leading zero lost) digits counts when it passes the check of
 * eleven, which one random number in eleven does. UIDs and numbers in DS and IS are exempt.
 * Source: pseudonymisation specification 1.3 (BSN), 2.2 (g), 3 (4).
 */
import { tagOf, type DicomDataset } from '@aifi/dicom-core';
import { isDescriptorWord, withoutPhrases } from './descriptor-words.js';
import { doubtful, failed, type ObjectFinding } from './finding.js';
import { placesOf, type Place } from './object-walk.js';
import { PATIENT_PSEUDONYM, PROFILE, STUDY_ID_PSEUDONYM } from './profile-oracle.js';

const TEXT_VRS = /^(AE|CS|LO|LT|PN|SH|ST|UC|UR|UT)$/;
const WORD_VRS = /^(AE|LO|LT|PN|SH|ST|UC|UT)$/;
/** Shorter words are in too many others. @unit characters */
const WORD_LENGTH_MIN = 4;
/** Versions and models hold dates of their makers. */
const OF_THE_MAKER = new Set(
  ['SoftwareVersions', 'ManufacturerModelName', 'SequenceName', 'ConvolutionKernel'].map(tagOf),
);
const DATES = [
  /(?<!\d)(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)/,
  /(?<!\d)(0?[1-9]|[12]\d|3[01])[-/.](0?[1-9]|1[0-2])[-/.]((19|20)\d\d)(?!\d)/,
  /(?<!\d)(19|20)\d\d[-/.](0?[1-9]|1[0-2])[-/.](0?[1-9]|[12]\d|3[01])(?!\d)/,
];

/** The check of eleven: 9 x first digit + 8 x second + ... + 2 x eighth - ninth. */
export function isNationalNumber(digits: string): boolean {
  const padded = digits.padStart(9, '0');
  if (padded.length !== 9 || /^0+$/.test(padded)) return false;
  const sum = [...padded].reduce(
    (total, digit, index) => total + Number(digit) * (index === 8 ? -1 : 9 - index),
    0,
  );
  return sum % 11 === 0;
}
function hasNationalNumber(text: string): boolean {
  // People write them with dots, spaces or hyphens in between: 1234.56.782.
  const runs = text.replace(/(\d)[ .-](?=\d)/g, '$1').match(/\d+/g) ?? [];
  return [...runs, ...(text.match(/\d+/g) ?? [])].some(
    (run) => (run.length === 8 || run.length === 9) && isNationalNumber(run),
  );
}

/** Words of the original's identity; those that kept attributes hold as well are no evidence. */
export function knownWords(original: DicomDataset): ReadonlySet<string> {
  const [secret, open] = [new Set<string>(), new Set<string>()];
  for (const { element, dataset } of placesOf(original)) {
    const isPrivate = ((element.tag >>> 16) & 1) === 1;
    if (!WORD_VRS.test(element.vr) && element.vr !== 'CS') continue;
    const isSecret = WORD_VRS.test(element.vr) && (PROFILE.has(element.tag) || isPrivate);
    const words = isSecret ? secret : open;
    for (const text of textsOf(dataset, element.tag)) wordsOf(text).forEach((w) => words.add(w));
  }
  return new Set([...secret].filter((word) => !open.has(word) && !isDescriptorWord(word)));
}
/** What does not decode holds no words; the engine has to refuse or remove it. */
function textsOf(dataset: DicomDataset, tag: number): string[] {
  try {
    return dataset.strings(tag);
  } catch {
    return [];
  }
}
function wordsOf(text: string): string[] {
  return text
    .toUpperCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length >= WORD_LENGTH_MIN);
}

export function* textFindings(
  { element, dataset, path }: Place,
  known: ReadonlySet<string>,
): Generator<ObjectFinding> {
  if (!TEXT_VRS.test(element.vr)) return;
  for (const text of dataset.strings(element.tag)) {
    // Chance puts digits into pseudonyms; their form is checked elsewhere.
    if (PATIENT_PSEUDONYM.test(text) || STUDY_ID_PSEUDONYM.test(text)) continue;
    if (hasNationalNumber(text)) yield failed('text.national-number', path);
    if (DATES.some((pattern) => pattern.test(text))) {
      yield (OF_THE_MAKER.has(element.tag) ? doubtful : failed)('text.date', path);
    }
    // An eponym in a description is nobody's name, even if the original has it in other places.
    const words = wordsOf(PROFILE.get(element.tag)?.isDescriptor ? withoutPhrases(text) : text);
    if (words.some((word) => known.has(word))) yield failed('text.known', path);
  }
}
