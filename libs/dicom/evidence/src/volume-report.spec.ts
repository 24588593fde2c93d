/**
 * Goal: the report is the TID 1500 tree of the specification, complete and reproducible.
 * Method: build it from the phantom context, encode, read back, and look at the tree.
 */
import { describe, expect, it } from '@jest/globals';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { LIMITS } from '@aifi/shared-kernel';
import { buildVolumeReport, VALUE_SOURCES_MAX } from './volume-report.js';
import { checkReport } from './report-checker.js';
import { buildSegmentation, SEGMENTATION_STORAGE } from './segmentation.js';
import { SOURCE_INSTANCES_MAX, type EvidenceContext } from './evidence-context.js';
import {
  MR_IMAGE_STORAGE,
  PHANTOM_MANIFEST,
  phantomContext,
  phantomInstances,
  phantomSeries,
  phantomSource,
} from './test-phantom.js';

const VOLUMES = [
  { classValue: 1, volumeMl: 518.54 },
  { classValue: 2, volumeMl: 735.212 },
];
const build = (context: EvidenceContext = phantomContext()): DicomDataset =>
  decodePart10(encodePart10(buildVolumeReport(context, VOLUMES, undefined))).dataset;
const withSource = (change: (dataset: DicomDataset) => unknown): EvidenceContext => {
  const context = phantomContext();
  change(context.source.dataset);
  return context;
};

/** One line per content item: depth, relationship, value type, concept, value. */
function lines(item: DicomDataset, depth = 0): string[] {
  return item.items('ContentSequence').flatMap((child) => {
    const concept = child.items('ConceptNameCodeSequence')[0]?.string('CodeValue') ?? '-';
    const value =
      child.string('TextValue') ??
      child.string('UID') ??
      child.items('ConceptCodeSequence')[0]?.string('CodeValue') ??
      child.items('MeasuredValueSequence')[0]?.string('NumericValue') ??
      child.items('ReferencedSOPSequence')[0]?.string('ReferencedSOPInstanceUID') ??
      '';
    const [relationship, type] = [child.string('RelationshipType'), child.string('ValueType')];
    const line = `${'>'.repeat(depth)}${relationship} ${type} ${concept} ${value}`.trimEnd();
    return [line, ...lines(child, depth + 1)];
  });
}

