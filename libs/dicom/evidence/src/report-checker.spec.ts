/**
 * Goal: the checker sees every damage that the validators miss (results specification 4.5).
 * Method: a good report has no problem; each mutation gives exactly its own problem.
 */
import { describe, expect, it } from '@jest/globals';
import { DicomDataset } from '@aifi/dicom-core';
import { buildVolumeReport } from './volume-report.js';
import { buildDetectionReport } from './detection-report.js';
import { checkReport, type ReportProblem } from './report-checker.js';
import { buildSegmentation } from './segmentation.js';
import {
  phantomContext,
  phantomDetectionContext,
  phantomDetections,
  phantomSeries,
} from './test-phantom.js';

const VOLUMES = [
  { classValue: 1, volumeMl: 518.54 },
  { classValue: 2, volumeMl: 735.212 },
];
const report = (): DicomDataset => buildVolumeReport(phantomContext(), VOLUMES, undefined);
const segmented = (): DicomDataset => {
  const context = phantomContext();
  return buildVolumeReport(context, VOLUMES, buildSegmentation(context, phantomSeries()));
};
const positive = (): DicomDataset =>
  buildDetectionReport(phantomDetectionContext(2), phantomDetections());
const negative = (): DicomDataset => buildDetectionReport(phantomDetectionContext(2), []);

const conceptOf = (item: DicomDataset): string | undefined =>
  item.items('ConceptNameCodeSequence')[0]?.string('CodeValue');
function find(item: DicomDataset, ...path: readonly string[]): DicomDataset {
  return path.reduce(
    (parent, code) => parent.items('ContentSequence').find((child) => conceptOf(child) === code)!,
    item,
  );
}
function drop(item: DicomDataset, code: string): void {
  const kept = item.items('ContentSequence').filter((child) => conceptOf(child) !== code);
  item.setItems('ContentSequence', kept);
}
const group = (dataset: DicomDataset): DicomDataset => find(dataset, '126010', '125007');
const template = (item: DicomDataset): DicomDataset => item.items('ContentTemplateSequence')[0]!;
function evidenceSeries(dataset: DicomDataset): DicomDataset {
  const [study] = dataset.items('CurrentRequestedProcedureEvidenceSequence');
  return study!.items('ReferencedSeriesSequence')[0]!;
}

type Mutation = readonly [string, ReportProblem, (dataset: DicomDataset) => unknown];
const region = (dataset: DicomDataset): DicomDataset => find(group(dataset), '111030');
const evaluation = (dataset: DicomDataset): DicomDataset => find(dataset, 'C0034375', '125605004');
const setVerdict = (dataset: DicomDataset, code: string): unknown =>
  evaluation(dataset).items('ConceptCodeSequence')[0]!.setString('CodeValue', code);

const MUTATIONS: readonly Mutation[] = [
  [
    'another root template',
    'ROOT_TEMPLATE_WRONG',
    (d) => template(d).setString('TemplateIdentifier', '2000'),
  ],
  ['no root template', 'ROOT_TEMPLATE_WRONG', (d) => d.delete('ContentTemplateSequence')],
  [
    'template of another resource',
    'ROOT_TEMPLATE_WRONG',
    (d) => template(d).setString('MappingResource', '99X'),
  ],
  ['no procedure reported', 'PROCEDURE_REPORTED_MISSING', (d) => drop(d, '121058')],
  [
    'procedure without code',
    'PROCEDURE_REPORTED_MISSING',
    (d) => find(d, '121058').delete('ConceptCodeSequence'),
  ],
  [
    'procedure as CONTAINS',
    'PROCEDURE_REPORTED_MISSING',
    (d) => find(d, '121058').setString('RelationshipType', 'CONTAINS'),
  ],
  ['no tracking UID', 'TRACKING_UID_MISSING', (d) => drop(group(d), '112040')],
  [
    'empty tracking UID',
    'TRACKING_UID_MISSING',
    (d) => find(group(d), '112040').setString('UID', ''),
  ],
  ['no tracking identifier', 'TRACKING_IDENTIFIER_MISSING', (d) => drop(group(d), '112039')],
  ['no observer type', 'OBSERVER_CONTEXT_MISSING', (d) => drop(d, '121005')],
  ['no device UID', 'OBSERVER_CONTEXT_MISSING', (d) => drop(d, '121012')],
  [
    'another group template',
    'GROUP_TEMPLATE_WRONG',
    (d) => template(group(d)).setString('TemplateIdentifier', '1502'),
  ],
  ['no finding', 'FINDING_MISSING', (d) => drop(group(d), '121071')],
  ['no volume', 'VOLUME_MISSING', (d) => drop(group(d), '118565006')],
  [
    'volume without unit',
    'VOLUME_MISSING',
    (d) =>
      find(group(d), '118565006')
        .items('MeasuredValueSequence')[0]!
        .delete('MeasurementUnitsCodeSequence'),
  ],
  ['no measurement groups', 'MEASUREMENTS_MISSING', (d) => drop(find(d, '126010'), '125007')],
  ['another SOP class', 'SOP_CLASS_WRONG', (d) => d.setString('SOPClassUID', '1.2.840.10008.1.1')],
  [
    'one instance out of the evidence',
    'REFERENCE_NOT_IN_EVIDENCE',
    (d) => {
      const series = evidenceSeries(d);
      const references = series.items('ReferencedSOPSequence');
      return series.setItems('ReferencedSOPSequence', references.slice(0, -1));
    },
  ],
  [
    'evidence of another SOP class',
    'REFERENCE_NOT_IN_EVIDENCE',
    (d) =>
      evidenceSeries(d)
        .items('ReferencedSOPSequence')[0]!
        .setString('ReferencedSOPClassUID', '1.2.840.10008.5.1.4.1.1.2'),
  ],
  [
    'no evidence at all',
    'REFERENCE_NOT_IN_EVIDENCE',
    (d) => d.delete('CurrentRequestedProcedureEvidenceSequence'),
  ],
];

