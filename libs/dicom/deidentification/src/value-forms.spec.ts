/**
 * Goal: codes, numbers, times, UIDs and binary values leave only in the form that the standard
 * gives them, so that no text hides in what is no text.
 * Method: each form with values that are right, that are nearly so, and that are somebody's name.
 */
import { describe, expect, it } from '@jest/globals';
import dcmjs from 'dcmjs';
import { keywordOf, tagOf, vrOf, type DicomDataset } from '@aifi/dicom-core';
import { MULTIPLICITIES } from './binary-values.js';
import {
  CLASS_FAMILIES,
  DEFAULT_CONTRACT,
  pseudonymiseHeader,
  type DeidentificationContext,
} from './index.js';
import { isLookupTable } from './lookup-table.js';
import { aHeaderOf, code, HEADER_NAMES, type Attributes } from './test-headers.js';

const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  contract: { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' },
};
const run = (header: DicomDataset) => pseudonymiseHeader(header, context, { isExamined: true });
function output(name: string, attributes: Attributes): DicomDataset {
  const result = run(aHeaderOf(name, attributes));
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.value.dataset;
}
const ofStandard = (arcs: string): string => `1.2.840.10008.${arcs}`;

describe('UIDs', () => {
  it.each(['SOPInstanceUID', 'StudyInstanceUID', 'SeriesInstanceUID', 'FrameOfReferenceUID'])(
    '%s is remapped also below the root of the standard',
    (keyword) => {
      for (const uid of [ofStandard('99.7730091'), ofStandard('5.1.4.1.1.2')]) {
        expect(output('CT', { [keyword]: uid }).string(keyword)).toMatch(/^2\.25\./);
      }
    },
  );
  it('a well-known frame of reference stays; a number in its place does not', () => {
    const frame = (arcs: string) =>
      output('CT', { FrameOfReferenceUID: ofStandard(arcs) }).string('FrameOfReferenceUID');
    expect(frame('1.4.1.1')).toBe(ofStandard('1.4.1.1'));
    expect(frame('1.4.1.7730091')).toMatch(/^2\.25\./);
  });
  it('a referenced class stays in the form of the registry only', () => {
    const referenced = (uid: string) =>
      output('XA', {
        ReferencedImageSequence: [
          { ReferencedSOPClassUID: uid, ReferencedSOPInstanceUID: ofStandard('7730091.1') },
        ],
      }).items('ReferencedImageSequence')[0]!;
    const image = referenced(ofStandard('5.1.4.1.1.12.1'));
    expect(image.string('ReferencedSOPClassUID')).toBe(ofStandard('5.1.4.1.1.12.1'));
    expect(image.string('ReferencedSOPInstanceUID')).toMatch(/^2\.25\./);
    for (const uid of [ofStandard('19610403'), ofStandard('5.1.4.1.1.7730091')]) {
      expect(referenced(uid).string('ReferencedSOPClassUID')).toMatch(/^2\.25\./);
    }
  });
});

describe('code strings', () => {
  it.each([
    ['HAND', 'HAND'],
    ['Brain', 'BRAIN'],
    ['WHOLE BODY', 'WHOLE BODY'],
    ['C-Spine', 'CSPINE'],
    ['HAND PIETERSEN', 'HAND'],
    ['hand mw Pietersen-de Boer, Dorpsstraat 12', 'HAND'],
    ['PIETERSEN', undefined],
  ])('the body part %s becomes %s', (received, expected) => {
    expect(output('CT', { BodyPartExamined: received }).string('BodyPartExamined')).toBe(expected);
  });
  it('what is no code is emptied, and holds the object where it may not be empty', () => {
    for (const text of ['prone, mw Pietersen', 'A'.repeat(17), 'lower']) {
      expect(
        output('CT', { RotationDirection: text }).get('RotationDirection')?.value,
      ).toHaveLength(0);
      expect(run(aHeaderOf('CT', { Modality: text })).ok).toBe(false);
    }
    const types = output('CT', { ImageType: ['ORIGINAL', 'PRIMARY', 'mw Pietersen', 'MPR'] });
    expect(types.strings('ImageType')).toEqual(['ORIGINAL', 'PRIMARY', '', 'MPR']);
    expect(run(aHeaderOf('CT', { ImageType: ['mw Pietersen', 'PRIMARY'] })).ok).toBe(false);
  });
});

