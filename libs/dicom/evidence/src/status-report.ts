/**
 * Status report: the study's one AI status object, a Comprehensive 3D SR with TID 1500.
 * Decides the tree: one evaluation and one sentence per product, with its result, the scope of its
 * negative, or its coded reason. Invariants: a product is told once; every referenced instance is
 * in the evidence sequence; never verified.
 * Source: results specification 4.2, 4.3a; PS3.16 TID 1500.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { codeItem, CODES, LANGUAGE_CODES, procedureCode, type Code } from './codes.js';
import { asContainer, coded, container, image, text, uidReference } from './content-item.js';
import type { EvidenceLanguage, SourceInstance } from './evidence-context.js';
import { ascii } from './own-text.js';
import { COMPREHENSIVE_3D_SR, REPORT_TEMPLATE } from './report-document.js';
import { evidenceItem } from './result-modules.js';
import {
  STATUS_MANUFACTURER,
  STATUS_MODEL,
  statusModules,
  zonedTimes,
  type StatusContext,
} from './status-modules.js';
import { statusCode, statusRemark, statusSentence, type StatusFacts } from './status-texts.js';

/** Most images in the library, and under one negative: the product's own report lists them all. */
export const STATUS_IMAGES_MAX = 256;
/** CodeValue is SH (PS3.5 6.2); longer values go into Long Code Value (PS3.3 8.1). */
const CODE_VALUE_LENGTH_MAX = 16;

export interface StatusProduct extends StatusFacts {
  readonly product: string;
  /** Objects of this product that the PACS has. */
  readonly resultReferences: readonly SourceInstance[];
}
/** The status object that this one supersedes; it is in the PACS. */
export interface ReplacedStatus {
  readonly issuedAt: Date;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}
export interface StatusReport {
  /** In the order of display; at least one, each product once. */
  readonly products: readonly StatusProduct[];
  readonly language: EvidenceLanguage;
  readonly replaces?: ReplacedStatus;
}

/**
 * The status object as a dataset for `encodePart10`. INVALID_ARGUMENT without product or image, for
 * a product that comes twice, or for a missing reason; LIMIT_EXCEEDED for too many images.
 */
export function buildStatusReport(context: StatusContext, report: StatusReport): DicomDataset {
  assertComplete(context, report);
  const { products, language, replaces } = report;
  const dataset = statusModules(context);
  const studyInstanceUid = dataset.string('StudyInstanceUID')!;
  const scopes = products.flatMap((product) => scopeImages(product));
  const results = products.flatMap((product) => product.resultReferences);
  dataset.setItems('CurrentRequestedProcedureEvidenceSequence', [
    evidenceItem(studyInstanceUid, distinct([...context.images, ...scopes, ...results])),
  ]);
  if (replaces) {
    const predecessor = evidenceItem(studyInstanceUid, [
      { ...replaces, sopClassUid: COMPREHENSIVE_3D_SR },
    ]);
    dataset.setItems('PredecessorDocumentsSequence', [predecessor]);
  }
  const images = context.images.map((instance) => image('CONTAINS', instance));
  const evaluations = products.flatMap((product) => [
    evaluation(product, language),
    text('CONTAINS', CODES.comment, statusSentence(product, language)),
  ]);
  const remark = statusRemark(language, replaces && localTime(replaces.issuedAt, context));
  const content = [
    coded('HAS CONCEPT MOD', CODES.language, LANGUAGE_CODES[language]),
    ...observerContext(context),
    coded('HAS CONCEPT MOD', CODES.procedureReported, procedureCode(context.modality)),
    container(CODES.imageLibrary, [container(CODES.imageLibraryGroup, images)]),
    container(CODES.qualitativeEvaluations, [
      ...evaluations,
      text('CONTAINS', CODES.comment, remark),
    ]),
  ];
  return asContainer(dataset, CODES.report, content, REPORT_TEMPLATE);
}

