/**
 * Status modules: the attributes of the study's AI status object outside its content tree.
 * Decides patient and study (the current identity, byte for byte with its own character set),
 * series 9900 "AI status", and the gateway as equipment. Invariants: own text is ASCII, so that any
 * character set holds; equal contexts give equal bytes.
 * Source: results specification 4.1.2-4.1.5, 4.3a; PS3.3 A.35.13, C.17.2 (predecessor documents).
 */
import { DicomDataset } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { codeItem, CODES } from './codes.js';
import type { SourceInstance } from './evidence-context.js';
import { ascii } from './own-text.js';
import { COMPREHENSIVE_3D_SR } from './report-document.js';

/** How a status object is told from a product's result. */
export const STATUS_CONTRIBUTION = 'AIFI study status';
export const STATUS_SERIES_NUMBER = 9900;
export const STATUS_MANUFACTURER = 'AIFI';
export const STATUS_MODEL = 'AIFI gateway';

/** Where and when the status object is made, and for whom. */
export interface StatusContext {
  /** Patient and Study module of the current identity, with Study Instance UID. */
  readonly identity: DicomDataset;
  /** Modality of the study's images; unknown gives the general procedure. */
  readonly modality: string | undefined;
  /** Images of the study, at least one per series concerned; 1 to STATUS_IMAGES_MAX. */
  readonly images: readonly SourceInstance[];
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  /** 0 at first, rises with every replacement. */
  readonly issue: number;
  /** The gateway that observes: a UID of its own, and its serial number (the site's name). */
  readonly device: { readonly uid: string; readonly serialNumber: string };
  readonly platformVersion: string;
  readonly producedAt: Date;
  /** Zone in which times are written: the images' own, else the hospital's. @unit min */
  readonly utcOffsetMinutes: number;
}

/** Type 2 attributes: empty when the identity has none. */
const PATIENT_AND_STUDY = [
  'PatientName',
  'PatientID',
  'PatientBirthDate',
  'PatientSex',
  'StudyDate',
  'StudyTime',
  'StudyID',
  'AccessionNumber',
  'ReferringPhysicianName',
];

/** A dataset with everything but content and evidence. */
export function statusModules(context: StatusContext): DicomDataset {
  const dataset = new DicomDataset();
  for (const keyword of PATIENT_AND_STUDY) dataset.setString(keyword, '');
  for (const element of context.identity) dataset.put(element);
  if (!dataset.string('StudyInstanceUID')) {
    throw new AifiError('DICOM_MALFORMED', 'identity without Study Instance UID');
  }
  const { date, time, offset } = zonedTimes(context.producedAt, context.utcOffsetMinutes);
  dataset
    .setString('SOPClassUID', COMPREHENSIVE_3D_SR)
    .setString('SOPInstanceUID', context.sopInstanceUid)
    .setString('InstanceCreationDate', date)
    .setString('InstanceCreationTime', time)
    .setString('ContentDate', date)
    .setString('ContentTime', time)
    .setString('SeriesDate', date)
    .setString('SeriesTime', time)
    .setString('TimezoneOffsetFromUTC', offset)
    .setString('Modality', 'SR')
    .setString('SeriesInstanceUID', context.seriesInstanceUid)
    .setNumbers('SeriesNumber', [STATUS_SERIES_NUMBER])
    .setString('SeriesDescription', 'AI status')
    .setString('InstanceNumber', String(context.issue + 1))
    .setString('CompletionFlag', 'COMPLETE')
    .setString('VerificationFlag', 'UNVERIFIED')
    .setString('PreliminaryFlag', 'PRELIMINARY')
    .setItems('ReferencedPerformedProcedureStepSequence', [])
    .setItems('PerformedProcedureCodeSequence', []);
  return addEquipment(context, dataset);
}

function addEquipment(context: StatusContext, dataset: DicomDataset): DicomDataset {
  const { date, time, offset } = zonedTimes(context.producedAt, context.utcOffsetMinutes);
  const version = ascii(context.platformVersion, 64);
  const platform = new DicomDataset()
    .setItems('PurposeOfReferenceCodeSequence', [codeItem(CODES.processingEquipment)])
    .setString('Manufacturer', STATUS_MANUFACTURER)
    .setString('ManufacturerModelName', STATUS_MODEL)
    .setString('SoftwareVersions', version)
    .setString('ContributionDateTime', `${date}${time}${offset}`)
    .setString('ContributionDescription', STATUS_CONTRIBUTION);
  return dataset
    .setString('Manufacturer', STATUS_MANUFACTURER)
    .setString('ManufacturerModelName', STATUS_MODEL)
    .setString('DeviceSerialNumber', ascii(context.device.serialNumber, 64))
    .setString('SoftwareVersions', version)
    .setItems('ContributingEquipmentSequence', [platform]);
}

interface ZonedTimes {
  /** DA, TM and the suffix of DT. */
  readonly date: string;
  readonly time: string;
  readonly offset: string;
}

/** A moment in a zone, as DICOM writes it. */
export function zonedTimes(at: Date, offsetMinutes: number): ZonedTimes {
  const local = new Date(at.getTime() + offsetMinutes * 60_000).toISOString();
  const digits = local.replace(/\D/g, '');
  const size = Math.abs(offsetMinutes);
  const pad = (part: number): string => String(part).padStart(2, '0');
  const offset = `${offsetMinutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}${pad(size % 60)}`;
  return { date: digits.slice(0, 8), time: digits.slice(8, 14), offset };
}
