/**
 * Negative scope: what a product's report looked for and did not find, and on which images.
 * Decides whether a report is an explicit negative: something is evaluated as absent and nothing as
 * present. Invariant: a report without an evaluation is never read as a negative.
 * Source: results specification 4.2 ("no finding is also a result"); PS3.16 TID 1500.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { CODES, isCode, type Code } from './codes.js';
import type { SourceInstance } from './evidence-context.js';

export interface NegativeScope {
  readonly lookedFor: readonly Code[];
  readonly images: readonly SourceInstance[];
}

/** The scope of a report of ours; undefined when it is not an explicit negative. */
export function negativeScopeOf(report: DicomDataset): NegativeScope | undefined {
  const evaluations = under(report, CODES.qualitativeEvaluations);
  const valued = (code: Code): DicomDataset[] =>
    evaluations.filter((item) => isCode(item.items('ConceptCodeSequence')[0], code));
  const absent = valued(CODES.absent);
  if (absent.length === 0 || valued(CODES.present).length > 0) return undefined;
  const named = absent.flatMap((item) => imagesUnder(item));
  const library = under(report, CODES.imageLibrary).flatMap((group) => imagesUnder(group));
  const wanted = new Set(named.length > 0 ? named : library);
  return {
    lookedFor: absent.flatMap((item) => codeOf(item.items('ConceptNameCodeSequence')[0])),
    images: evidenceInstances(report).filter(({ sopInstanceUid }) => wanted.has(sopInstanceUid)),
  };
}

/** Content of the root's container of this concept. */
function under(report: DicomDataset, concept: Code): readonly DicomDataset[] {
  const found = report
    .items('ContentSequence')
    .find((item) => isCode(item.items('ConceptNameCodeSequence')[0], concept));
  return found?.items('ContentSequence') ?? [];
}

function imagesUnder(item: DicomDataset): string[] {
  return item
    .items('ContentSequence')
    .filter((child) => child.string('ValueType') === 'IMAGE')
    .flatMap((child) => child.items('ReferencedSOPSequence'))
    .flatMap((reference) => reference.strings('ReferencedSOPInstanceUID'));
}

function codeOf(item: DicomDataset | undefined): Code[] {
  const value = item?.string('CodeValue');
  const scheme = item?.string('CodingSchemeDesignator');
  const meaning = item?.string('CodeMeaning');
  return value && scheme && meaning ? [{ value, scheme, meaning }] : [];
}

function evidenceInstances(report: DicomDataset): SourceInstance[] {
  return report
    .items('CurrentRequestedProcedureEvidenceSequence')
    .flatMap((study) => study.items('ReferencedSeriesSequence'))
    .flatMap((series) =>
      series.items('ReferencedSOPSequence').map((reference) => ({
        sopClassUid: reference.string('ReferencedSOPClassUID') ?? '',
        sopInstanceUid: reference.string('ReferencedSOPInstanceUID') ?? '',
        seriesInstanceUid: series.string('SeriesInstanceUID') ?? '',
      })),
    );
}
