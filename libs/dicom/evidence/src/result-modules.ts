/**
 * Result modules: the attributes that every result object has, whatever its class.
 * Decides patient and study (copied from the source), series, equipment, times and references.
 * Invariants: no equipment, institution or operator of the source; own text is ASCII under
 * ISO_IR 192, so that the gateway can declare the original's character set.
 * Source: results specification 4.1; PS3.3 C.7.1.1, C.7.2.1, C.7.3.1, C.7.5.1, C.12.1.
 */
import { DicomDataset, type DicomElement } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { codeItem, CODES } from './codes.js';
import { sopReference } from './content-item.js';
import type { EvidenceContext, SourceInstance } from './evidence-context.js';
import { ascii, seriesDescription } from './own-text.js';

/** Present in every result, empty when the source has none (type 2). */
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
/** Copied when the source has them (type 3). */
const PATIENT_AND_STUDY_OPTIONAL = [
  'IssuerOfPatientID',
  'IssuerOfPatientIDQualifiersSequence',
  'IssuerOfAccessionNumberSequence',
  'StudyDescription',
];
const TEXT_VRS = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);

/** What differs between the objects of one product. */
export interface ResultKind {
  readonly sopClassUid: string;
  readonly modality: string;
  /** Role of the instance's minted UID; the series has `<role>-series`. */
  readonly role: string;
  /** Added to the product's series number base. */
  readonly seriesNumberOffset: number;
  /** Last word of the series description. */
  readonly finding: string;
}

/** A dataset with every module that the kinds share. */
export function resultDataset(context: EvidenceContext, kind: ResultKind): DicomDataset {
  const dataset = new DicomDataset().setString('SpecificCharacterSet', 'ISO_IR 192');
  copyPatientAndStudy(context.source.dataset, dataset);
  const { date, time, offset } = producedTimes(context);
  dataset
    .setString('SOPClassUID', kind.sopClassUid)
    .setString('SOPInstanceUID', context.mint(kind.role, 0))
    .setString('InstanceCreationDate', date)
    .setString('InstanceCreationTime', time)
    .setString('ContentDate', date)
    .setString('ContentTime', time)
    .setString('SeriesDate', date)
    .setString('SeriesTime', time)
    .setString('TimezoneOffsetFromUTC', offset)
    .setString('Modality', kind.modality)
    .setString('SeriesInstanceUID', context.mint(`${kind.role}-series`, 0))
    .setNumbers('SeriesNumber', [context.product.seriesNumberBase + kind.seriesNumberOffset])
    .setString('SeriesDescription', seriesDescription(context.product, kind.finding))
    .setString('InstanceNumber', '1');
  return addEquipment(context, dataset);
}

function copyPatientAndStudy(source: DicomDataset, target: DicomDataset): void {
  const studyUid = source.get('StudyInstanceUID');
  if (!studyUid || !source.string('StudyInstanceUID')) {
    throw new AifiError('DICOM_MALFORMED', 'source without Study Instance UID');
  }
  target.put(studyUid);
  for (const keyword of PATIENT_AND_STUDY) {
    const element = source.get(keyword);
    if (element) target.put(recoded(source, element));
    else target.setString(keyword, '');
  }
  for (const keyword of PATIENT_AND_STUDY_OPTIONAL) {
    const element = source.get(keyword);
    if (element) target.put(recoded(source, element));
  }
}

/** The element with its text in UTF-8, whatever the character set of the source. */
function recoded(source: DicomDataset, element: DicomElement): DicomElement {
  if (!(element.value instanceof Uint8Array)) {
    const items = element.value.map((item) => {
      const copy = new DicomDataset();
      for (const inner of item) copy.put(recoded(item, inner));
      return copy;
    });
    return { ...element, value: items };
  }
  if (!TEXT_VRS.has(element.vr)) return element;
  const copy = new DicomDataset();
  copy.setStrings(element.tag, source.strings(element.tag), element.vr);
  return copy.get(element.tag)!;
}

