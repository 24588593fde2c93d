/**
 * Goal: the report says which boxes were found where, or that nothing was found and where it was
 * looked for. Method: build from phantom detections, look at groups, evaluation and words.
 */
import { describe, expect, it } from '@jest/globals';
import { decodePart10, encodePart10, type DicomDataset } from '@aifi/dicom-core';
import { LIMITS } from '@aifi/shared-kernel';
import { buildDetectionReport, DETECTIONS_MAX } from './detection-report.js';
import type { Detection } from './evidence-context.js';
import { checkReport } from './report-checker.js';
import {
  phantomContext,
  phantomDetectionContext,
  phantomDetections,
  phantomRadiographs,
} from './test-phantom.js';

const build = (
  detections: readonly Detection[],
  context = phantomDetectionContext(2),
): DicomDataset => decodePart10(encodePart10(buildDetectionReport(context, detections))).dataset;
const conceptOf = (item: DicomDataset): string | undefined =>
  item.items('ConceptNameCodeSequence')[0]?.string('CodeValue');
const children = (item: DicomDataset, code: string): DicomDataset[] =>
  item.items('ContentSequence').filter((child) => conceptOf(child) === code);
const groups = (sut: DicomDataset): DicomDataset[] =>
  children(sut, '126010').flatMap((container) => children(container, '125007'));
const evaluations = (sut: DicomDataset): readonly DicomDataset[] =>
  children(sut, 'C0034375')[0]!.items('ContentSequence');
const imageUid = (item: DicomDataset): string | undefined =>
  item.items('ReferencedSOPSequence')[0]?.string('ReferencedSOPInstanceUID');
const [FIRST] = phantomDetections() as [Detection];

