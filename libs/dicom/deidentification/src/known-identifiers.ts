/**
 * Known identifiers: what the received header says about who this patient is.
 * Decides which pieces of names, numbers, birth date and address are looked for in the output, and
 * how: long ones anywhere, also across separators; short ones as whole words; what is too short or
 * an everyday word of imaging not at all, because it would hold every second study.
 * Invariants: nothing of it leaves this process; text that does not decode is taken byte by byte.
 * Source: pseudonymisation specification 1.3 (BSN in any field), 1.6.
 */
import { vrOf, tagOf, type DicomDataset, type DicomElement } from '@aifi/dicom-core';
import { calendarDay } from './derivations.js';
import { KNOWN_WORDS } from './known-words.table.js';
import { folded, nameFolded, tokensOf } from './normalised-text.js';
import { PLACEHOLDER_BIRTH_DATES } from './placeholder-dates.table.js';
import { isDescriptionWord } from './vocabulary.js';

export interface KnownIdentifiers {
  /** Whole words. */
  readonly words: ReadonlySet<string>;
  /** Words in a row, as ' 3 4 1961 '. */
  readonly phrases: readonly string[];
  /** Anywhere, separators left out. */
  readonly pieces: readonly string[];
}
interface Collected {
  readonly words: Set<string>;
  readonly phrases: Set<string>;
  readonly pieces: Set<string>;
  readonly sitePlaceholders: readonly string[];
}

const everyday: ReadonlySet<string> = new Set(KNOWN_WORDS.trim().split(/\s+/));
const placeholders: ReadonlySet<string> = new Set(PLACEHOLDER_BIRTH_DATES);
/** Shorter names are also words, endings and codes of devices. @unit characters */
const WORD_MIN = 4;
/** Shorter ones occur in longer words and numbers by chance. @unit characters */
const PIECE_MIN = 6;
/** Of one value; what is longer is cut: a stranger chooses the length. @unit characters */
const TEXT_MAX = 1_024;
/** Of one kind of attribute. A header with more is not one of a scanner. */
const VALUES_MAX = 64;

const NUMBERS = new Set(
  [
    ...['PatientID', 'AccessionNumber', 'StudyID', 'RequestedProcedureID', 'AdmissionID'],
    ...['ServiceEpisodeID', 'PerformedProcedureStepID', 'ScheduledProcedureStepID'],
    ...['PlacerOrderNumberImagingServiceRequest', 'FillerOrderNumberImagingServiceRequest'],
  ]
    .map(tagOf)
    // Retired: Other Patient IDs, Insurance Plan Identification, Medical Record Locator.
    .concat(0x00101000, 0x00101050, 0x00101090),
);
const ADDRESSES = new Set(['PatientAddress', 'PatientTelecomInformation'].map(tagOf));
const PHONES = tagOf('PatientTelephoneNumbers');
const BIRTH_DATE = tagOf('PatientBirthDate');
const OTHER_IDS = tagOf('OtherPatientIDsSequence');
const REQUESTS = tagOf('RequestAttributesSequence');
const POSTCODE = /\b(\d{4}) ?([A-Z]{2})\b/g;

export function isEverydayWord(word: string): boolean {
  return everyday.has(word) || isDescriptionWord(word);
}

/** Everything of this header that names the patient, or somebody beside the patient. */
export function knownIdentifiersOf(
  input: DicomDataset,
  sitePlaceholders: readonly string[] = [],
): KnownIdentifiers {
  const found: Collected = {
    ...{ words: new Set(), phrases: new Set(), pieces: new Set() },
    sitePlaceholders,
  };
  for (const element of input) collect(element, input, found);
  return { words: found.words, phrases: [...found.phrases], pieces: [...found.pieces] };
}

function collect(element: DicomElement, input: DicomDataset, found: Collected): void {
  const { tag, value } = element;
  if (!(value instanceof Uint8Array)) {
    if (tag !== OTHER_IDS && tag !== REQUESTS) return;
    for (const item of value.slice(0, VALUES_MAX)) {
      for (const inner of item) collect(inner, item, found);
    }
  } else if (value.length === 0) {
    return;
  } else if (vrOf(tag) === 'PN') {
    for (const name of textsOf(element, input)) addName(name, found);
  } else if (NUMBERS.has(tag)) {
    for (const number of textsOf(element, input)) addNumber(number, found);
  } else if (tag === BIRTH_DATE) {
    addBirthDate(input.string(tag) ?? '', found);
  } else if (ADDRESSES.has(tag)) {
    for (const address of textsOf(element, input)) addAddress(address, found);
  } else if (tag === PHONES) {
    for (const phone of textsOf(element, input)) addPhone(phone, found);
  }
}

