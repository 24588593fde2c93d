/**
 * Goal: the status object tells of every product once what became of it, in the hospital's
 * language, under the patient as the hospital knows them. Method: build, encode, read back, look
 * at the tree.
 */
import { describe, expect, it } from '@jest/globals';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { REASON_CODES, type ReasonCode } from '@aifi/shared-kernel';
import type { StatusContext } from './status-modules.js';
import {
  LATIN_NAME,
  statusContext,
  statusProducts,
  STUDY_UID,
  unfinishedProduct,
} from './status-phantom.js';
import { buildStatusReport, STATUS_IMAGES_MAX, type StatusReport } from './status-report.js';
import { phantomInstances } from './test-phantom.js';

const build = (
  report: Partial<StatusReport> = {},
  context: StatusContext = statusContext(),
): DicomDataset => {
  const whole = { products: statusProducts(), language: 'en-GB', ...report } as const;
  return decodePart10(encodePart10(buildStatusReport(context, whole))).dataset;
};
const codeValue = (item: DicomDataset | undefined): string | undefined =>
  item?.string('CodeValue') ?? item?.string('LongCodeValue');

/** One line per content item: depth, relationship, value type, concept, value. */
function lines(item: DicomDataset, depth = 0): string[] {
  return item.items('ContentSequence').flatMap((child) => {
    const concept = codeValue(child.items('ConceptNameCodeSequence')[0]) ?? '-';
    const value =
      child.string('TextValue') ??
      child.string('UID') ??
      codeValue(child.items('ConceptCodeSequence')[0]) ??
      child.items('ReferencedSOPSequence')[0]?.string('ReferencedSOPInstanceUID') ??
      '';
    const [relationship, type] = [child.string('RelationshipType'), child.string('ValueType')];
    const line = `${'>'.repeat(depth)}${relationship} ${type} ${concept} ${value}`.trimEnd();
    return [line, ...lines(child, depth + 1)];
  });
}
const comments = (dataset: DicomDataset): string[] =>
  lines(dataset)
    .filter((line) => line.startsWith('>CONTAINS TEXT 121106'))
    .map((line) => line.slice('>CONTAINS TEXT 121106 '.length));

