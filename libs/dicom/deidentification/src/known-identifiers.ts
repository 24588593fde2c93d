/**
 * Known identifiers: what the received header says about who this patient is.
 * Decides which pieces of names, numbers, birth date, address, hospital and device are looked for
 * in the output, and how: long ones anywhere, also across separators; short ones as whole words;
 * what is too short or an everyday word of imaging not at all: it would hold every second study.
 * Invariants: nothing of it leaves this process; text that does not decode is taken byte by byte; a
 * header that names more than any device writes is refused, so that the search has its bounds.
 * Source: pseudonymisation specification 1.3 (BSN in any field), 1.6.
 */
import { tagOf, tagsOf, type DicomDataset } from '@aifi/dicom-core';
import { haveSameBytes } from './attribute-memo.js';
import type { DeidentificationContext } from './deidentification-context.js';
import { calendarDay } from './derivations.js';
import { INSTITUTION_WORDS, KNOWN_WORDS } from './known-words.table.js';
import { folded, nameFolded, spelledOut, tokensOf, withoutUmlaut } from './normalised-text.js';
import { PLACEHOLDER_BIRTH_DATES } from './placeholder-dates.table.js';
import { bareDigits } from './number-texts.js';
import { isDescriptionWord } from './vocabulary.js';

export interface KnownIdentifiers {
  /** Whole words. */
  readonly words: ReadonlySet<string>;
  /** Words in a row, as ' 3 4 1961 '. */
  readonly phrases: readonly string[];
  /** Anywhere, separators left out. */
  readonly pieces: readonly string[];
  /** Family names of three letters: whole words that do not stand alone. */
  readonly shortNames: ReadonlySet<string>;
  /** Digits without zeros before them, of five on: whole runs of digits. */
  readonly numbers: ReadonlySet<string>;
}
/** The header names more than can be looked for; the words are fixed. */
export class TooManyIdentifiers extends Error {
  constructor() {
    super('more names and numbers than a header holds');
  }
}
interface Collected {
  readonly words: Set<string>;
  readonly phrases: Set<string>;
  readonly pieces: Set<string>;
  readonly shortNames: Set<string>;
  readonly numbers: Set<string>;
  readonly sitePlaceholders: readonly string[];
}

const everyday: ReadonlySet<string> = new Set(KNOWN_WORDS.trim().split(/\s+/));
const institutionWords: ReadonlySet<string> = new Set(INSTITUTION_WORDS.trim().split(/\s+/));
const placeholders: ReadonlySet<string> = new Set(PLACEHOLDER_BIRTH_DATES);
/** Shorter names are also words, endings and codes of devices. @unit characters */
const WORD_MIN = 4;
/** Shorter ones occur in longer words and numbers by chance. @unit characters */
const PIECE_MIN = 6;
/** So much of a longer one is enough to know it by. @unit characters */
const PIECE_MAX = 32;
/** Of one value; what is longer is cut: a stranger chooses the length. @unit characters */
const TEXT_MAX = 1_024;
/** Of one kind of attribute. A header with more is not one of a scanner. */
const VALUES_MAX = 64;
/** A header of a whole hospital's worth of people has a hundred; more would take our time. */
const IDENTIFIERS_MAX = 4_000;
const PHRASES_MAX = 300;
/** Shorter ones are years, versions and counts. @unit characters */
const DIGITS_MIN = 5;
const SHORT_NAME = 3;
/** A word of a hospital's name that is as long as this names it. @unit characters */
const INSTITUTION_WORD_MIN = 6;
/** Words of names that say of nobody who it is. */
const PARTICLES = new Set('VAN DER DEN DES TEN TER VON ZUR ZUM DAL DEL DOS DAS LOS LAS'.split(' '));

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
const ADDRESSES = new Set(
  ['PatientAddress', 'PatientTelecomInformation', 'InstitutionAddress'].map(tagOf),
);
const INSTITUTIONS = new Set(
  ['InstitutionName', 'InstitutionalDepartmentName', 'StationName'].map(tagOf),
);
const SERIAL = tagOf('DeviceSerialNumber');
const PHONES = tagOf('PatientTelephoneNumbers');
const BIRTH_DATE = tagOf('PatientBirthDate');
const POSTCODE = /\b(\d{4}) ?([A-Z]{2})\b/g;