function textsOf({ tag, value }: DicomElement, input: DicomDataset): string[] {
  let texts: string[];
  try {
    texts = input.strings(tag);
  } catch {
    // Not kept, so no reason to refuse; what is readable of it is looked for all the same.
    texts = Buffer.from(value as Uint8Array)
      .toString('latin1')
      .split('\\');
  }
  return texts.slice(0, VALUES_MAX).map((text) => text.slice(0, TEXT_MAX));
}

/** Family, given and middle name; prefix and suffix are titles (PS3.5 6.2.1). */
function addName(name: string, found: Collected): void {
  for (const group of name.split('=')) {
    const parts = group.split('^').slice(0, 3).map(tokensOf);
    for (const token of parts.flat()) addWord(token, found);
    const [family = [], given = []] = parts.map((tokens) => tokens.map(nameFolded).join(''));
    for (const whole of [`${family}${given}`, `${given}${family}`]) {
      if (whole.length >= PIECE_MIN && family.length > 0 && given.length > 0) {
        found.pieces.add(whole);
      }
    }
  }
}

function addWord(token: string, found: Collected): void {
  if (token.length < WORD_MIN || isEverydayWord(token) || /^\d+$/.test(token)) return;
  const word = nameFolded(token);
  found.words.add(word);
  if (word.length >= PIECE_MIN) found.pieces.add(word);
}

function addNumber(number: string, found: Collected): void {
  const tokens = tokensOf(number).map(nameFolded);
  const whole = tokens.join('');
  if (isEverydayWord(whole)) return;
  const isDigits = /^\d+$/.test(whole);
  if (whole.length >= PIECE_MIN) found.pieces.add(whole);
  // Five digits alone are a number of somebody; four are a year or a version.
  else if (whole.length >= (isDigits ? 5 : WORD_MIN)) found.phrases.add(` ${tokens.join(' ')} `);
  const bare = whole.replace(/^0+/, '');
  if (isDigits && bare.length >= PIECE_MIN) found.pieces.add(bare);
}

function addAddress(address: string, found: Collected): void {
  for (const [, digits, letters] of folded(address).matchAll(POSTCODE)) {
    found.pieces.add(`${digits}${letters}`);
  }
  for (const token of tokensOf(address)) if (token.length > WORD_MIN) addWord(token, found);
}

/** The last eight digits: with or without country code, area code or its zero. */
function addPhone(phone: string, found: Collected): void {
  const digits = phone.replace(/\D+/g, '');
  if (digits.length >= 8) found.pieces.add(digits.slice(-8));
}

const MONTHS: readonly (readonly string[])[] = [
  ...[
    ['JANUARI', 'JANUARY', 'JAN'],
    ['FEBRUARI', 'FEBRUARY', 'FEB'],
    ['MAART', 'MARCH', 'MRT', 'MAR'],
  ],
  ...[
    ['APRIL', 'APR'],
    ['MEI', 'MAY'],
    ['JUNI', 'JUNE', 'JUN'],
    ['JULI', 'JULY', 'JUL'],
  ],
  ...[
    ['AUGUSTUS', 'AUGUST', 'AUG'],
    ['SEPTEMBER', 'SEPT', 'SEP'],
    ['OKTOBER', 'OCTOBER', 'OKT', 'OCT'],
  ],
  ...[
    ['NOVEMBER', 'NOV'],
    ['DECEMBER', 'DEC'],
  ],
];

/** 19610403 as 03-04-1961, 3/4/1961, 1961.4.3, 3 april 1961, April 3, 1961, 610403 … */
function addBirthDate(text: string, found: Collected): void {
  const isPlaceholder = placeholders.has(text) || found.sitePlaceholders.includes(text);
  const birth = isPlaceholder ? undefined : calendarDay(text);
  if (!birth) return;
  const year = String(birth.year).padStart(4, '0');
  const [month, day] = [String(birth.month), String(birth.day)];
  const [mm, dd, yy] = [month.padStart(2, '0'), day.padStart(2, '0'), year.slice(2)];
  for (const digits of [year + mm + dd, dd + mm + year, mm + dd + year]) found.pieces.add(digits);
  for (const digits of [yy + mm + dd, dd + mm + yy]) found.words.add(digits);
  for (const [m, d] of [
    [month, day],
    [mm, dd],
  ] as const) {
    for (const order of [
      [year, m, d],
      [d, m, year],
      [m, d, year],
    ]) {
      found.phrases.add(` ${order.join(' ')} `);
    }
  }
  found.phrases.add(` ${dd} ${mm} ${yy} `);
  for (const name of MONTHS[birth.month - 1]!) {
    for (const written of [day + name + year, name + day + year, name + dd + year]) {
      found.pieces.add(written);
    }
  }
}
