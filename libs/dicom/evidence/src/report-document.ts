/**
 * Report document: what every report of ours has, whatever the product measures.
 * Decides the frame of TID 1500: who observed, what was imaged, which images were read, and the
 * remark with the product's label. Invariants: never verified, always preliminary; every referenced
 * instance is in the evidence sequence. Source: results specification 4.1, 4.2; PS3.3 A.35.13;
 * PS3.16 TID 1500, 1004, 1600, 4019.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { CODES, LANGUAGE_CODES, procedureCode } from './codes.js';
import { asContainer, coded, container, image, text, uidReference } from './content-item.js';
import { assertSources, type EvidenceContext, type SourceInstance } from './evidence-context.js';
import { ascii, warnings } from './own-text.js';
import { evidenceItem, resultDataset } from './result-modules.js';

export const COMPREHENSIVE_3D_SR = '1.2.840.10008.5.1.4.1.1.88.34';
export const REPORT_TEMPLATE = '1500';

/** What one kind of report adds to the frame. */
export interface ReportBody {
  /** Last word of the series description. */
  readonly finding: string;
  /** Objects of ours that the body refers to, beside the sources. */
  readonly evidence: readonly SourceInstance[];
  /** Measurement groups; the container is left out when there is none. */
  readonly groups: readonly DicomDataset[];
  /** Qualitative evaluations that precede the closing remark. */
  readonly evaluations: readonly DicomDataset[];
}

/** The report as a dataset for `encodePart10`. Mints `sr` and `sr-series`. */
export function reportDocument(context: EvidenceContext, body: ReportBody): DicomDataset {
  assertSources(context);
  const { source, language } = context;
  const kind = { sopClassUid: COMPREHENSIVE_3D_SR, modality: 'SR', role: 'sr' } as const;
  const dataset = resultDataset(context, { ...kind, seriesNumberOffset: 0, finding: body.finding })
    .setString('CompletionFlag', 'COMPLETE')
    .setString('VerificationFlag', 'UNVERIFIED')
    .setString('PreliminaryFlag', 'PRELIMINARY')
    .setItems('ReferencedPerformedProcedureStepSequence', [])
    .setItems('PerformedProcedureCodeSequence', []);
  const studyInstanceUid = dataset.string('StudyInstanceUID')!;
  const { groups, evaluations, evidence } = body;
  dataset.setItems('CurrentRequestedProcedureEvidenceSequence', [
    evidenceItem(studyInstanceUid, [...source.instances, ...evidence]),
  ]);
  const procedure = procedureCode(source.dataset.string('Modality'));
  const content = [
    coded('HAS CONCEPT MOD', CODES.language, LANGUAGE_CODES[language]),
    ...observerContext(context),
    coded('HAS CONCEPT MOD', CODES.procedureReported, procedure),
    imageLibrary(context),
    ...(groups.length > 0 ? [container(CODES.measurements, groups)] : []),
    container(CODES.qualitativeEvaluations, [
      ...evaluations,
      text('CONTAINS', CODES.comment, remark(context)),
    ]),
  ];
  return asContainer(dataset, CODES.report, content, REPORT_TEMPLATE);
}

/** TID 1004: the product as observing device. */
function observerContext({ product, modelDigest }: EvidenceContext): DicomDataset[] {
  const context = 'HAS OBS CONTEXT';
  return [
    coded(context, CODES.observerType, CODES.device),
    uidReference(context, CODES.deviceUid, product.deviceUid),
    text(context, CODES.deviceName, product.product),
    text(context, CODES.deviceManufacturer, ascii(product.vendor)),
    text(context, CODES.deviceModel, ascii(product.name)),
    text(context, CODES.deviceSerial, modelDigest),
  ];
}

/** TID 1600: every instance that the product read. */
function imageLibrary({ source }: EvidenceContext): DicomDataset {
  const images = source.instances.map((instance) => image('CONTAINS', instance));
  return container(CODES.imageLibrary, [container(CODES.imageLibraryGroup, images)]);
}

/** TID 4019, for below a value; `operatingPoint` where the product has one. */
export function algorithmIdentification(
  { product, modelDigest }: EvidenceContext,
  operatingPoint?: number,
): DicomDataset[] {
  const modifier = 'HAS CONCEPT MOD';
  const parameters = [
    `model sha256 ${modelDigest}`,
    ...(operatingPoint === undefined ? [] : [`operating point ${operatingPoint}`]),
  ];
  return [
    text(modifier, CODES.algorithmName, ascii(product.name)),
    text(modifier, CODES.algorithmVersion, product.version),
    text(modifier, CODES.algorithmManufacturer, ascii(product.vendor)),
    ...parameters.map((parameter) => text(modifier, CODES.algorithmParameters, parameter)),
    coded(modifier, CODES.algorithmFamily, CODES.artificialIntelligence),
  ];
}

/** How one measurement is followed over objects and time: rows of every measurement group. */
export function tracking(identifier: string, uid: string): DicomDataset[] {
  return [
    text('HAS OBS CONTEXT', CODES.trackingIdentifier, identifier),
    uidReference('HAS OBS CONTEXT', CODES.trackingUid, uid),
  ];
}

function remark(context: EvidenceContext): string {
  return `${warnings(context)} AIFI job ${context.jobId}.`;
}