describe('buildDetectionReport', () => {
  it('has a planar group per box with region, finding, site and certainty', () => {
    const context = phantomDetectionContext(2);
    const sut = build(phantomDetections(), context);
    expect(groups(sut)).toHaveLength(2);
    const [group] = groups(sut) as [DicomDataset];
    const [template] = group.items('ContentTemplateSequence');
    expect(template!.string('TemplateIdentifier')).toBe('1410');
    expect(children(group, '112039')[0]!.string('TextValue')).toBe(
      'fracture-stand-in fracture of bone 1',
    );
    expect(children(group, '112040')[0]!.string('UID')).toBe(context.mint('tracking', 0));
    const valueOf = (code: string): string | undefined =>
      children(group, code)[0]!.items('ConceptCodeSequence')[0]!.string('CodeValue');
    expect(valueOf('121071')).toBe('125605004');
    expect(valueOf('363698007')).toBe('272673000');
    const [certainty] = children(group, '111012');
    const [measured] = certainty!.items('MeasuredValueSequence');
    expect(measured!.string('NumericValue')).toBe('87.4');
    const [unit] = measured!.items('MeasurementUnitsCodeSequence');
    expect(unit!.string('CodeValue')).toBe('%');
  });

  it('draws a closed rectangle on the image of the box, column before row', () => {
    const [group] = groups(build(phantomDetections())) as [DicomDataset];
    const [region] = children(group, '111030') as [DicomDataset];
    expect(region.string('ValueType')).toBe('SCOORD');
    expect(region.string('GraphicType')).toBe('POLYLINE');
    expect(region.numbers('GraphicData')).toEqual([
      30.5, 60, 90, 60, 90, 150.25, 30.5, 150.25, 30.5, 60,
    ]);
    const [image] = region.items('ContentSequence') as [DicomDataset];
    expect(image.string('RelationshipType')).toBe('SELECTED FROM');
    expect(imageUid(image)).toBe(FIRST.instance.sopInstanceUid);
  });

  it('names algorithm, version, model and operating point under each certainty', () => {
    for (const group of groups(build(phantomDetections()))) {
      const [certainty] = children(group, '111012') as [DicomDataset];
      expect(children(certainty, '111001')).toHaveLength(1);
      expect(children(certainty, '111003')[0]!.string('TextValue')).toBe('1.0.0');
      const parameters = children(certainty, '111002').map((item) => item.string('TextValue'));
      expect(parameters[1]).toBe('operating point 0.5');
    }
  });

  it('evaluates the study as present, with the images that were read', () => {
    const [verdict] = evaluations(build(phantomDetections())) as [DicomDataset];
    expect(conceptOf(verdict)).toBe('125605004');
    expect(verdict.items('ConceptCodeSequence')[0]!.string('CodeValue')).toBe('121053');
    expect(verdict.items('ContentSequence').map(imageUid)).toEqual(
      phantomRadiographs(2).map((instance) => instance.sopInstanceUid),
    );
  });

  it.each([
    ['en-GB', 'Looked for: fracture of bone, on 2 images, operating point 0.5. Not found.'],
    ['nl-NL', 'Gezocht naar: fracture of bone, op 2 beelden, werkpunt 0.5. Niet gevonden.'],
  ] as const)('says in a negative what was looked for and where, in %s', (language, words) => {
    const sut = build([], phantomDetectionContext(2, { language }));
    expect(children(sut, '126010')).toEqual([]);
    const [verdict, scope] = evaluations(sut) as [DicomDataset, DicomDataset];
    expect(verdict.items('ConceptCodeSequence')[0]!.string('CodeValue')).toBe('121054');
    expect(verdict.items('ContentSequence').map(imageUid)).toEqual(
      phantomRadiographs(2).map((instance) => instance.sopInstanceUid),
    );
    expect(scope.string('TextValue')).toBe(words);
  });

  it('lists images of several series in the evidence', () => {
    const [study] = build([]).items('CurrentRequestedProcedureEvidenceSequence');
    const series = study!.items('ReferencedSeriesSequence');
    expect(series.map((item) => item.string('SeriesInstanceUID'))).toEqual([
      '2.25.3001.1',
      '2.25.3001.2',
    ]);
  });

  it.each<[string, Detection]>([
    ['a score below the operating point', { ...FIRST, score: 0.49 }],
    ['a score above one', { ...FIRST, score: 1.01 }],
    ['a score that is no number', { ...FIRST, score: Number.NaN }],
    ['a box turned inside out', { ...FIRST, box: { ...FIRST.box, x1: 91 } }],
    ['a box without height', { ...FIRST, box: { ...FIRST.box, y2: 60 } }],
    ['a box left of the image', { ...FIRST, box: { ...FIRST.box, x1: -1 } }],
    ['an endless box', { ...FIRST, box: { ...FIRST.box, x2: Infinity } }],
    ['a box on an image that was not read', { ...FIRST, instance: phantomRadiographs(3)[2]! }],
  ])('refuses %s', (_name, detection) => {
    expect(() => build([detection])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('takes a score equal to an operating point that no float can hold', () => {
    const context = phantomDetectionContext(2);
    const output = { ...context.product.output, operatingPoint: { threshold: 0.7 } };
    const product = { ...context.product, output } as typeof context.product;
    const detection = { ...FIRST, score: Math.fround(0.7) };
    expect(groups(build([detection], { ...context, product }))).toHaveLength(1);
  });

  it('refuses a product that segments', () => {
    expect(() => buildDetectionReport(phantomContext(), [])).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('stays within the header limits at its largest, and refuses more boxes', () => {
    const many = Array.from({ length: DETECTIONS_MAX }, () => FIRST);
    const sut = buildDetectionReport(phantomDetectionContext(64), many);
    expect(encodePart10(sut).length).toBeLessThan(LIMITS.headerBytesMax / 2);
    expect(checkReport(sut)).toEqual([]);
    expect(() => build([...many, FIRST])).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });

  it('gives the same bytes for the same input', () => {
    const bytes = (): Buffer =>
      encodePart10(buildDetectionReport(phantomDetectionContext(2), phantomDetections()));
    expect(bytes().equals(bytes())).toBe(true);
  });
});