describe('buildStatusReport', () => {
  it('has the tree of TID 1500 with an evaluation and a sentence per product', () => {
    expect(lines(build())).toEqual([
      'HAS CONCEPT MOD CODE 121049 en-GB',
      'HAS OBS CONTEXT CODE 121005 121007',
      'HAS OBS CONTEXT UIDREF 121012 2.25.9003',
      'HAS OBS CONTEXT TEXT 121013 AIFI gateway',
      'HAS OBS CONTEXT TEXT 121014 AIFI',
      'HAS OBS CONTEXT TEXT 121015 AIFI gateway',
      'HAS OBS CONTEXT TEXT 121016 site-a',
      'HAS CONCEPT MOD CODE 121058 25056-3',
      'CONTAINS CONTAINER 111028',
      '>CONTAINS CONTAINER 126200',
      ...phantomInstances(3).map((one) => `>>CONTAINS IMAGE - ${one.sopInstanceUid}`),
      'CONTAINS CONTAINER C0034375',
      '>CONTAINS CODE fracture-stand-in NOT_FOUND',
      '>>HAS CONCEPT MOD TEXT 111001 Fracture stand-in',
      '>>HAS CONCEPT MOD TEXT 111003 1.0.0',
      '>>HAS CONCEPT MOD TEXT 111002 product fracture-stand-in',
      '>>INFERRED FROM CODE 125605004 121054',
      '>>>INFERRED FROM IMAGE - 2.25.4',
      '>>INFERRED FROM COMPOSITE - 2.25.3111',
      '>CONTAINS TEXT 121106 Fracture stand-in 1.0.0: looked for and not found: ' +
        'Fracture of bone, on 1 image. STAND-IN, NOT FOR CLINICAL USE.',
      '>CONTAINS CODE lung COVERAGE_INSUFFICIENT',
      '>>HAS CONCEPT MOD TEXT 111001 Lung',
      '>>HAS CONCEPT MOD TEXT 111003 2.0.0',
      '>>HAS CONCEPT MOD TEXT 111002 product lung',
      '>>INFERRED FROM TEXT 121106 COVERAGE_INSUFFICIENT: coverage',
      '>CONTAINS TEXT 121106 Lung 2.0.0: the images show too little of the body part ' +
        '(COVERAGE_INSUFFICIENT: coverage).',
      '>CONTAINS CODE meshnet-tissue RESULT_IN_PACS',
      '>>HAS CONCEPT MOD TEXT 111001 MeshNet tissue segmentation',
      '>>HAS CONCEPT MOD TEXT 111003 1.0.0',
      '>>HAS CONCEPT MOD TEXT 111002 product meshnet-tissue',
      '>>INFERRED FROM COMPOSITE - 2.25.3112',
      '>>INFERRED FROM IMAGE - 2.25.3113',
      '>>INFERRED FROM IMAGE - 2.25.3114',
      '>CONTAINS TEXT 121106 MeshNet tissue segmentation 1.0.0: result in the PACS. ' +
        'RESEARCH MODEL, NOT FOR CLINICAL USE.',
      '>CONTAINS TEXT 121106 AI status of this study. AI results are not verified.',
    ]);
  });

  it('speaks Dutch where the site does', () => {
    const sut = build({ language: 'nl-NL' });
    expect(lines(sut)).toContain('HAS CONCEPT MOD CODE 121049 nl-NL');
    expect(comments(sut)).toEqual([
      'Fracture stand-in 1.0.0: gezocht en niet gevonden: Fracture of bone, op 1 beeld. ' +
        'STAND-IN, NOT FOR CLINICAL USE.',
      'Lung 2.0.0: de beelden tonen te weinig van het lichaamsdeel ' +
        '(COVERAGE_INSUFFICIENT: coverage).',
      'MeshNet tissue segmentation 1.0.0: resultaat in het PACS. ' +
        'RESEARCH MODEL, NOT FOR CLINICAL USE.',
      'AI-status van dit onderzoek. AI-resultaten zijn niet geverifieerd.',
    ]);
  });

  it.each(Object.keys(REASON_CODES) as ReasonCode[])(
    'gives reason %s as a code of our own scheme with the text of the table',
    (code) => {
      const [, lung] = statusProducts();
      const sut = build({ products: [{ ...lung, code }] });
      const container = sut.items('ContentSequence').at(-1)!;
      const [value] = container.items('ContentSequence')[0]!.items('ConceptCodeSequence');
      const isLong = code.length > 16;
      expect(value!.string(isLong ? 'LongCodeValue' : 'CodeValue')).toBe(code);
      expect(value!.has(isLong ? 'CodeValue' : 'LongCodeValue')).toBe(false);
      expect(value!.string('CodingSchemeDesignator')).toBe('99AIFI');
      expect(value!.string('CodeMeaning')).toBe(REASON_CODES[code].en);
    },
  );

  it('keeps the identity byte for byte in its own character set, own text in ASCII', () => {
    const sut = build();
    expect(sut.string('SpecificCharacterSet')).toBe('ISO_IR 100');
    expect(Buffer.from(sut.bytes('PatientName')!).equals(LATIN_NAME)).toBe(true);
    expect(sut.string('PatientName')).toBe('Noël^Renée');
    expect(sut.bytes('PatientBirthDate')).toHaveLength(0);
    const [, lung] = statusProducts();
    const dutch = build({
      products: [{ ...lung, code: 'OBJECTION' }],
      language: 'nl-NL',
    });
    expect(comments(dutch)[0]).toContain('de patient heeft bezwaar');
  });

  it('is series 9900 "AI status" of the gateway, unverified, with a readable contribution', () => {
    const sut = build({}, statusContext({ issue: 2 }));
    expect(sut.string('SeriesDescription')).toBe('AI status');
    expect(sut.number('SeriesNumber')).toBe(9900);
    expect(sut.string('InstanceNumber')).toBe('3');
    expect(sut.string('VerificationFlag')).toBe('UNVERIFIED');
    expect([sut.string('ContentDate'), sut.string('ContentTime')]).toEqual(['20260305', '233015']);
    expect(sut.string('TimezoneOffsetFromUTC')).toBe('+0100');
    const [platform] = sut.items('ContributingEquipmentSequence');
    expect(platform!.string('ContributionDescription')).toBe('AIFI study status');
    expect(platform!.string('ContributionDateTime')).toBe('20260305233015+0100');
  });

  it('lists every referenced instance once in the evidence', () => {
    const sut = build();
    const [study] = sut.items('CurrentRequestedProcedureEvidenceSequence');
    expect(study!.string('StudyInstanceUID')).toBe(STUDY_UID);
    const uids = study!
      .items('ReferencedSeriesSequence')
      .flatMap((series) => series.items('ReferencedSOPSequence'))
      .map((reference) => reference.string('ReferencedSOPInstanceUID'));
    expect(new Set(uids).size).toBe(uids.length);
    const referenced = lines(sut)
      .filter((line) => / (IMAGE|COMPOSITE) - /.test(line))
      .map((line) => line.split(' ').at(-1));
    expect(uids.toSorted()).toEqual([...new Set(referenced)].toSorted());
  });

  it('names the status it replaces, by local time and as predecessor', () => {
    const replaces = {
      issuedAt: new Date('2026-03-05T13:05:59Z'),
      seriesInstanceUid: '2.25.8001',
      sopInstanceUid: '2.25.8002',
    };
    const sut = build({ replaces, language: 'nl-NL' });
    expect(comments(sut).at(-1)).toMatch(/ Dit vervangt de status van 14:05\.$/);
    const [study] = sut.items('PredecessorDocumentsSequence');
    const [series] = study!.items('ReferencedSeriesSequence');
    expect(series!.string('SeriesInstanceUID')).toBe('2.25.8001');
    expect(series!.items('ReferencedSOPSequence')[0]!.string('ReferencedSOPInstanceUID')).toBe(
      '2.25.8002',
    );
    const yesterday = { ...replaces, issuedAt: new Date('2026-03-04T22:30:00Z') };
    expect(comments(build({ replaces: yesterday })).at(-1)).toMatch(/ 2026-03-04 23:30\.$/);
  });

  it('says of an unfinished product that it is not finished', () => {
    expect(comments(build({ products: [unfinishedProduct()] }))[0]).toBe(
      'Lung 2.0.0: not finished yet.',
    );
  });

  it('gives the same bytes for the same input', () => {
    const bytes = (): Buffer =>
      encodePart10(
        buildStatusReport(statusContext(), { products: statusProducts(), language: 'nl-NL' }),
      );
    expect(bytes().equals(bytes())).toBe(true);
  });

  it('refuses no product, one twice, one without reason, no or too many images, no study', () => {
    const [, lung] = statusProducts();
    const unexplained = { ...unfinishedProduct(), state: 'NOT_ANALYSED_NOTIFIED' as const };
    const refused = (work: () => unknown, code: string): void => {
      expect(work).toThrow(expect.objectContaining({ code }));
    };
    refused(() => build({ products: [] }), 'INVALID_ARGUMENT');
    refused(() => build({ products: [lung, lung] }), 'INVALID_ARGUMENT');
    refused(() => build({ products: [unexplained] }), 'INVALID_ARGUMENT');
    refused(() => build({}, statusContext({ images: [] })), 'INVALID_ARGUMENT');
    const images = phantomInstances(STATUS_IMAGES_MAX + 1);
    refused(() => build({}, statusContext({ images })), 'LIMIT_EXCEEDED');
    refused(() => build({}, statusContext({ identity: new DicomDataset() })), 'DICOM_MALFORMED');
  });
});
