/**
 * Coded items: a code, its scheme and its meaning.
 * Decides that a code leaves only in a form of its scheme (SNOMED CT: its check digit), and that a
 * meaning leaves only when all its words are listed: it is free text in practice, and the name of
 * somebody who is not in the header cannot be known. A meaning that is not listed becomes the code
 * itself, which says no less to a reader of codes; a code of no known scheme becomes a dummy of
 * ours, because a sequence may have to have an item.
 * Invariant: words are never taken out of a meaning, as that may turn it round.
 * Source: PS3.3 8.1-8.3 (Code Meaning is no key); PS3.16 8 (coding schemes).
 */
import { DicomDataset, tagOf, unpadded, type DicomElement } from '@aifi/dicom-core';
import { CODE_MEANING_WORDS } from './code-meaning-words.table.js';
import { isSnomedIdentifier } from './identifier-sweep.js';
import { tokensOf } from './normalised-text.js';
import { isDescriptionWord } from './vocabulary.js';

const SRT = /^[A-Z]\d?-[0-9A-F]{4,6}$/;
const matches = (pattern: RegExp) => (code: string) => pattern.test(code);
const SCHEMES: ReadonlyMap<string, (code: string) => boolean> = new Map([
  ['SCT', (code: string) => isSnomedIdentifier(code) || SRT.test(code)],
  ...['SRT', 'SNM3', '99SDM'].map((name) => [name, matches(SRT)] as const),
  ['DCM', matches(/^(\d{6}|[A-Z]{2,8})$/)],
  ['LN', matches(/^\d{1,5}-\d$/)],
  ['UCUM', matches(/^[A-Za-z0-9%[\]{}/.*^'()_+-]{1,16}$/)],
  ['FMA', matches(/^\d{4,6}$/)],
  ['RADLEX', matches(/^RID\d{1,6}$/)],
  ['NCIt', matches(/^C\d{3,7}$/)],
  ['UMLS', matches(/^C\d{7}$/)],
  ['MDC', matches(/^\d{1,6}$/)],
]);
/** Version 1.4, 20020904, 2016-09. */
const VERSION = /^(v?\d{1,4}([.-]\d{1,3}){0,3}|(19|20)\d{6}|_?DICOM)$/i;
const [CODE, SCHEME, VERSION_TAG, MEANING] = [
  ...['CodeValue', 'CodingSchemeDesignator', 'CodingSchemeVersion', 'CodeMeaning'],
].map(tagOf) as [number, number, number, number];
const PARTS = [CODE, SCHEME, VERSION_TAG, MEANING];
const MEANING_MAX = 64;
const NO_CODE = { value: 'REMOVED', scheme: '99AIFI', meaning: 'removed' } as const;
const meaningWords: ReadonlySet<string> = new Set(CODE_MEANING_WORDS.trim().split(/\s+/));

export function isPartOfCode(tag: number): boolean {
  return PARTS.includes(tag);
}

/** Leaves of an item of a sequence only what is a code; other items stay as they are. */
export function cleanCodedItem(item: DicomDataset): DicomDataset {
  if (!PARTS.some((tag) => item.has(tag))) return item;
  const [value = '', ...moreValues] = textsOf(item, CODE);
  const [scheme = '', ...moreSchemes] = textsOf(item, SCHEME);
  // An item of a code sequence that a device left empty stays empty.
  if (value === '' && scheme === '' && textsOf(item, MEANING).length === 0) return item;
  const isCode = moreValues.length + moreSchemes.length === 0 && SCHEMES.get(scheme)?.(value);
  if (isCode !== true) return dummyOf(item);
  const versions = textsOf(item, VERSION_TAG);
  if (versions.length > 1 || !versions.every((text) => VERSION.test(text))) {
    item.delete(VERSION_TAG);
  }
  if (!isListed(textsOf(item, MEANING), value)) item.setString(MEANING, value);
  return item;
}

/** Items of an output are UTF-8, and only its root says so. */
function textsOf(item: DicomDataset, tag: number): string[] {
  const text = unpadded(Buffer.from(item.bytes(tag) ?? []).toString('utf8'));
  return text === '' ? [] : text.split('\\');
}

/** Made once: a stranger may send any number of them. */
const DUMMY: readonly DicomElement[] = [
  ...new DicomDataset()
    .setString(CODE, NO_CODE.value)
    .setString(SCHEME, NO_CODE.scheme)
    .setString(MEANING, NO_CODE.meaning),
];
function dummyOf(item: DicomDataset): DicomDataset {
  item.delete(VERSION_TAG);
  for (const element of DUMMY) item.put(element);
  return item;
}

function isListed(meanings: readonly string[], code: string): boolean {
  if (meanings.length === 0) return true;
  const [meaning = ''] = meanings;
  if (meanings.length > 1 || meaning.length > MEANING_MAX) return false;
  return meaning === code || tokensOf(meaning).every(isMeaningWord);
}
const isMeaningWord = (word: string): boolean =>
  meaningWords.has(word) || isDescriptionWord(word) || /^\d{1,2}$/.test(word);