export function isEverydayWord(word: string): boolean {
  return everyday.has(word) || isDescriptionWord(word);
}

interface NamingValue {
  readonly tag: number;
  readonly value: Uint8Array;
  /** The dataset or item that it stands in. */
  readonly around: DicomDataset;
}
/** The last header of a job: the slices of a series name the same people. */
interface LastHeader {
  readonly values: readonly NamingValue[];
  readonly known: KnownIdentifiers;
}
const lastHeaders = new WeakMap<object, LastHeader>();

/**
 * Everything of this header, at any depth, that names the patient, or somebody beside. The same
 * object again for the same values in the same order. Throws TooManyIdentifiers.
 */
export function knownIdentifiersOf(
  input: DicomDataset,
  context: Pick<DeidentificationContext, 'placeholderBirthDates'> = {},
): KnownIdentifiers {
  const values = namingValuesOf(input);
  const last = lastHeaders.get(context);
  if (last && areSame(last.values, values)) return last.known;
  const found: Collected = {
    ...{ words: new Set(), phrases: new Set(), pieces: new Set() },
    ...{ shortNames: new Set(), numbers: new Set() },
    sitePlaceholders: context.placeholderBirthDates ?? [],
  };
  for (const one of values) collect(one, found);
  const pieces = [...found.pieces].map((piece) => piece.slice(0, PIECE_MAX));
  const known = { ...found, phrases: [...found.phrases], pieces };
  lastHeaders.set(context, { values, known });
  return known;
}

function namingValuesOf(input: DicomDataset): NamingValue[] {
  const values: NamingValue[] = [];
  // A list instead of recursion: a stranger chooses how deep it goes.
  const datasets: DicomDataset[] = [input];
  for (let around = datasets.pop(); around; around = datasets.pop()) {
    for (const { tag, value } of around) {
      if (!(value instanceof Uint8Array)) for (const item of value) datasets.push(item);
      else if (value.length > 0 && adders.has(tag)) values.push({ tag, value, around });
    }
  }
  return values;
}

function areSame(ones: readonly NamingValue[], others: readonly NamingValue[]): boolean {
  const isSame = (one: NamingValue, other: NamingValue): boolean =>
    one.tag === other.tag &&
    haveSameBytes(one.value, other.value) &&
    one.around.characterSets.join('\\') === other.around.characterSets.join('\\') &&
    one.around.get(one.tag)!.vr === other.around.get(other.tag)!.vr;
  return ones.length === others.length && ones.every((one, i) => isSame(one, others[i]!));
}

function isOverfull({ words, phrases, pieces, shortNames, numbers }: Collected): boolean {
  const all = words.size + phrases.size + pieces.size + shortNames.size + numbers.size;
  return all > IDENTIFIERS_MAX || phrases.size > PHRASES_MAX;
}

type Adder = (text: string, found: Collected) => void;

/** What is to be looked for of an attribute; one that is not here names nobody. */
const adders: ReadonlyMap<number, Adder> = new Map<number, Adder>([
  ...tagsOf('PN').map((tag) => [tag, addName] as const),
  ...[...NUMBERS, SERIAL].map((tag) => [tag, addNumber] as const),
  ...[...ADDRESSES].map((tag) => [tag, addAddress] as const),
  ...[...INSTITUTIONS].map((tag) => [tag, addInstitution] as const),
  ...[[BIRTH_DATE, addBirthDate] as const, [PHONES, addPhone] as const],
]);

/** Throws TooManyIdentifiers. */
function collect({ tag, value, around }: NamingValue, found: Collected): void {
  const add = adders.get(tag)!;
  for (const text of textsOf(tag, value, around)) add(text, found);
  if (isOverfull(found)) throw new TooManyIdentifiers();
}

function textsOf(tag: number, value: Uint8Array, around: DicomDataset): string[] {
  let texts: string[];
  try {
    texts = around.strings(tag);
  } catch {
    // Not kept, so no reason to refuse; what is readable of it is looked for all the same.
    texts = Buffer.from(value).toString('latin1').split('\\');
  }
  return texts.slice(0, VALUES_MAX).map((text) => text.slice(0, TEXT_MAX));
}

