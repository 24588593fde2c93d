/**
 * The markers: what a pseudonymised object has to say about itself, word for word.
 * Decides on presence, values and agreement between them. Invariant: a claim that the gateway never
 * makes (full dates kept, device, institution or UIDs kept) fails.
 * Source: PS3.15 E.1.1, PS3.16 CID 7050, PS3.3 C.7.6.1.1.2; pseudonymisation specification 1.4.
 */
import { tagOf, type DicomDataset } from '@aifi/dicom-core';
import { failed, tagText, type ObjectFinding } from './finding.js';
import { placesOf } from './object-walk.js';

const CODES: ReadonlyMap<string, RegExp> = new Map([
  ['113100', /^Basic Application Confidentiality Profile$/],
  ['113101', /^Clean Pixel Data Option$/],
  ['113105', /^Clean Descriptors Option$/],
  ['113107', /^Retain Longitudinal Temporal Information Modified Dates Option$/],
  ['113108', /^Retain Patient Characteristics Option$/],
  ['113111', /^Retain Safe Private Option$/],
]);
const IDENTITY_REMOVED = tagOf('PatientIdentityRemoved');
const METHOD = tagOf('DeidentificationMethod');
const METHOD_CODES = tagOf('DeidentificationMethodCodeSequence');
const DATES_MODIFIED = tagOf('LongitudinalTemporalInformationModified');
const BURNED_IN = tagOf('BurnedInAnnotation');
const RECOGNISABLE = tagOf('RecognizableVisualFeatures');
const EQUIPMENT = tagOf('ContributingEquipmentSequence');
/** Written by the de-identifier itself: no row of the table applies to what is inside. */
export const EQUIPMENT_TAG = EQUIPMENT;
const EQUIPMENT_PARTS = new Set(
  `Manufacturer ManufacturerModelName SoftwareVersions ContributionDateTime
   PurposeOfReferenceCodeSequence`
    .split(/\s+/)
    .map(tagOf),
);
const MUST_BE_EMPTY = ['PatientBirthDate', 'AccessionNumber', 'ReferringPhysicianName'].map(tagOf);
const HEAD = /^(HEAD|BRAIN|SKULL|FACE|JAW|ORBIT|MAXILLA|MANDIBLE|HEADNECK)$/;

export function claimedCodes(dataset: DicomDataset): Set<string> {
  return new Set(dataset.items(METHOD_CODES).map((item) => item.string('CodeValue') ?? ''));
}

export function* markerFindings(dataset: DicomDataset): Generator<ObjectFinding> {
  if (dataset.strings(IDENTITY_REMOVED).join('\\') !== 'YES') {
    yield failed('marker.identity-removed', tagText(IDENTITY_REMOVED));
  }
  const methods = dataset.strings(METHOD);
  if (methods.length === 0 || methods.some((text) => text === '' || text.length > 64)) {
    yield failed('marker.method', tagText(METHOD));
  }
  if (!areCodesRight(dataset)) yield failed('marker.codes', tagText(METHOD_CODES));
  if (!isTemporalRight(dataset)) yield failed('marker.dates', tagText(DATES_MODIFIED));
  const burnedIn = dataset.strings(BURNED_IN).join('\\');
  const isBurnedInRight = dataset.has(BURNED_IN) ? burnedIn === 'NO' : true;
  if (!isBurnedInRight || (claimedCodes(dataset).has('113101') && burnedIn !== 'NO')) {
    yield failed('marker.burned-in', tagText(BURNED_IN));
  }
  if (!isRecognisableRight(dataset)) yield failed('marker.recognisable', tagText(RECOGNISABLE));
  if (!isEquipmentRight(dataset)) yield failed('marker.equipment', tagText(EQUIPMENT));
  for (const tag of MUST_BE_EMPTY) {
    if (dataset.get(tag)?.value.length !== 0) yield failed('structure.not-empty', tagText(tag));
  }
}

function areCodesRight(dataset: DicomDataset): boolean {
  const items = dataset.items(METHOD_CODES);
  const values = items.map((item) => item.string('CodeValue') ?? '');
  if (!values.includes('113100') || new Set(values).size !== values.length) return false;
  return items.every((item, index) => {
    const meaning = item.string('CodeMeaning') ?? '';
    const isDcm = item.string('CodingSchemeDesignator') === 'DCM';
    return isDcm && item.size === 3 && (CODES.get(values[index]!)?.test(meaning) ?? false);
  });
}

/** MODIFIED goes with the option that modifies; REMOVED allows no date at all. */
function isTemporalRight(dataset: DicomDataset): boolean {
  const value = dataset.strings(DATES_MODIFIED).join('\\');
  if (value === 'MODIFIED') return claimedCodes(dataset).has('113107');
  if (value !== 'REMOVED' || claimedCodes(dataset).has('113107')) return false;
  return [...placesOf(dataset)].every(
    ({ element }) => !/^(DA|DT)$/.test(element.vr) || element.value.length === 0,
  );
}

/** A head in CT or MR shows a face; the attribute is there for everybody. */
function isRecognisableRight(dataset: DicomDataset): boolean {
  const value = dataset.strings(RECOGNISABLE).join('\\');
  const isHead =
    HEAD.test((dataset.string('BodyPartExamined') ?? '').toUpperCase()) &&
    ['CT', 'MR'].includes(dataset.string('Modality') ?? '');
  return isHead ? value === 'YES' : value === 'YES' || value === 'NO';
}

function isEquipmentRight(dataset: DicomDataset): boolean {
  const [item, ...others] = dataset.items(EQUIPMENT);
  if (!item || others.length > 0) return false;
  const [purpose, ...more] = item.items('PurposeOfReferenceCodeSequence');
  return (
    more.length === 0 &&
    purpose?.string('CodeValue') === '109104' &&
    purpose.string('CodingSchemeDesignator') === 'DCM' &&
    purpose.size === 3 &&
    item.string('Manufacturer') !== undefined &&
    item.string('ManufacturerModelName') !== undefined &&
    item.string('SoftwareVersions') !== undefined &&
    [...item].every(({ tag }) => EQUIPMENT_PARTS.has(tag)) &&
    isContributionTimeRight(dataset, item)
  );
}
/** Shifted like everything else: the study date of the output, or nothing. */
function isContributionTimeRight(dataset: DicomDataset, item: DicomDataset): boolean {
  const studyDate = dataset.string('StudyDate');
  const given = item.string('ContributionDateTime');
  if (dataset.string(DATES_MODIFIED) !== 'MODIFIED') return given === undefined;
  return studyDate === undefined ? given === undefined : (given ?? '').startsWith(studyDate);
}