function addEquipment(context: EvidenceContext, dataset: DicomDataset): DicomDataset {
  const { product } = context;
  const { dateTime } = producedTimes(context);
  const contributor = (description: string): DicomDataset =>
    new DicomDataset()
      .setItems('PurposeOfReferenceCodeSequence', [codeItem(CODES.processingEquipment)])
      .setString('ContributionDateTime', dateTime)
      .setString('ContributionDescription', description);
  const algorithm = contributor(`AIFI job ${context.jobId}`)
    .setString('Manufacturer', ascii(product.vendor, 64))
    .setString('ManufacturerModelName', ascii(product.name, 64))
    .setString('SoftwareVersions', product.version)
    .setString('DeviceUID', product.deviceUid);
  const platform = contributor('AIFI platform: routing, inference and result objects')
    .setString('Manufacturer', 'AIFI')
    .setString('ManufacturerModelName', 'AIFI hub')
    .setString('SoftwareVersions', ascii(context.platformVersion, 64));
  return dataset
    .setString('Manufacturer', ascii(product.vendor, 64))
    .setString('ManufacturerModelName', ascii(product.name, 64))
    .setString('DeviceSerialNumber', context.modelDigest)
    .setString('SoftwareVersions', product.version)
    .setItems('ContributingEquipmentSequence', [algorithm, platform]);
}

interface ProducedTimes {
  readonly date: string;
  readonly time: string;
  readonly dateTime: string;
  readonly offset: string;
}

/** DA, TM, DT of `producedAt` in the zone of the object, and that zone. */
export function producedTimes(context: EvidenceContext): ProducedTimes {
  const offsetMinutes = zoneMinutes(context);
  const local = new Date(context.producedAt.getTime() + offsetMinutes * 60_000).toISOString();
  const digits = local.replace(/\D/g, '');
  const [date, time] = [digits.slice(0, 8), digits.slice(8, 14)];
  const size = Math.abs(offsetMinutes);
  const [hours, minutes] = [Math.floor(size / 60), size % 60];
  const pad = (part: number): string => String(part).padStart(2, '0');
  const offset = `${offsetMinutes < 0 ? '-' : '+'}${pad(hours)}${pad(minutes)}`;
  return { date, time, dateTime: `${date}${time}${offset}`, offset };
}

function zoneMinutes(context: EvidenceContext): number {
  const text = context.source.dataset.string('TimezoneOffsetFromUTC') ?? '';
  const match = /^([+-])(\d{2})(\d{2})$/.exec(text);
  if (!match) return context.utcOffsetMinutes;
  const size = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -size : size;
}

const SOURCE_IMAGE_FACTS = [
  'BodyPartExamined',
  'Laterality',
  'LossyImageCompression',
  'LossyImageCompressionRatio',
  'LossyImageCompressionMethod',
];
/**
 * What stays true of pixels made from the sources (PS3.3 C.7.6.1.1.5, C.7.3.1): values that all of
 * them share, so that left and right never end under one laterality. Loss in one is loss in all.
 */
export function copySourceImageFacts(
  sources: readonly DicomDataset[],
  target: DicomDataset,
): DicomDataset {
  const [first, ...others] = sources;
  for (const keyword of SOURCE_IMAGE_FACTS) {
    const element = first?.get(keyword);
    const text = first?.strings(keyword).join('\\');
    const isShared = others.every((other) => other.strings(keyword).join('\\') === text);
    if (element && isShared) target.put(element);
  }
  if (sources.some((source) => source.string('LossyImageCompression') === '01')) {
    target.setString('LossyImageCompression', '01');
  }
  return target;
}

/** Hierarchical SOP instance references: one study, its series, their instances (C.17.2.1). */
export function evidenceItem(
  studyInstanceUid: string,
  instances: readonly SourceInstance[],
): DicomDataset {
  return new DicomDataset()
    .setString('StudyInstanceUID', studyInstanceUid)
    .setItems('ReferencedSeriesSequence', seriesReferences(instances, 'ReferencedSOPSequence'));
}

/** Instances by their series; the standard has two names for the inner sequence. */
export function seriesReferences(
  instances: readonly SourceInstance[],
  inner: 'ReferencedSOPSequence' | 'ReferencedInstanceSequence',
): DicomDataset[] {
  const bySeries = new Map<string, DicomDataset[]>();
  for (const instance of instances) {
    const references = bySeries.get(instance.seriesInstanceUid) ?? [];
    references.push(sopReference(instance));
    bySeries.set(instance.seriesInstanceUid, references);
  }
  return [...bySeries].map(([uid, references]) =>
    new DicomDataset().setString('SeriesInstanceUID', uid).setItems(inner, references),
  );
}