describe('coded items', () => {
  const regionOf = (...items: Attributes[]): DicomDataset =>
    output('CT', { AnatomicRegionSequence: items }).items('AnatomicRegionSequence')[0]!;
  it('a code of a known scheme stays with a meaning of listed words', () => {
    for (const [value, meaning, scheme] of [
      ['113257007', 'Structure of cardiovascular system', 'SCT'],
      ['T-D1000', 'Neck', 'SRT'],
      ['ml/100ml/s', 'ml/100ml/s', 'UCUM'],
      ['399368009', 'medio-lateral oblique', 'SCT'],
    ] as const) {
      expect(regionOf(code(value, meaning, scheme)).string('CodeMeaning')).toBe(meaning);
    }
  });
  it('any other meaning becomes the code, never a part of the words', () => {
    const region = regionOf(code('113257007', 'Hand dr. Pietersen'));
    expect(region.string('CodeMeaning')).toBe('113257007');
  });
  it.each([
    code('113257008', 'Hand'),
    code('Pietersen', 'Hand', '99LOCAL'),
    code('12', 'Hand', 'L Pieters'),
    { LongCodeValue: 'Pietersen', CodeMeaning: 'Hand' },
  ])('what is no code of a known scheme becomes a dummy', (item) => {
    const region = regionOf(item);
    expect(region.string('CodeValue')).toBe('REMOVED');
    expect(region.string('CodingSchemeDesignator')).toBe('99AIFI');
    expect(region.string('CodeMeaning')).toBe('removed');
  });
  it('a version is one of numbers, and a code outside of an item goes', () => {
    const versions = ['Pietersen', '1.4', '20020904'].map((CodingSchemeVersion) =>
      regionOf({ ...code('T-D1000', 'Neck', 'SRT'), CodingSchemeVersion }).string(
        'CodingSchemeVersion',
      ),
    );
    expect(versions).toEqual([undefined, '1.4', '20020904']);
    expect(output('CT', code('T-D1000', 'Neck', 'SRT')).has('CodeValue')).toBe(false);
  });
});

describe('numbers and times as text', () => {
  it.each([
    ['SeriesNumber', '12345678201234567820', undefined],
    ['SeriesNumber', '1234567890123', undefined],
    ['SeriesNumber', '12', '12'],
    ['KVP', '12345678901234567', undefined],
    ['SliceLocation', '-151.550758584555', '-151.55075858456'],
    ['SliceLocation', '-151.5507585845', '-151.5507585845'],
    ['StudyTime', '123456.782', '123456.782'],
    ['StudyTime', '999999', undefined],
    ['StudyTime', '246060', undefined],
    ['StudyTime', '235960', '235960'],
  ])('%s %s leaves as %s', (keyword, received, expected) => {
    expect(output('CT', { [keyword]: received }).string(keyword)).toBe(expected);
  });
});

describe('binary values', () => {
  const NAME = Buffer.from('Pietersen^Jan de');
  it('no kept binary attribute lets a text pass, but for entries of tables', () => {
    for (const name of HEADER_NAMES) {
      const uid = aHeaderOf(name).string('SOPClassUID')!;
      const { list } = CLASS_FAMILIES.find((one) => one.sopClassUids.includes(uid))!;
      for (const [tag, action] of list) {
        const vr = vrOf(tag);
        if (action !== 'K' || !/^(AT|F[LD]|S[LS]|U[LS]|O.)$/.test(vr)) continue;
        const header = aHeaderOf(name).setBytes(tag, NAME, vr);
        const result = run(header);
        const left = result.ok && result.value.dataset.has(tag);
        expect([keywordOf(tag), left]).toEqual([keywordOf(tag), false]);
      }
    }
  });
  it('multiplicities are those of the dictionary', () => {
    const rows = dcmjs.data.DicomMetaDictionary.nameMap as Record<string, { vm: string }>;
    const kept = new Set(CLASS_FAMILIES.flatMap(({ list }) => [...list.keys()]));
    for (const tag of kept) {
      if (!/^(AT|F[LD]|S[LS]|U[LS])$/.test(vrOf(tag)) || isLookupTable(tag)) continue;
      const vm = rows[keywordOf(tag)]!.vm;
      const [least, most] = MULTIPLICITIES.get(tag) ?? [1, 1];
      const isRange = vm.includes('n');
      const told = isRange || least === most ? String(least) : `${least}-${most}`;
      expect([keywordOf(tag), told]).toEqual([keywordOf(tag), isRange ? vm.split('-')[0] : vm]);
    }
  });
  it('a pointer points to an attribute of the dictionary or of a private group', () => {
    const pointerOf = (group: number, element: number) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt16LE(group, 0);
      bytes.writeUInt16LE(element, 2);
      const header = aHeaderOf('Enhanced CT');
      header.items('DimensionIndexSequence')[0]!.setBytes('DimensionIndexPointer', bytes);
      const result = run(header);
      return result.ok && result.value.dataset.items('DimensionIndexSequence')[0]!;
    };
    const pointer = tagOf('DimensionIndexPointer');
    for (const [group, element, isKept] of [
      [0x0020, 0x9056, true],
      [0x2001, 0x1063, true],
      [0x6542, 0x6772, false],
      [0x6543, 0x6772, false],
    ] as const) {
      const item = pointerOf(group, element);
      expect(item && item.has(pointer)).toBe(isKept);
    }
  });
  it('offset tables and tables of real world values are not kept', () => {
    expect(output('CT', { ExtendedOffsetTable: Buffer.alloc(8) }).size).toBe(output('CT', {}).size);
  });
});