function assertComplete({ images }: StatusContext, { products }: StatusReport): void {
  const isDistinct = new Set(products.map(({ product }) => product)).size === products.length;
  if (products.length === 0 || images.length === 0 || !isDistinct) {
    throw new AifiError('INVALID_ARGUMENT', 'a status needs images, and each product once');
  }
  if (images.length > STATUS_IMAGES_MAX) {
    throw new AifiError('LIMIT_EXCEEDED', 'too many images for one status');
  }
}

/** TID 1004: the gateway as observing device. */
function observerContext({ device }: StatusContext): DicomDataset[] {
  const context = 'HAS OBS CONTEXT';
  return [
    coded(context, CODES.observerType, CODES.device),
    uidReference(context, CODES.deviceUid, device.uid),
    text(context, CODES.deviceName, STATUS_MODEL),
    text(context, CODES.deviceManufacturer, STATUS_MANUFACTURER),
    text(context, CODES.deviceModel, STATUS_MODEL),
    text(context, CODES.deviceSerial, ascii(device.serialNumber)),
  ];
}

/** What became of one product: state or reason as a code, and what it rests on. */
function evaluation(product: StatusProduct, language: EvidenceLanguage): DicomDataset {
  const { name, version, detail, negativeScope, resultReferences } = product;
  const concept = { value: product.product, scheme: '99AIFI', meaning: ascii(name, 64) };
  const value = statusCode(product, language);
  const scope = scopeImages(product).map((instance) => image('INFERRED FROM', instance));
  const children = [
    text('HAS CONCEPT MOD', CODES.algorithmName, ascii(name)),
    text('HAS CONCEPT MOD', CODES.algorithmVersion, ascii(version)),
    // The name under which every log, page and command knows it.
    text('HAS CONCEPT MOD', CODES.algorithmParameters, `product ${product.product}`),
    ...(detail ? [text('INFERRED FROM', CODES.comment, ascii(detail))] : []),
    ...(negativeScope?.lookedFor ?? []).map((code) =>
      coded('INFERRED FROM', { ...code, meaning: ascii(code.meaning, 64) }, CODES.absent, scope),
    ),
    ...resultReferences.map((reference) => resultItem(reference)),
  ];
  return coded('CONTAINS', concept, value, children)
    .setItems('ConceptNameCodeSequence', [ownCodeItem(concept)])
    .setItems('ConceptCodeSequence', [ownCodeItem(value)]);
}

/** Our codes are words: the longer ones have an attribute of their own. */
function ownCodeItem(code: Code): DicomDataset {
  const item = codeItem(code);
  if (code.value.length <= CODE_VALUE_LENGTH_MAX) return item;
  item.delete('CodeValue');
  return item.setString('LongCodeValue', code.value);
}

/** A report is a composite object, captures and segmentations are images (PS3.3 C.17.3.2.1). */
function resultItem(reference: SourceInstance): DicomDataset {
  const item = image('INFERRED FROM', reference);
  const isReport = reference.sopClassUid === COMPREHENSIVE_3D_SR;
  return isReport ? item.setString('ValueType', 'COMPOSITE') : item;
}

function scopeImages({ negativeScope }: StatusProduct): readonly SourceInstance[] {
  return negativeScope?.images.slice(0, STATUS_IMAGES_MAX) ?? [];
}

function distinct(instances: readonly SourceInstance[]): SourceInstance[] {
  return [...new Map(instances.map((one) => [one.sopInstanceUid, one])).values()];
}

/** HH:MM, with the date when that is another day. */
function localTime(at: Date, { producedAt, utcOffsetMinutes }: StatusContext): string {
  const { date, time } = zonedTimes(at, utcOffsetMinutes);
  const clock = `${time.slice(0, 2)}:${time.slice(2, 4)}`;
  if (date === zonedTimes(producedAt, utcOffsetMinutes).date) return clock;
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)} ${clock}`;
}
