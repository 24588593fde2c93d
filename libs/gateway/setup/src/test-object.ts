/**
 * Synthetic objects for a C-STORE to the PACS: a structured report and a Secondary Capture.
 * Decides a patient that nobody is (AIFI^TEST) and new UIDs for each run, so that nothing of the
 * PACS can be hit or replaced. Invariants: no value of the hospital is in them; the objects say in
 * plain words that they are a test. Source: PS3.3 A.35.13 (Comprehensive 3D SR), A.8.1 (SC).
 */
import { randomBytes } from 'node:crypto';
import {
  DicomDataset,
  encodeDataset,
  encodingOf,
  EXPLICIT_VR_LITTLE_ENDIAN,
} from '@aifi/dicom-core';
import type { StoreObject } from '@aifi/dicom-dimse';
import { COMPREHENSIVE_3D_SR, SECONDARY_CAPTURE } from '@aifi/dicom-evidence';
import { uidFromBytes } from '@aifi/shared-kernel';

export const TEST_PATIENT_ID = 'AIFI-TEST';
/** Pixels of the picture in each direction: the smallest that a viewer shows as something. */
const SIDE = 64;
const WORDS = 'AIFI TEST, NO PATIENT, MAY BE DELETED';

export interface TestStudy {
  readonly studyUid: string;
  readonly objects: readonly StoreObject[];
}

/** `random`: 16 bytes for each UID. */
export function testStudy(
  atMs: number,
  random: () => Uint8Array = () => randomBytes(16),
): TestStudy {
  const uid = (): string => uidFromBytes(random());
  const studyUid = uid();
  const basics = { studyUid, atMs, uid };
  return { studyUid, objects: [objectOf(report(basics)), objectOf(picture(basics))] };
}

interface Basics {
  readonly studyUid: string;
  readonly atMs: number;
  readonly uid: () => string;
}

function objectOf(dataset: DicomDataset): StoreObject {
  return {
    sopClassUid: dataset.string('SOPClassUID')!,
    sopInstanceUid: dataset.string('SOPInstanceUID')!,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    dataset: encodeDataset(dataset, encodingOf(EXPLICIT_VR_LITTLE_ENDIAN)),
  };
}

function commonOf({ studyUid, atMs, uid }: Basics, sopClassUid: string): DicomDataset {
  const [date, time] = new Date(atMs).toISOString().split('T') as [string, string];
  const [day, clock] = [date.replaceAll('-', ''), time.slice(0, 8).replaceAll(':', '')];
  return new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', sopClassUid)
    .setString('SOPInstanceUID', uid())
    .setString('StudyDate', day)
    .setString('ContentDate', day)
    .setString('StudyTime', clock)
    .setString('ContentTime', clock)
    .setString('AccessionNumber', 'AIFITEST')
    .setString('Manufacturer', 'AIFI')
    .setString('ManufacturerModelName', 'AIFI gateway')
    .setString('DeviceSerialNumber', 'AIFI')
    .setString('SoftwareVersions', 'set-up')
    .setString('ReferringPhysicianName', '')
    .setString('StudyDescription', WORDS)
    .setString('SeriesDescription', WORDS)
    .setString('PatientName', 'AIFI^TEST')
    .setString('PatientID', TEST_PATIENT_ID)
    .setString('PatientBirthDate', '19700101')
    .setString('PatientSex', 'O')
    .setString('StudyInstanceUID', studyUid)
    .setString('SeriesInstanceUID', uid())
    .setString('StudyID', 'AIFITEST')
    .setString('InstanceNumber', '1');
}

const code = (value: string, meaning: string): DicomDataset =>
  new DicomDataset()
    .setString('CodeValue', value)
    .setString('CodingSchemeDesignator', 'DCM')
    .setString('CodeMeaning', meaning);

function report(basics: Basics): DicomDataset {
  const sentence = new DicomDataset()
    .setString('RelationshipType', 'CONTAINS')
    .setString('ValueType', 'TEXT')
    .setItems('ConceptNameCodeSequence', [code('121106', 'Comment')])
    .setString('TextValue', WORDS);
  return commonOf(basics, COMPREHENSIVE_3D_SR)
    .setString('Modality', 'SR')
    .setString('SeriesNumber', '1')
    .setItems('ReferencedPerformedProcedureStepSequence', [])
    .setItems('PerformedProcedureCodeSequence', [])
    .setString('CompletionFlag', 'COMPLETE')
    .setString('VerificationFlag', 'UNVERIFIED')
    .setString('ValueType', 'CONTAINER')
    .setItems('ConceptNameCodeSequence', [code('126000', 'Imaging Measurement Report')])
    .setString('ContinuityOfContent', 'SEPARATE')
    .setItems('ContentSequence', [sentence]);
}

/** A grey wedge. */
function picture(basics: Basics): DicomDataset {
  const pixels = Uint8Array.from({ length: SIDE * SIDE }, (_, at) => (at % SIDE) * (256 / SIDE));
  return commonOf(basics, SECONDARY_CAPTURE)
    .setString('Modality', 'OT')
    .setString('SeriesNumber', '2')
    .setString('ConversionType', 'WSD')
    .setStrings('ImageType', ['DERIVED', 'SECONDARY'])
    .setString('PatientOrientation', '')
    .setString('BurnedInAnnotation', 'NO')
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [SIDE])
    .setNumbers('Columns', [SIDE])
    .setNumbers('BitsAllocated', [8])
    .setNumbers('BitsStored', [8])
    .setNumbers('HighBit', [7])
    .setNumbers('PixelRepresentation', [0])
    .setBytes('PixelData', pixels, 'OB');
}