/** Family, given and middle name; prefix and suffix are titles (PS3.5 6.2.1). */
function addName(name: string, found: Collected): void {
  for (const group of name.split('=')) {
    addSpelling(group, found);
    // Müller is also written Mueller.
    const other = spelledOut(group);
    if (other !== group) addSpelling(other, found);
  }
}

function addSpelling(group: string, found: Collected): void {
  const parts = group.split('^').slice(0, 3).map(tokensOf);
  for (const token of parts.flat()) addWord(token, found);
  for (const token of parts[0] ?? []) {
    const isName = token.length === SHORT_NAME && !PARTICLES.has(token) && !/^\d+$/.test(token);
    if (isName && !isEverydayWord(token)) found.shortNames.add(nameFolded(token));
  }
  const [family = [], given = []] = parts.map((tokens) => tokens.map(nameFolded).join(''));
  for (const whole of [`${family}${given}`, `${given}${family}`]) {
    if (whole.length >= PIECE_MIN && family.length > 0 && given.length > 0) {
      found.pieces.add(whole);
    }
  }
}

function addWord(token: string, found: Collected): void {
  if (token.length < WORD_MIN || isEverydayWord(token) || /^\d+$/.test(token)) return;
  const word = nameFolded(token);
  found.words.add(word);
  if (word.length >= PIECE_MIN) found.pieces.add(word);
  const other = withoutUmlaut(word);
  if (other.length > WORD_MIN && !isEverydayWord(other)) found.words.add(other);
}

/** The whole name anywhere, and what is long enough in it to be its own. */
function addInstitution(name: string, found: Collected): void {
  const tokens = tokensOf(name);
  if (tokens.every(isEverydayWord)) return;
  const whole = tokens.map(nameFolded).join('');
  if (whole.length >= PIECE_MIN) found.pieces.add(whole);
  for (const token of tokens) {
    if (token.length >= INSTITUTION_WORD_MIN && !isGenericWord(token)) addWord(token, found);
  }
}
const isGenericWord = (word: string): boolean => institutionWords.has(word);

function addNumber(number: string, found: Collected): void {
  const tokens = tokensOf(number).map(nameFolded);
  const whole = tokens.join('');
  if (isEverydayWord(whole)) return;
  const isDigits = /^\d+$/.test(whole);
  if (whole.length >= PIECE_MIN) found.pieces.add(whole);
  // Five digits alone are a number of somebody; four are a year or a version.
  else if (whole.length >= (isDigits ? DIGITS_MIN : WORD_MIN)) {
    found.phrases.add(` ${tokens.join(' ')} `);
  }
  if (!isDigits) return;
  const bare = bareDigits(whole);
  if (bare.length >= PIECE_MIN) found.pieces.add(bare);
  addDigits(bare, found);
}

function addDigits(bare: string, found: Collected): void {
  if (bare.length >= DIGITS_MIN) found.numbers.add(bare);
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
  if (digits.length < 8) return;
  found.pieces.add(digits.slice(-8));
  const national = digits.replace(/^(0031|31)?0?/, '');
  for (const written of [digits, national, `31${national}`]) {
    addDigits(bareDigits(written), found);
  }
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
  for (const digits of [year + mm + dd, dd + mm + year, mm + dd + year]) {
    found.pieces.add(digits);
    addDigits(bareDigits(digits), found);
  }
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
  for (const order of [
    [dd, mm, yy],
    [day, month, yy],
    [yy, mm, dd],
    [yy, month, day],
  ]) {
    found.phrases.add(` ${order.join(' ')} `);
  }
  for (const name of MONTHS[birth.month - 1]!) {
    for (const written of [day + name + year, name + day + year, name + dd + year]) {
      found.pieces.add(written);
    }
    for (const [first, last] of [
      [day, yy],
      [dd, yy],
    ] as const) {
      found.phrases.add(` ${first} ${name} ${last} `);
      found.words.add(`${first}${name}${last}`);
    }
  }
}
