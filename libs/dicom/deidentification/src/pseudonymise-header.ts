/**
 * The pseudonymisation engine: a dataset in, a dataset without identity out.
 * Decides who the patient becomes and what the whole object says of itself; attribute by attribute
 * `attribute-walk.ts` decides. Builds a new dataset instead of editing the old one, so that what
 * nobody decided cannot survive.
 * Invariants: pure and deterministic; never throws for what a sender may send; no value of the
 * dataset in a refusal. Source: PS3.15 E.1.1; pseudonymisation specification 1.2.
 */
import { keywordOf, tagOf, type DicomDataset } from '@aifi/dicom-core';
import { AifiError, ok, refuse, type OriginalUid, type Result } from '@aifi/shared-kernel';
import type { PseudonymousUid } from '@aifi/shared-kernel';
import type { ActionReport } from './action-report.js';
import { memoOf } from './attribute-memo.js';
import { cleanedDataset, type Walk } from './attribute-walk.js';
import {
  contractOf,
  NOT_EXAMINED,
  type DeidentificationContext,
  type PixelClearance,
  type UidMap,
} from './deidentification-context.js';
import * as derive from './derivations.js';
import { IdentifierFound, IdentifierSweep } from './identifier-sweep.js';
import { familyOf, keepListOf } from './keep-list.js';
import { knownIdentifiersOf, TooManyIdentifiers } from './known-identifiers.js';
import { addMarkers } from './markers.js';
import { ageOf } from './patient-age.js';
import { featureRefusalOf, refusalOf } from './refusals.js';
import { hasRecognisableFeatures } from './visual-features.js';

export type { ActionReport, ReportedAction } from './action-report.js';

export interface PseudonymisedHeader {
  /** All attributes of the output but the pixel data; text is ISO_IR 192. */
  readonly dataset: DicomDataset;
  readonly uids: UidMap;
}

/** They describe the received pixel data; new ones have their own or none. */
const OF_RECEIVED_PIXELS = ['SmallestImagePixelValue', 'LargestImagePixelValue'].map(tagOf);
const EMPTY_IN_ALL = ['PatientBirthDate', 'AccessionNumber', 'ReferringPhysicianName'].map(tagOf);

/**
 * Pseudonymises the header of one instance. `report` is told what was done with every attribute.
 * Refuses QUARANTINED_IDENTIFIER or QUARANTINED_PIXELS.
 */
export function pseudonymiseHeader(
  dataset: DicomDataset,
  context: DeidentificationContext,
  clearance: PixelClearance = NOT_EXAMINED,
  report?: ActionReport,
): Result<PseudonymisedHeader> {
  try {
    return pseudonymised(dataset, context, clearance, report);
  } catch (error) {
    if (error instanceof IdentifierFound) {
      const where = keywordOf(error.tag);
      return refuse('QUARANTINED_IDENTIFIER', `an identifier in ${where} ${tagText(error.tag)}`);
    }
    if (error instanceof TooManyIdentifiers) {
      return refuse('QUARANTINED_IDENTIFIER', 'more names and numbers than can be looked for');
    }
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return refuse('QUARANTINED_IDENTIFIER', 'a kept attribute does not decode');
  }
}

const tagText = (tag: number): string => {
  const hex = tag.toString(16).toUpperCase().padStart(8, '0');
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
};

function pseudonymised(
  input: DicomDataset,
  context: DeidentificationContext,
  clearance: PixelClearance,
  report: ActionReport | undefined,
): Result<PseudonymisedHeader> {
  const contract = contractOf(context);
  const family = familyOf(input.string('SOPClassUID') ?? '');
  const refusal = refusalOf(input, family, clearance, context);
  if (refusal || !family) return refusal!;
  const featureRefusal = featureRefusalOf(input, family, contract);
  if (featureRefusal) return featureRefusal;

  const patient = derive.patientKey(input)!;
  const uids = new Map<PseudonymousUid, OriginalUid>();
  const known = knownIdentifiersOf(input, context);
  const basis = {
    list: keepListOf(family, contract),
    offsetDays: derive.dateOffsetDays(patient, context),
    isExamined: clearance.isExamined,
  };
  const characterSets = input.characterSets.join('\\');
  const walk: Walk = {
    ...{ ...basis, context, uids, report },
    age: ageOf(input, context.placeholderBirthDates),
    isEnhanced: family.isEnhanced,
    sweep: new IdentifierSweep(known),
    memo: memoOf(context).on({ ...basis, known, characterSets }),
  };
  const output = cleanedDataset(input, walk, []);
  completePatientAndStudy(output, input, walk);
  dropDanglingPointer(output);
  applyClearance(output, { input, context, clearance, uids });
  const isCleaned = clearance.cleaned !== undefined;
  const { isExamined } = clearance;
  const hasFeatures = hasRecognisableFeatures(input, family);
  addMarkers(output, { contract, isCleaned, isExamined, hasFeatures });
  return ok({ dataset: output, uids });
}

const PATIENT_AGE = tagOf('PatientAge');

/** Attributes that every output has, whether or not the input had them. */
function completePatientAndStudy(
  output: DicomDataset,
  input: DicomDataset,
  { context, list, age }: Walk,
): void {
  const pseudonym = derive.patientPseudonym(derive.patientKey(input)!, context);
  output
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('PatientName', pseudonym)
    .setString('PatientID', pseudonym)
    .setString('StudyID', derive.studyIdPseudonym(input.string('StudyInstanceUID')!, context));
  for (const tag of EMPTY_IN_ALL) output.setString(tag, '');
  if (age !== undefined && list.has(PATIENT_AGE)) output.setString(PATIENT_AGE, age);
}

const FRAME_INCREMENT_POINTER = tagOf('FrameIncrementPointer');

/** A pointer to attributes that did not survive points nowhere (PS3.3 C.7.6.6.1.1). */
function dropDanglingPointer(output: DicomDataset): void {
  const bytes = output.bytes(FRAME_INCREMENT_POINTER);
  if (!bytes) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const tag = view.getUint16(at, true) * 0x10000 + view.getUint16(at + 2, true);
    if (!output.has(tag)) output.delete(FRAME_INCREMENT_POINTER);
  }
}

interface Clearing {
  readonly input: DicomDataset;
  readonly context: DeidentificationContext;
  readonly clearance: PixelClearance;
  readonly uids: Map<PseudonymousUid, OriginalUid>;
}

/** New pixel data have their own description and are another instance (PS3.15 E.3.1). */
function applyClearance(output: DicomDataset, clearing: Clearing): void {
  const { cleaned } = clearing.clearance;
  if (!cleaned) return;
  for (const tag of OF_RECEIVED_PIXELS) output.delete(tag);
  for (const element of cleaned.attributes) output.put(element);
  const original = clearing.input.string('SOPInstanceUID')! as OriginalUid;
  const uid = derive.cleanedInstanceUid(original, cleaned.regionsSha256, clearing.context);
  output.setString('SOPInstanceUID', uid);
  clearing.uids.set(uid, original);
}
