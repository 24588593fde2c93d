/**
 * Goal: the shared filter file is understood whole or not at all, and matches as it says.
 * Method: the committed file, and small rule texts with one twist each.
 */
import { describe, expect, it } from '@jest/globals';
import { DicomDataset } from '@aifi/dicom-core';
import { matchesOf } from './filter-evaluation.js';
import { loadFilterRules, parseFilterRules } from './filter-rules.js';

const rulesOf = (...lines: string[]): ReturnType<typeof parseFilterRules> =>
  parseFilterRules(['FORMAT dicom', '%filter graylist', 'LABEL one # note', ...lines].join('\n'));
const ct = (): DicomDataset =>
  new DicomDataset()
    .setString('Modality', 'CT')
    .setString('Manufacturer', 'GE MEDICAL SYSTEMS')
    .setStrings('ImageType', ['DERIVED', 'SECONDARY', 'SCREEN SAVE'], 'CS')
    .setNumbers('Rows', [512]);
const names = (rules: ReturnType<typeof parseFilterRules>, header: DicomDataset): string[] =>
  matchesOf(rules, { header, implementationVersionName: 'MINDRAY_1' }).map(({ name }) => name);

describe(loadFilterRules, () => {
  const rules = loadFilterRules();
  it('understands every label of the file', () => {
    const count = (list: string): number => rules.filter((label) => label.list === list).length;
    expect([count('whitelist'), count('graylist'), count('blacklist')]).toEqual([2, 109, 7]);
    expect(rules.every(({ lines }) => lines.length > 0)).toBe(true);
  });
  it('knows the layout of an ultrasound device by model and rows', () => {
    const us = new DicomDataset()
      .setString('Modality', 'US')
      .setString('Manufacturer', 'Philips Medical Systems')
      .setString('ManufacturerModelName', 'EPIQ 5G')
      .setNumbers('Rows', [768]);
    const [layout] = matchesOf(rules, { header: us, implementationVersionName: undefined }).filter(
      ({ list }) => list === 'graylist',
    );
    expect(layout?.regions).toEqual([{ x: 0, y: 0, width: 1024, height: 49 }]);
    expect(layout?.hasSize).toBe(true);
    us.setNumbers('Rows', [767]);
    expect(names(rules, us)).not.toContain('EPIQ 7G');
  });
  it('puts screens, dose reports and declared annotations on the blacklist', () => {
    const header = ct().setString('SeriesDescription', 'Dose Report');
    expect(names(rules, header)).toContain('Stanford Blacklist Dose Report or External');
    expect(names(rules, ct().setString('BurnedInAnnotation', 'YES'))).toContain(
      'Burned In Annotation',
    );
  });
  it('takes a missing Burned In Annotation for neither yes nor no', () => {
    const header = ct().setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'AXIAL'], 'CS');
    expect(names(rules, header)).not.toContain('Burned In Annotation');
    expect(names(rules, header)).not.toContain('Marked as Clean Catch All');
  });
});

describe(parseFilterRules, () => {
  it.each([
    ['an unknown operator', 'resembles Modality CT'],
    ['an unknown attribute', 'contains Modalty CT'],
    ['a condition without its value', 'contains Modality'],
    ['a value where none belongs', 'missing Modality CT'],
    ['a place of three numbers', 'ctpcoordinates 0,0,10'],
    ['a place with a negative number', 'ctpcoordinates 0,-1,10,10'],
    ['a place without extent', 'coordinates 10,10,10,20'],
    ['an unknown section', '%filter purplelist'],
    ['an empty alternative', 'contains Modality CT|'],
  ])('refuses %s', (_, line) => {
    expect(() => rulesOf('contains Modality CT', line)).toThrow('not understood at line');
  });
  it('refuses a rule before its list and a file of another format', () => {
    expect(() => parseFilterRules('FORMAT dicom\nLABEL x')).toThrow('line 2');
    expect(() => parseFilterRules('LABEL x')).toThrow('line 1');
  });
  it('reads both corners, or corner and extent', () => {
    const [label] = rulesOf(
      'contains Modality CT',
      'coordinates 1,2,11,22',
      'ctpcoordinates 1,2,3,4',
    );
    expect(label!.regions).toEqual([
      { x: 1, y: 2, width: 10, height: 20 },
      { x: 1, y: 2, width: 3, height: 4 },
    ]);
  });
});

describe(matchesOf, () => {
  it.each([
    [['contains Modality ct'], true],
    [['contains Modality CT|MR', '+ contains Manufacturer GE'], true],
    [['contains Modality MR', 'contains Manufacturer GE'], false],
    [['contains Modality MR', '|| contains Manufacturer GE'], true],
    [['contains Modality CT', '+ contains Modality MR || contains Manufacturer GE'], true],
    [['contains Modality MR', '+ contains Modality CT || contains Manufacturer GE'], false],
    [['equals Rows 512'], true],
    [['equals Rows 600|512'], true],
    [['equals Rows 51'], false],
    [['contains ImageType DERIVED+SECONDARY+SCREEN SAVE'], true],
    [['contains ImageType DERIVED+PRIMARY'], false],
    [['missing SeriesDescription'], true],
    [['empty SeriesDescription'], false],
    [['contains SeriesDescription x'], false],
    [['contains Manfacturer GE'], true],
    [['contains ImplementationVersionName MINDRAY'], true],
  ])('%j is %s', (lines, matches) => {
    expect(names(rulesOf(...lines), ct())).toEqual(matches ? ['one'] : []);
  });
  it('takes an attribute without a value for empty', () => {
    const header = ct().setString('SeriesDescription', '');
    expect(names(rulesOf('empty SeriesDescription'), header)).toEqual(['one']);
    expect(names(rulesOf('missing SeriesDescription'), header)).toEqual([]);
  });
});
