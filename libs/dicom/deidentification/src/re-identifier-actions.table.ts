/**
 * What the re-identifier does with an attribute of a result, at its top level.
 * Decides only the words: which attributes a line speaks of is taken from the lists that the
 * gateway's re-identification runs by, and its tests hold a re-identified report against these
 * lines. The first line that fits holds.
 * Source: PS3.2 N.8.4.4 (re-identifier column); results specification 4.1.1, 4.1.2; PS3.15 E.1.2.
 */
import { keywordOf, tagOf, vrOf } from '@aifi/dicom-core';
import {
  DEIDENTIFICATION_TAGS,
  DEIDENTIFYING_EQUIPMENT,
  IDENTITY_KEYWORDS,
  LAST_TAG_OF_A_RESULT,
  MADE_DATES,
  MADE_PAIRS,
  PATIENT_GROUP,
  SOURCE_DATES,
} from './result-origins.table.js';

export interface ReIdentifierAction {
  /** Of which attributes, in words. */
  readonly attributes: string;
  readonly fits: (tag: number) => boolean;
  readonly action:
    | 'restored'
    | 'removed'
    | 'item removed'
    | 'mapped back'
    | 'un-shifted'
    | 'told in the zone of the images'
    | 'refused'
    | 'kept';
  readonly words: string;
}

const TIMEZONE = tagOf('TimezoneOffsetFromUTC');
const identityTags: ReadonlySet<number> = new Set(IDENTITY_KEYWORDS.map(tagOf));
const zoned: ReadonlySet<number> = new Set([...MADE_PAIRS.flat().map(tagOf), TIMEZONE]);
const isDate = (tag: number): boolean => ['DA', 'DT'].includes(vrOf(tag));
const named = (tags: Iterable<number>): string => [...tags].map(keywordOf).join(', ');
const hexOf = (value: number, width: number): string =>
  value.toString(16).toUpperCase().padStart(width, '0');

export const RE_IDENTIFIER_ACTIONS: readonly ReIdentifierAction[] = [
  {
    attributes: IDENTITY_KEYWORDS.join(', '),
    fits: (tag) => identityTags.has(tag),
    action: 'restored',
    words:
      'from the current identity, byte-equal to the original; absent there: absent here, or empty where type 2',
  },
  {
    attributes: named(DEIDENTIFICATION_TAGS),
    fits: (tag) => DEIDENTIFICATION_TAGS.includes(tag),
    action: 'removed',
    words: 'markers of de-identification: a result is a clinical object',
  },
  {
    attributes: 'ContributingEquipmentSequence',
    fits: (tag) => keywordOf(tag) === 'ContributingEquipmentSequence',
    action: 'item removed',
    words: `the item with purpose ${DEIDENTIFYING_EQUIPMENT} (De-identifying Equipment) goes, the others stay`,
  },
  {
    attributes: `all others of group ${hexOf(PATIENT_GROUP, 4)}`,
    fits: (tag) => tag >>> 16 === PATIENT_GROUP,
    action: 'removed',
    words: 'no patient attribute of the hub survives',
  },
  {
    attributes: `after (${hexOf(LAST_TAG_OF_A_RESULT >>> 16, 4)},${hexOf(LAST_TAG_OF_A_RESULT & 0xffff, 4)})`,
    fits: (tag) => tag > LAST_TAG_OF_A_RESULT,
    action: 'removed',
    words: 'padding, or a signature that no longer holds',
  },
  {
    attributes: 'VR UI',
    fits: (tag) => vrOf(tag) === 'UI',
    action: 'mapped back',
    words:
      'by the vault; as it is when of the standard or of a device; derived again when minted and listed by the hub; any other refuses the result',
  },
  {
    attributes: named(zoned),
    fits: (tag) => zoned.has(tag),
    action: 'told in the zone of the images',
    words: 'made with the result, so never un-shifted; as made where the result declares no zone',
  },
  {
    attributes: named([...MADE_DATES].filter((tag) => !zoned.has(tag))),
    fits: (tag) => MADE_DATES.has(tag),
    action: 'kept',
    words: 'made with the result, so never un-shifted',
  },
  {
    attributes: `${named(SOURCE_DATES)} (StudyDate below the top level)`,
    fits: (tag) => SOURCE_DATES.has(tag),
    action: 'un-shifted',
    words: 'of the images: by the offset of the patient; empty when that cannot be told',
  },
  {
    attributes: 'any other of VR DA or DT with a value',
    fits: isDate,
    action: 'refused',
    words: 'a date of unknown origin: the result is not believed (OUTPUT_INVALID)',
  },
  {
    attributes: 'any other of VR TM',
    fits: (tag) => vrOf(tag) === 'TM',
    action: 'kept',
    words: 'dates are shifted by whole days',
  },
  { attributes: 'all others', fits: () => true, action: 'kept', words: 'as the hub wrote it' },
];