describe('buildVolumeReport', () => {
  it('has the tree of TID 1500 with one measurement group per tissue', () => {
    const context = phantomContext();
    const tree = lines(build(context));
    const minted = new Map(context.minter.minted.map((m) => [`${m.role} ${m.index}`, m.uid]));
    expect(tree.filter((line) => !line.includes('IMAGE'))).toEqual([
      'HAS CONCEPT MOD CODE 121049 en-GB',
      'HAS OBS CONTEXT CODE 121005 121007',
      `HAS OBS CONTEXT UIDREF 121012 ${PHANTOM_MANIFEST.deviceUid}`,
      'HAS OBS CONTEXT TEXT 121013 meshnet-tissue',
      'HAS OBS CONTEXT TEXT 121014 Brainchop research group',
      'HAS OBS CONTEXT TEXT 121015 MeshNet tissue segmentation',
      `HAS OBS CONTEXT TEXT 121016 ${context.modelDigest}`,
      'HAS CONCEPT MOD CODE 121058 25056-3',
      'CONTAINS CONTAINER 111028',
      '>CONTAINS CONTAINER 126200',
      'CONTAINS CONTAINER 126010',
      ...group('white matter', '389080008', '518.5', minted.get('tracking 1')),
      ...group('grey matter', '389081007', '735.2', minted.get('tracking 2')),
      'CONTAINS CONTAINER C0034375',
      '>CONTAINS TEXT 121106 No voxel belongs to a class, so there is no segmentation object.',
      '>CONTAINS TEXT 121106 RESEARCH MODEL, NOT FOR CLINICAL USE. AI result, not verified. ' +
        `AIFI job ${context.jobId}.`,
    ]);
    function group(label: string, code: string, volume: string, uid?: string): string[] {
      return [
        '>CONTAINS CONTAINER 125007',
        `>>HAS OBS CONTEXT TEXT 112039 meshnet-tissue ${label}`,
        `>>HAS OBS CONTEXT UIDREF 112040 ${uid}`,
        `>>CONTAINS CODE 121071 ${code}`,
        `>>HAS CONCEPT MOD CODE 363698007 ${code}`,
        `>>CONTAINS NUM 118565006 ${volume}`,
        '>>>HAS CONCEPT MOD TEXT 111001 MeshNet tissue segmentation',
        '>>>HAS CONCEPT MOD TEXT 111003 1.0.0',
        '>>>HAS CONCEPT MOD TEXT 122405 Brainchop research group',
        `>>>HAS CONCEPT MOD TEXT 111002 model sha256 ${context.modelDigest}`,
        '>>>HAS CONCEPT MOD CODE 111000 123110',
      ];
    }
  });

  it('lists every source instance in the library, under each value and in the evidence', () => {
    const dataset = build();
    const uids = phantomInstances().map((instance) => instance.sopInstanceUid);
    const tree = lines(dataset);
    const under = (prefix: string): string[] =>
      tree.filter((line) => line.startsWith(prefix)).map((line) => line.split(' ').at(-1)!);
    expect(under('>>CONTAINS IMAGE -')).toEqual(uids);
    expect(under('>>>INFERRED FROM IMAGE 121112')).toEqual([...uids, ...uids]);
    const [study] = dataset.items('CurrentRequestedProcedureEvidenceSequence');
    const [series, none] = study!.items('ReferencedSeriesSequence');
    expect(study!.string('StudyInstanceUID')).toBe('2.25.1000');
    expect(none).toBeUndefined();
    expect(series!.string('SeriesInstanceUID')).toBe('2.25.1001');
    const references = series!.items('ReferencedSOPSequence');
    expect(references.map((r) => r.string('ReferencedSOPInstanceUID'))).toEqual(uids);
    expect(references[0]!.string('ReferencedSOPClassUID')).toBe(MR_IMAGE_STORAGE);
  });

  it('names the segment of each volume, and lists the segmentation in the evidence', () => {
    const context = phantomContext();
    const labels = phantomSeries().labels.map((value) => (value === 2 ? 0 : value));
    const segmentation = buildSegmentation(context, { ...phantomSeries(), labels })!;
    const sut = buildVolumeReport(context, VOLUMES, segmentation);
    expect(checkReport(sut)).toEqual([]);
    const uid = segmentation.dataset.string('SOPInstanceUID')!;
    const tree = lines(sut);
    // Class 2 has no voxel in it: its volume stands alone, and the remark does not come.
    expect(tree.filter((line) => line.includes(uid))).toEqual([`>>CONTAINS IMAGE 121191 ${uid}`]);
    expect(tree.filter((line) => line.includes('121232'))).toEqual([
      '>>CONTAINS UIDREF 121232 2.25.1001',
    ]);
    expect(tree.some((line) => line.includes('no segmentation object'))).toBe(false);
    const [study] = sut.items('CurrentRequestedProcedureEvidenceSequence');
    const [, series] = study!.items('ReferencedSeriesSequence');
    const [reference] = series!.items('ReferencedSOPSequence');
    expect(reference!.string('ReferencedSOPClassUID')).toBe(SEGMENTATION_STORAGE);
    expect(reference!.string('ReferencedSOPInstanceUID')).toBe(uid);
    expect(series!.string('SeriesInstanceUID')).toBe(
      segmentation.dataset.string('SeriesInstanceUID'),
    );
  });

  it('gives volumes in mL by UCUM with one decimal', () => {
    const measured = build()
      .items('ContentSequence')
      .find((item) => item.items('ConceptNameCodeSequence')[0]?.string('CodeValue') === '126010')!
      .items('ContentSequence')[0]!
      .items('ContentSequence')
      .find((item) => item.string('ValueType') === 'NUM')!
      .items('MeasuredValueSequence')[0]!;
    const [unit] = measured.items('MeasurementUnitsCodeSequence');
    expect(measured.get('NumericValue')?.vr).toBe('DS');
    expect(unit?.string('CodeValue')).toBe('mL');
    expect(unit?.string('CodingSchemeDesignator')).toBe('UCUM');
    expect(unit?.string('CodeMeaning')).toBe('milliliter');
  });

  it('is complete, unverified and preliminary, with the empty sequences that the IOD asks', () => {
    const dataset = build();
    expect(dataset.string('CompletionFlag')).toBe('COMPLETE');
    expect(dataset.string('VerificationFlag')).toBe('UNVERIFIED');
    expect(dataset.string('PreliminaryFlag')).toBe('PRELIMINARY');
    expect(dataset.get('ReferencedPerformedProcedureStepSequence')?.value).toEqual([]);
    expect(dataset.get('PerformedProcedureCodeSequence')?.value).toEqual([]);
  });

  it('carries the job readably and names product and platform as contributing equipment', () => {
    const context = phantomContext();
    const [algorithm, platform] = build(context).items('ContributingEquipmentSequence');
    expect(algorithm!.string('ContributionDescription')).toBe(`AIFI job ${context.jobId}`);
    expect(algorithm!.string('DeviceUID')).toBe(PHANTOM_MANIFEST.deviceUid);
    expect(algorithm!.string('SoftwareVersions')).toBe('1.0.0');
    expect(platform!.string('ManufacturerModelName')).toBe('AIFI hub');
    expect(platform!.string('SoftwareVersions')).toBe('0.1.0');
    for (const item of [algorithm!, platform!]) {
      const [purpose] = item.items('PurposeOfReferenceCodeSequence');
      expect(purpose?.string('CodeValue')).toBe('109102');
    }
  });

  it('copies patient and study, but no equipment, institution or identity marker', () => {
    const dataset = build();
    expect(dataset.string('PatientID')).toBe('PSEUDO-7F3A');
    expect(dataset.string('IssuerOfPatientID')).toBe('AIFI');
    expect(dataset.string('StudyDate')).toBe('20240301');
    expect(dataset.bytes('AccessionNumber')).toHaveLength(0);
    expect(dataset.string('Manufacturer')).toBe('Brainchop research group');
    expect(dataset.has('InstitutionName')).toBe(false);
    expect(dataset.has('PatientIdentityRemoved')).toBe(false);
  });

  it('writes text of any source character set as UTF-8, also inside sequences', () => {
    const latin = Buffer.from('MRT Schädel', 'latin1');
    const context = withSource((dataset) => {
      dataset.setString('SpecificCharacterSet', 'ISO_IR 100').setBytes('StudyDescription', latin);
      const issuer = new DicomDataset().setBytes('LocalNamespaceEntityID', latin, 'UT');
      issuer.inheritCharacterSets(dataset);
      dataset.setItems('IssuerOfAccessionNumberSequence', [issuer]);
    });
    const dataset = build(context);
    expect(dataset.string('SpecificCharacterSet')).toBe('ISO_IR 192');
    expect(dataset.string('StudyDescription')).toBe('MRT Schädel');
    const [issuer] = dataset.items('IssuerOfAccessionNumberSequence');
    expect(Buffer.from(issuer!.bytes('LocalNamespaceEntityID')!).toString()).toContain('Schädel');
  });

  it("writes real time in the source's zone, or else in the zone of the context", () => {
    const own = build();
    expect(own.string('TimezoneOffsetFromUTC')).toBe('+0200');
    expect([own.string('ContentDate'), own.string('ContentTime')]).toEqual(['20260306', '003015']);
    const source = build(withSource((d) => d.setString('TimezoneOffsetFromUTC', '-0330')));
    expect(source.string('TimezoneOffsetFromUTC')).toBe('-0330');
    expect([source.string('SeriesDate'), source.string('SeriesTime')]).toEqual([
      '20260305',
      '190015',
    ]);
  });

  it('falls back to the general procedure for a modality without a code of its own', () => {
    const tree = lines(build(withSource((dataset) => dataset.setString('Modality', 'XA'))));
    expect(tree).toContain('HAS CONCEPT MOD CODE 121058 363679005');
  });

  it('gives the same bytes for the same context', () => {
    const bytes = (): Buffer =>
      encodePart10(buildVolumeReport(phantomContext(), VOLUMES, undefined));
    expect(bytes().equals(bytes())).toBe(true);
  });

  it('refuses no, double, uncoded or impossible measurements and a source without study', () => {
    const refused = (measurements: typeof VOLUMES): void => {
      expect(() => buildVolumeReport(phantomContext(), measurements, undefined)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    };
    refused([]);
    refused([VOLUMES[0]!, VOLUMES[0]!]);
    refused([{ classValue: 0, volumeMl: 1 }]);
    refused([{ classValue: 9, volumeMl: 1 }]);
    refused([{ classValue: 1, volumeMl: Number.NaN }]);
    refused([{ classValue: 1, volumeMl: -1 }]);
    const context = withSource((dataset) => dataset.delete('StudyInstanceUID'));
    expect(() => build(context)).toThrow(expect.objectContaining({ code: 'DICOM_MALFORMED' }));
  });

  it('stays within the header limits at the largest source, and refuses a larger one', () => {
    const largest = phantomContext({
      source: { dataset: phantomSource(), instances: phantomInstances(SOURCE_INSTANCES_MAX) },
    });
    const bytes = encodePart10(buildVolumeReport(largest, VOLUMES, undefined));
    expect(bytes.length).toBeLessThan(LIMITS.headerBytesMax / 3);
    const instances = phantomInstances(SOURCE_INSTANCES_MAX + 1);
    const larger = phantomContext({ source: { dataset: phantomSource(), instances } });
    expect(() => build(larger)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    const none = phantomContext({ source: { dataset: phantomSource(), instances: [] } });
    expect(() => build(none)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('leaves sources to the image library when classes times slices grow out of hand', () => {
    const classes = Array.from({ length: 20 }, (_, value) => ({
      ...PHANTOM_MANIFEST.output.classes[1]!,
      value,
    }));
    const instances = phantomInstances(Math.ceil(VALUE_SOURCES_MAX / classes.length) + 1);
    const context = phantomContext({
      product: { ...PHANTOM_MANIFEST, output: { kind: 'segmentation', name: 'out', classes } },
      source: { dataset: phantomSource(), instances },
    });
    const volumes = classes.map(({ value }) => ({ classValue: value, volumeMl: value }));
    const sut = buildVolumeReport(context, volumes, undefined);
    const images = lines(sut).filter((line) => line.includes(' IMAGE '));
    expect(images).toHaveLength(instances.length);
    expect(checkReport(sut)).toEqual([]);
  });
});
