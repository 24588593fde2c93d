/**
 * Identifier sweep: is anything that identifies left in what is kept?
 * Decides by searching every kept text value, after cleaning, for social security numbers (BSN,
 * eleven test) and for the known identifiers of this very patient. UIDs and dates are exempt:
 * they are remapped or shifted. Of numbers (DS, IS) only whole ones that are known count, as the
 * eleven test would hold every eleventh. A hit names the attribute, never the value.
 * Invariants: bounded time, whatever a sender writes; no value is told to anybody.
 * Source: pseudonymisation specification 1.3; BSN eleven test: Wet algemene bepalingen
 * burgerservicenummer; SNOMED CT identifiers: Verhoeff check digit.
 */
import { AifiError } from '@aifi/shared-kernel';
import { tagOf } from '@aifi/dicom-core';
import type { KnownIdentifiers } from './known-identifiers.js';
import { nameFolded, tokensOf } from './normalised-text.js';
import { bareDigits } from './number-texts.js';

/** What this refuses with; the words are fixed but for the number of the attribute. */
export class IdentifierFound extends Error {
  constructor(readonly tag: number) {
    super('an identifier in a kept attribute');
  }
}

/** Of one header, all values together; a whole kept header has a few thousand. @unit characters */
const TEXT_MAX = 65_536;
/** No kept attribute is longer by its VR (LO 64) than this many times over. @unit characters */
const VALUE_MAX = 4_096;

interface Form {
  readonly tokens: readonly string[];
  readonly spaced: string;
  readonly squashed: string;
  readonly numbers: 'none' | 'contiguous' | 'separated';
  /** Whole runs of digits without zeros before them. */
  readonly runs: readonly string[];
}
/** Kept values are the same in all slices of a series. Bounded: what is full starts anew. */
const forms = new Map<string, Form>();
const FORMS_MAX = 2_000;
const DIGITS = /\d{5,}/g;
/** More of them are looked for by their first characters: linear in the text. */
const PIECES_BY_ONE_MAX = 128;
const PIECE_HEAD = 6;
/** Integers that count images; any other number is a measure, of which five digits may be equal. */
const COUNTERS: ReadonlySet<number> = new Set(
  ['SeriesNumber', 'AcquisitionNumber', 'InstanceNumber', 'ImagesInAcquisition'].map(tagOf),
);
const MEASURE_DIGITS_MIN = 7;

function formOf(text: string): Form {
  const known = forms.get(text);
  if (known) return known;
  const tokens = tokensOf(text).map(nameFolded);
  const form: Form = {
    tokens,
    spaced: ` ${tokens.join(' ')} `,
    squashed: tokens.join(''),
    numbers: numbersIn(text),
    runs: (text.normalize('NFKC').match(DIGITS) ?? []).map(bareDigits),
  };
  if (forms.size >= FORMS_MAX) forms.clear();
  forms.set(text, form);
  return form;
}

/** A dotted version may be eight digits by chance; a BSN has groups of two digits or more. */
const VERSION_TAGS: ReadonlySet<number> = new Set([tagOf('SoftwareVersions')]);
const CODE_VALUE = tagOf('CodeValue');

/** Texts in which nothing was found. Bounded: what is full starts anew. */
const passed = new WeakMap<KnownIdentifiers, Set<string>>();

function passedOf(known: KnownIdentifiers): Set<string> {
  let texts = passed.get(known);
  if (!texts) passed.set(known, (texts = new Set()));
  if (texts.size >= FORMS_MAX) texts.clear();
  return texts;
}

export class IdentifierSweep {
  readonly #seen = new Set<string>();
  readonly #passed: Set<string>;
  #length = 0;
  #heads: Map<string, Sharing> | undefined;

  constructor(private readonly known: KnownIdentifiers) {
    this.#passed = passedOf(known);
  }

  /** Throws IdentifierFound. */
  check(text: string, tag: number): void {
    if (text.length < 3) return;
    // The same words in another attribute are judged alike, but for codes and versions.
    const isSpecial = tag === CODE_VALUE || VERSION_TAGS.has(tag);
    const key = isSpecial ? `${tag} ${text}` : text;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#length += text.length;
    if (text.length > VALUE_MAX || this.#length > TEXT_MAX) {
      throw new AifiError('DICOM_MALFORMED', 'more text than a kept attribute can hold');
    }
    if (!isSpecial && this.#passed.has(text)) return;
    const form = formOf(text);
    if (hasNumber(form, text, tag) || this.#isKnown(form)) throw new IdentifierFound(tag);
    if (!isSpecial) this.#passed.add(text);
  }

  /** Whether a whole number (DS, IS) is one of this patient. */
  isKnownNumber(text: string, tag: number): boolean {
    const bare = bareDigits(text);
    const isLong = COUNTERS.has(tag) || bare.length >= MEASURE_DIGITS_MIN;
    return isLong && this.known.numbers.has(bare);
  }

  #isKnown({ tokens, spaced, squashed, runs }: Form): boolean {
    const { words, phrases, shortNames, numbers } = this.known;
    return (
      tokens.some((token) => words.has(token)) ||
      (tokens.length > 1 && tokens.some((token) => shortNames.has(token))) ||
      runs.some((run) => numbers.has(run)) ||
      phrases.some((phrase) => spaced.includes(phrase)) ||
      this.#hasPiece(squashed)
    );
  }

  #hasPiece(squashed: string): boolean {
    const { pieces } = this.known;
    if (pieces.length <= PIECES_BY_ONE_MAX) return pieces.some((piece) => squashed.includes(piece));
    this.#heads ??= headsOf(pieces);
    for (let at = 0; at + PIECE_HEAD <= squashed.length; at += 1) {
      const sharing = this.#heads.get(squashed.slice(at, at + PIECE_HEAD));
      // By length, not one by one: a stranger may give all of them one beginning.
      for (const length of sharing?.lengths ?? []) {
        if (sharing!.pieces.has(squashed.slice(at, at + length))) return true;
      }
    }
    return false;
  }
}

