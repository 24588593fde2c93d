/**
 * Report checker: the template rows that no validator looks at.
 * Decides whether a report may leave the hub. It reads the dataset only, shares no tree code with
 * the builders, and names problems without any value. Each measurement group is held to its own
 * template: 1501 and 1411 measure a volume, 1411 on a segment, 1410 a certainty in a closed region.
 * Source: results specification 4.1.5, 4.2, 4.3, 4.5 (last four rows of the mutation table).
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { CODES, isCode, type Code } from './codes.js';
import { PLANAR_GROUP_TEMPLATE } from './detection-report.js';
import { COMPREHENSIVE_3D_SR, REPORT_TEMPLATE } from './report-document.js';
import { MEASUREMENT_GROUP_TEMPLATE, VOLUME_GROUP_TEMPLATE } from './volume-report.js';

export type ReportProblem =
  | 'SOP_CLASS_WRONG'
  | 'ROOT_TEMPLATE_WRONG'
  | 'OBSERVER_CONTEXT_MISSING'
  | 'PROCEDURE_REPORTED_MISSING'
  | 'MEASUREMENTS_MISSING'
  | 'GROUP_TEMPLATE_WRONG'
  | 'TRACKING_IDENTIFIER_MISSING'
  | 'TRACKING_UID_MISSING'
  | 'FINDING_MISSING'
  | 'VOLUME_MISSING'
  | 'SEGMENT_MISSING'
  | 'REGION_MISSING'
  | 'CERTAINTY_MISSING'
  | 'EVALUATION_MISSING'
  | 'EVALUATION_CONTRADICTED'
  | 'NEGATIVE_WITHOUT_SCOPE'
  | 'REFERENCE_NOT_IN_EVIDENCE';

type Require = (holds: boolean, problem: ReportProblem) => void;

/** All problems of the report, each once; empty when there is none. */
export function checkReport(dataset: DicomDataset): readonly ReportProblem[] {
  const problems = new Set<ReportProblem>();
  const require: Require = (holds, problem) => {
    if (!holds) problems.add(problem);
  };
  require(dataset.string('SOPClassUID') === COMPREHENSIVE_3D_SR, 'SOP_CLASS_WRONG');
  require(templateOf(dataset) === REPORT_TEMPLATE, 'ROOT_TEMPLATE_WRONG');
  require(isCode(conceptOf(dataset), CODES.report), 'ROOT_TEMPLATE_WRONG');
  require(hasDeviceObserver(dataset), 'OBSERVER_CONTEXT_MISSING');
  const procedure = child(dataset, CODES.procedureReported, 'HAS CONCEPT MOD');
  require(hasCodeValue(procedure), 'PROCEDURE_REPORTED_MISSING');
  const groups = groupsOf(dataset);
  for (const group of groups) checkGroup(group, require);
  checkEvaluations(dataset, groups, require);
  const evidence = evidenceOf(dataset);
  for (const reference of referencesOf(dataset)) {
    require(evidence.has(reference), 'REFERENCE_NOT_IN_EVIDENCE');
  }
  return [...problems];
}

function checkGroup(group: DicomDataset, require: Require): void {
  const identifier = child(group, CODES.trackingIdentifier, 'HAS OBS CONTEXT');
  const uid = child(group, CODES.trackingUid, 'HAS OBS CONTEXT');
  require(identifier?.string('TextValue') !== undefined, 'TRACKING_IDENTIFIER_MISSING');
  require(uid?.string('UID') !== undefined, 'TRACKING_UID_MISSING');
  require(hasCodeValue(child(group, CODES.finding, 'CONTAINS')), 'FINDING_MISSING');
  switch (templateOf(group)) {
    case PLANAR_GROUP_TEMPLATE:
      require(hasRegion(group), 'REGION_MISSING');
      require(hasNumber(group, CODES.certainty, CODES.percent), 'CERTAINTY_MISSING');
      break;
    case VOLUME_GROUP_TEMPLATE:
      require(hasSegment(group), 'SEGMENT_MISSING');
      require(hasNumber(group, CODES.volume, CODES.millilitre), 'VOLUME_MISSING');
      break;
    case MEASUREMENT_GROUP_TEMPLATE:
      require(hasNumber(group, CODES.volume, CODES.millilitre), 'VOLUME_MISSING');
      break;
    default:
      require(false, 'GROUP_TEMPLATE_WRONG');
  }
}

/**
 * A report measures volumes, or evaluates a finding as present (with regions) or absent (with none,
 * and with the images and the words that say what was looked for).
 */
