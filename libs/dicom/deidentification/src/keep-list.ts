/**
 * Keep-lists: per SOP class, which attributes survive and how.
 * Decides the action of every attribute that may leave; everything that is not listed is removed,
 * whatever it is (unknown, private, retired, new in the standard). A product's contract narrows the
 * list: what it does not ask for goes, and dates go when it wants none.
 * Invariants: default deny; a SOP class without a list is refused; the same table holds at every
 * depth of a sequence. The conformance statement reads this same table.
 * Source: PS3.15 Annex E (Table E.1-1, action codes), pseudonymisation specification 1.1-1.2.
 */
import type { DeidentificationContract } from '@aifi/contracts-manifests';
import { tagOf, vrOf } from '@aifi/dicom-core';
import * as words from './keep-list.table.js';
import type { Action, Keywords } from './keep-list.table.js';
import { profileCodeOf } from './profile-row.js';

export type { Action } from './keep-list.table.js';
export type KeepList = ReadonlyMap<number, Action>;

export interface ClassFamily {
  /** Heading in the conformance statement. */
  readonly name: string;
  readonly sopClassUids: readonly string[];
  /** Before any contract narrows it. */
  readonly list: KeepList;
  /** Frames with functional groups: some dates have to have a value (PS3.3 C.7.6.16). */
  readonly isEnhanced: boolean;
  /**
   * Pixels of any origin, or with text as a rule: nothing leaves that the pixel gate has not seen.
   */
  readonly needsExamination: boolean;
  /** From its volumes a surface can be rendered: a head shows a face (PS3.15 E.3.2). */
  readonly isVolumetric: boolean;
}

function keepList(...families: readonly Keywords[]): KeepList {
  const list = new Map<number, Action>();
  for (const family of families) {
    for (const [action, keywords] of Object.entries(family)) {
      for (const keyword of keywords.trim().split(/\s+/))
        list.set(tagOf(keyword), action as Action);
    }
  }
  return list;
}

// PS3.4 B.5: arcs below this root.
const storage = (...arcs: readonly string[]): string[] =>
  arcs.map((arc) => `1.2.840.10008.5.1.4.1.1.${arc}`);
const PLAIN = { isEnhanced: false, needsExamination: false, isVolumetric: false };
const { COMMON, FRAMES, PALETTE, SHUTTER } = words;

export const CLASS_FAMILIES: readonly ClassFamily[] = [
  {
    ...{ ...PLAIN, name: 'MR', sopClassUids: storage('4'), isVolumetric: true },
    list: keepList(COMMON, words.MAGNETIC_RESONANCE),
  },
  {
    ...{ ...PLAIN, name: 'CT', sopClassUids: storage('2'), isVolumetric: true },
    list: keepList(COMMON, words.COMPUTED_TOMOGRAPHY),
  },
  {
    ...{ ...PLAIN, name: 'CR, DX', sopClassUids: storage('1', '1.1', '1.1.1') },
    list: keepList(COMMON, SHUTTER, words.RADIOGRAPHY),
  },
  {
    ...{ ...PLAIN, name: 'MG', sopClassUids: storage('1.2', '1.2.1') },
    list: keepList(COMMON, SHUTTER, words.RADIOGRAPHY, words.MAMMOGRAPHY),
  },
  {
    ...{ ...PLAIN, name: 'Enhanced CT', sopClassUids: storage('2.1') },
    ...{ isEnhanced: true, isVolumetric: true },
    list: keepList(COMMON, PALETTE, words.ENHANCED, words.ENHANCED_COMPUTED_TOMOGRAPHY),
  },
  {
    ...{ ...PLAIN, name: 'Enhanced MR', sopClassUids: storage('4.1') },
    ...{ isEnhanced: true, isVolumetric: true },
    list: keepList(COMMON, PALETTE, words.ENHANCED, words.ENHANCED_MAGNETIC_RESONANCE),
  },
  {
    ...{ ...PLAIN, name: 'US', sopClassUids: storage('6.1', '3.1'), needsExamination: true },
    list: keepList(COMMON, PALETTE, FRAMES, SHUTTER, words.ULTRASOUND),
  },
  {
    ...{ ...PLAIN, name: 'XA, RF', sopClassUids: storage('12.1', '12.2'), needsExamination: true },
    list: keepList(COMMON, FRAMES, SHUTTER, words.FLUOROSCOPY),
  },
  {
    ...{ ...PLAIN, name: 'SC', sopClassUids: storage('7', '7.1', '7.2', '7.3', '7.4') },
    needsExamination: true,
    list: keepList(COMMON, PALETTE, FRAMES, words.SECONDARY_CAPTURE),
  },
];

const familyBySopClass: ReadonlyMap<string, ClassFamily> = new Map(
  CLASS_FAMILIES.flatMap((family) => family.sopClassUids.map((uid) => [uid, family] as const)),
);

/** Undefined: nothing of this SOP class may leave. */
export function familyOf(sopClassUid: string): ClassFamily | undefined {
  return familyBySopClass.get(sopClassUid);
}

/** SOP class → keep-list before any contract narrows it. */
export const KEEP_LISTS: ReadonlyMap<string, KeepList> = new Map(
  [...familyBySopClass].map(([uid, { list }]) => [uid, list]),
);

/** What a contract has to ask for, by its word. */
export const CHARACTERISTICS: readonly (readonly [string, number])[] = [
  ['age', tagOf('PatientAge')],
  ['sex', tagOf('PatientSex')],
  ['size', tagOf('PatientSize')],
  ['weight', tagOf('PatientWeight')],
  ['pregnancy', tagOf('PregnancyStatus')],
];
/** Type 2: stays, without a value (PS3.3 C.7.1.1). */
const PATIENT_SEX = tagOf('PatientSex');
/** Type 1 or 1C in objects with functional groups. */
const DATES_OF_ENHANCED: ReadonlySet<number> = new Set(
  [
    ...['ContentDate', 'ContentTime', 'AcquisitionDateTime'],
    ...['FrameAcquisitionDateTime', 'FrameReferenceDateTime'],
  ].map(tagOf),
);
const DATE_VRS: ReadonlySet<string> = new Set(['DA', 'DT', 'TM']);

const narrowedLists = new WeakMap<ClassFamily, Map<string, KeepList>>();

/** The list of a family as this contract narrows it. */
export function keepListOf(family: ClassFamily, contract: DeidentificationContract): KeepList {
  const key = [...contract.retain].sort().join(' ') + contract.dates;
  const lists = narrowedLists.get(family) ?? new Map<string, KeepList>();
  narrowedLists.set(family, lists);
  const known = lists.get(key);
  if (known) return known;
  const list = narrowed(family, contract);
  lists.set(key, list);
  return list;
}

function narrowed(family: ClassFamily, { retain, dates }: DeidentificationContract): KeepList {
  const list = new Map(family.list);
  for (const [word, tag] of CHARACTERISTICS) {
    if ((retain as readonly string[]).includes(word)) continue;
    if (tag === PATIENT_SEX) list.set(tag, 'Z');
    else list.delete(tag);
  }
  if (dates === 'shift') return list;
  for (const [tag, action] of family.list) {
    if (!DATE_VRS.has(vrOf(tag)) || action === 'Z') continue;
    const code = profileCodeOf(tag);
    if (family.isEnhanced && DATES_OF_ENHANCED.has(tag)) list.set(tag, 'D');
    else if (code.startsWith('Z')) list.set(tag, 'Z');
    else list.delete(tag);
  }
  return list;
}