interface Sharing {
  readonly pieces: Set<string>;
  readonly lengths: Set<number>;
}
function headsOf(pieces: readonly string[]): Map<string, Sharing> {
  const heads = new Map<string, Sharing>();
  for (const piece of pieces) {
    const head = piece.slice(0, PIECE_HEAD);
    const sharing = heads.get(head) ?? { pieces: new Set(), lengths: new Set() };
    heads.set(head, sharing);
    sharing.pieces.add(piece);
    sharing.lengths.add(piece.length);
  }
  return heads;
}

function hasNumber({ numbers }: Form, text: string, tag: number): boolean {
  if (numbers === 'none') return false;
  if (tag === CODE_VALUE && isSnomedIdentifier(text)) return false;
  return numbers === 'contiguous' || !VERSION_TAGS.has(tag);
}

/** Digits with at most two separators between any two. */
const RUN = /\d(?:[ .\-/]{0,2}\d)+/g;
/** Dashes of other scripts, low lines; format characters are nothing at all. */
const OTHER_DASHES = /[\p{Pd}\u2212\u00ad_]/gu;
const INVISIBLE = /\p{Cf}/gu;
/** As people write a BSN in groups: 123456782, 123 456 782, 1234.56.782. */
const GROUPED = /^(?:\d{8,9}|0+\d{9}|\d{3} \d{3} \d{3}|\d{4} \d{2} \d{3})$/;
const GROUPS_MAX = 3;

/** Whether a text holds eight or nine digits, no more, that pass the eleven test. */
function numbersIn(text: string): Form['numbers'] {
  let found: Form['numbers'] = 'none';
  // Digits of other scripts and full-width ones count as what they are.
  const plain = text.normalize('NFKC').replace(OTHER_DASHES, '-').replace(INVISIBLE, '');
  for (const [run] of plain.matchAll(RUN)) {
    const groups = run.split(/[ .\-/]+/);
    if (hasGroupedNumber(groups)) return 'contiguous';
    if (isSocialNumber(groups.join(''))) found = 'separated';
  }
  return found;
}

/** "12345678 2 mm", "123 456 782 03": also the parts of a run, in groups as people write. */
function hasGroupedNumber(groups: readonly string[]): boolean {
  for (let from = 0; from < groups.length; from += 1) {
    for (let count = 1; count <= GROUPS_MAX && from + count <= groups.length; count += 1) {
      const part = groups.slice(from, from + count);
      if (GROUPED.test(part.join(' ')) && isSocialNumber(part.join(''))) return true;
    }
  }
  return false;
}

/** A number that was filled up with zeros has more than nine digits. */
function isSocialNumber(digits: string): boolean {
  const bare = digits.replace(/^0+/, '');
  return passesElevenTest(digits.length > 9 ? bare : digits);
}

/** Eight digits have a zero before them; the number of nothing but zeros belongs to nobody. */
export function passesElevenTest(digits: string): boolean {
  if (!/^\d{8,9}$/.test(digits)) return false;
  const nine = digits.padStart(9, '0');
  let sum = -Number(nine[8]);
  for (let i = 0; i < 8; i += 1) sum += (9 - i) * Number(nine[i]);
  return sum % 11 === 0 && !/^0+$/.test(nine);
}

// Verhoeff's tables: multiplication in the dihedral group D5, and the permutation by position.
const TIMES = [
  ...['0123456789', '1234067895', '2340178956', '3401289567', '4012395678'],
  ...['5987604321', '6598710432', '7659821043', '8765932104', '9876543210'],
];
const PERMUTED = [
  ...['0123456789', '1576283094', '5803796142', '8916043527'],
  ...['9453126870', '4286573901', '2793806415', '7046913258'],
];

/** A SNOMED CT identifier is eight or nine digits by right: its own check digit tells. */
export function isSnomedIdentifier(text: string): boolean {
  if (!/^\d{6,18}$/.test(text)) return false;
  let check = 0;
  [...text].reverse().forEach((digit, i) => {
    check = Number(TIMES[check]![Number(PERMUTED[i % 8]![Number(digit)])]);
  });
  return check === 0;
}