function checkEvaluations(
  dataset: DicomDataset,
  groups: readonly DicomDataset[],
  require: Require,
): void {
  const evaluations = child(dataset, CODES.qualitativeEvaluations, 'CONTAINS');
  const items = evaluations?.items('ContentSequence') ?? [];
  const regions = groups.filter((group) => templateOf(group) === PLANAR_GROUP_TEMPLATE);
  const verdicts = items.filter((item) => item.string('ValueType') === 'CODE');
  require(groups.length > 0 || verdicts.length > 0, 'MEASUREMENTS_MISSING');
  require(regions.length === 0 || verdicts.length > 0, 'EVALUATION_MISSING');
  for (const verdict of verdicts) {
    const [value] = verdict.items('ConceptCodeSequence');
    const isAbsent = isCode(value, CODES.absent);
    require(isAbsent || isCode(value, CODES.present), 'EVALUATION_MISSING');
    require(isAbsent === (regions.length === 0), 'EVALUATION_CONTRADICTED');
    const images = verdict.items('ContentSequence').filter(isImage);
    const words = items.filter((item) => item.string('TextValue') !== undefined);
    // The remark with the label is one text; the scope is another.
    require(!isAbsent || (images.length > 0 && words.length > 1), 'NEGATIVE_WITHOUT_SCOPE');
  }
}

const conceptOf = (item: DicomDataset): DicomDataset | undefined =>
  item.items('ConceptNameCodeSequence')[0];
const isImage = (item: DicomDataset): boolean =>
  item.string('ValueType') === 'IMAGE' && item.items('ReferencedSOPSequence').length === 1;

function child(item: DicomDataset, concept: Code, relationship: string): DicomDataset | undefined {
  return item
    .items('ContentSequence')
    .find(
      (candidate) =>
        isCode(conceptOf(candidate), concept) &&
        candidate.string('RelationshipType') === relationship,
    );
}

/** Identifier of a template of the standard, or undefined. */
function templateOf(item: DicomDataset): string | undefined {
  const template = item.items('ContentTemplateSequence')[0];
  const isStandard = template?.string('MappingResource') === 'DCMR';
  return isStandard ? template.string('TemplateIdentifier') : undefined;
}

function hasCodeValue(item: DicomDataset | undefined): boolean {
  return item?.items('ConceptCodeSequence')[0]?.string('CodeValue') !== undefined;
}

function hasDeviceObserver(dataset: DicomDataset): boolean {
  const type = child(dataset, CODES.observerType, 'HAS OBS CONTEXT');
  const uid = child(dataset, CODES.deviceUid, 'HAS OBS CONTEXT');
  return (
    isCode(type?.items('ConceptCodeSequence')[0], CODES.device) && uid?.string('UID') !== undefined
  );
}

function groupsOf(dataset: DicomDataset): readonly DicomDataset[] {
  const measurements = child(dataset, CODES.measurements, 'CONTAINS');
  return (measurements?.items('ContentSequence') ?? []).filter((item) =>
    isCode(conceptOf(item), CODES.measurementGroup),
  );
}

function hasNumber(group: DicomDataset, concept: Code, unit: Code): boolean {
  const measured = child(group, concept, 'CONTAINS')?.items('MeasuredValueSequence')[0];
  const unitItem = measured?.items('MeasurementUnitsCodeSequence')[0];
  return measured?.string('NumericValue') !== undefined && isCode(unitItem, unit);
}

function hasSegment(group: DicomDataset): boolean {
  const item = child(group, CODES.referencedSegment, 'CONTAINS');
  const [reference] = item?.items('ReferencedSOPSequence') ?? [];
  const series = child(group, CODES.sourceSeries, 'CONTAINS');
  return (
    reference?.number('ReferencedSegmentNumber') !== undefined &&
    series?.string('UID') !== undefined
  );
}

/** A closed line with an area, on one image. */
function hasRegion(group: DicomDataset): boolean {
  const region = child(group, CODES.imageRegion, 'CONTAINS');
  const line = region?.numbers('GraphicData') ?? [];
  const isClosed = line.length >= 8 && line[0] === line.at(-2) && line[1] === line.at(-1);
  const images = region?.items('ContentSequence') ?? [];
  return (
    region?.string('GraphicType') === 'POLYLINE' &&
    isClosed &&
    line.length % 2 === 0 &&
    images.length === 1 &&
    images.every((item) => isImage(item) && item.string('RelationshipType') === 'SELECTED FROM')
  );
}

const referenceKey = (item: DicomDataset): string =>
  `${item.string('ReferencedSOPClassUID') ?? ''} ${item.string('ReferencedSOPInstanceUID') ?? ''}`;

function evidenceOf(dataset: DicomDataset): ReadonlySet<string> {
  const series = dataset
    .items('CurrentRequestedProcedureEvidenceSequence')
    .flatMap((study) => study.items('ReferencedSeriesSequence'));
  return new Set(series.flatMap((s) => s.items('ReferencedSOPSequence').map(referenceKey)));
}

/** References of every content item, at any depth. */
function* referencesOf(item: DicomDataset): Generator<string> {
  for (const content of item.items('ContentSequence')) {
    yield* content.items('ReferencedSOPSequence').map(referenceKey);
    yield* referencesOf(content);
  }
}