const SEGMENTED: readonly Mutation[] = [
  ['no segment', 'SEGMENT_MISSING', (d) => drop(group(d), '121191')],
  ['no source series', 'SEGMENT_MISSING', (d) => drop(group(d), '121232')],
  [
    'an object instead of a segment',
    'SEGMENT_MISSING',
    (d) =>
      find(group(d), '121191').items('ReferencedSOPSequence')[0]!.delete('ReferencedSegmentNumber'),
  ],
  ['no volume of a segment', 'VOLUME_MISSING', (d) => drop(group(d), '118565006')],
  [
    'a segmentation out of the evidence',
    'REFERENCE_NOT_IN_EVIDENCE',
    (d) => {
      const [study] = d.items('CurrentRequestedProcedureEvidenceSequence');
      return study!.setItems('ReferencedSeriesSequence', [evidenceSeries(d)]);
    },
  ],
];
const POSITIVE: readonly Mutation[] = [
  ['no region', 'REGION_MISSING', (d) => drop(group(d), '111030')],
  ['a region on no image', 'REGION_MISSING', (d) => region(d).delete('ContentSequence')],
  [
    'a region inferred from its image',
    'REGION_MISSING',
    (d) => region(d).items('ContentSequence')[0]!.setString('RelationshipType', 'INFERRED FROM'),
  ],
  ['a point', 'REGION_MISSING', (d) => region(d).setString('GraphicType', 'POINT')],
  [
    'an open line',
    'REGION_MISSING',
    (d) => region(d).setNumbers('GraphicData', [1, 1, 9, 1, 9, 9, 1, 9]),
  ],
  [
    'half a point',
    'REGION_MISSING',
    (d) => region(d).setNumbers('GraphicData', [1, 1, 9, 1, 9, 9, 1, 1, 1]),
  ],
  ['no certainty', 'CERTAINTY_MISSING', (d) => drop(group(d), '111012')],
  [
    'certainty in another unit',
    'CERTAINTY_MISSING',
    (d) =>
      find(group(d), '111012')
        .items('MeasuredValueSequence')[0]!
        .items('MeasurementUnitsCodeSequence')[0]!
        .setString('CodeValue', '1'),
  ],
  ['no evaluation', 'EVALUATION_MISSING', (d) => drop(find(d, 'C0034375'), '125605004')],
  ['absent beside boxes', 'EVALUATION_CONTRADICTED', (d) => setVerdict(d, '121054')],
];
const NEGATIVE: readonly Mutation[] = [
  ['present without a box', 'EVALUATION_CONTRADICTED', (d) => setVerdict(d, '121053')],
  [
    'absent without images',
    'NEGATIVE_WITHOUT_SCOPE',
    (d) => evaluation(d).delete('ContentSequence'),
  ],
  [
    'absent without words',
    'NEGATIVE_WITHOUT_SCOPE',
    (d) => {
      const evaluations = find(d, 'C0034375');
      const [verdict, , remark] = evaluations.items('ContentSequence');
      return evaluations.setItems('ContentSequence', [verdict!, remark!]);
    },
  ],
  ['no verdict at all', 'MEASUREMENTS_MISSING', (d) => drop(d, 'C0034375')],
];
const SUITES: readonly [string, () => DicomDataset, readonly Mutation[]][] = [
  ['volumes', report, MUTATIONS],
  ['volumes of segments', segmented, SEGMENTED],
  ['boxes', positive, POSITIVE],
  ['nothing found', negative, NEGATIVE],
];

describe.each(SUITES)('checkReport of %s', (_kind, make, mutations) => {
  it('finds nothing wrong with what the builder makes', () => {
    expect(checkReport(make())).toEqual([]);
  });

  it.each(mutations)('reports %s', (_name, problem, mutate) => {
    const sut = make();
    mutate(sut);
    expect(checkReport(sut)).toEqual([problem]);
  });
});

describe('checkReport', () => {
  it('reports every problem of an empty dataset without throwing', () => {
    expect(checkReport(new DicomDataset())).toEqual([
      'SOP_CLASS_WRONG',
      'ROOT_TEMPLATE_WRONG',
      'OBSERVER_CONTEXT_MISSING',
      'PROCEDURE_REPORTED_MISSING',
      'MEASUREMENTS_MISSING',
    ]);
  });

  it('says that an evaluation must be present or absent', () => {
    const sut = negative();
    setVerdict(sut, '373068000');
    expect(checkReport(sut)).toContain('EVALUATION_MISSING');
  });
});
