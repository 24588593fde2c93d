/**
 * Goal: what identifies this patient is found in any kept text, and everyday words are not.
 * Method: one patient with every kind of identifier, each planted in each kept text in many
 * spellings; words that must not be held; numbers with and without the eleven test; hostile
 * lengths.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tagOf, vrOf, type DicomDataset } from '@aifi/dicom-core';
import {
  CLASS_FAMILIES,
  DEFAULT_CONTRACT,
  passesElevenTest,
  pseudonymiseHeader,
  type DeidentificationContext,
} from './index.js';
import { isSnomedIdentifier } from './identifier-sweep.js';
import { aHeaderOf, code, datasetOf, type Attributes } from './test-headers.js';

const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  contract: { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' },
};
const IDENTITY: Attributes = {
  PatientName: 'van der Meijden-Müller^José Cornelis^M.',
  PatientID: '00-123.4567',
  OtherPatientIDsSequence: [{ PatientID: 'ZKH-77881' }],
  OtherPatientNames: 'Koolstra^Joop',
  PatientBirthDate: '19610403',
  AccessionNumber: 'ACC2024/0815',
  PatientAddress: 'Lindengracht 12, 1234 AB Amsterdam',
  PatientTelephoneNumbers: '+31 6 12345670',
  ReferringPhysicianName: 'Visser^Anna',
  PerformingPhysicianName: 'Hoogland^P',
  NameOfPhysiciansReadingStudy: 'Dam^Els',
  InstitutionName: 'Ziekenhuis Oost',
  InstitutionalDepartmentName: 'Radiologie Oostereind',
  InstitutionAddress: 'Stationsplein 1',
  StationName: 'KAMER33',
  DeviceSerialNumber: 'SN778899',
  OriginalAttributesSequence: [
    { ModifiedAttributesSequence: [{ PatientName: 'Terpstra^J', PatientID: '0047119' }] },
  ],
};
const aHeader = (attributes: Attributes): DicomDataset =>
  aHeaderOf('CT', { ...IDENTITY, ...attributes });
const run = (header: DicomDataset) => pseudonymiseHeader(header, context, { isExamined: true });

/** Of these only listed terms leave, so that there is nothing to look for. */
const LISTED_TERMS = new Set(['BodyPartExamined', 'PatientSex'].map(tagOf));
const PARTS_OF_CODES = new Set(
  ['CodeValue', 'CodingSchemeDesignator', 'CodingSchemeVersion', 'CodeMeaning'].map(tagOf),
);

const SPELLINGS = [
  ...['Meijden', 'MEYDEN', 'meÿden', 'Müller', 'MULLER', 'josé', 'JOSE', 'x Cornelis y'],
  ...['vandermeijdenmuller', 'Koolstra', 'Koolstra,Joop', 'dr.Visser', 'HOOGLAND'],
  ...['001234567', '00-123-4567', 'nr 1234567', 'ZKH77881', 'ACC20240815', 'acc 2024 0815'],
  ...['19610403', '1961-04-03', '1961/4/3', '3-4-1961', '03-04-1961', '03.04.1961', '04/03/1961'],
  ...['3 april 1961', '3APR1961', 'April 3, 1961', '03 Apr 1961', '610403', 'd.d. 03-04-61'],
  ...['Lindengracht', '1234AB', '1234 ab', '0612345670', '06-1234 5670', '0031 612345670'],
  ...[
    '123456782',
    '123 456 782',
    '1234.56.782',
    'BSN123456782X',
    'bsn: 12.34.56.78.2',
    '１２３４５６７８２',
  ],
  ...['BSN 123 456 782 03', 'BSN 1234.56.782 03-04-1962', '123_456_782', '123–456–782'],
  ...['123−456−782', '123\u200b456\u200b782', 'BSN0123456782', '03 1234 56 782'],
  ...['3/4/61', '61-04-03', "3 apr '61", 'MUELLER', 'Mueller', 'XR Ziekenhuis Oost', 'oostereind'],
  ...['KAMER-33', 'v2 SN778899', 'Stationsplein', 'Terpstra', 'mw Dam', 'x_DAM_y', 'P47119X'],
];

describe('identifier sweep', () => {
  it.each(SPELLINGS)('holds an object with "%s" in a kept text', (text) => {
    const result = run(aHeader({ ManufacturerModelName: text }));
    expect(result).toEqual({
      ok: false,
      refusal: {
        code: 'QUARANTINED_IDENTIFIER',
        detail: 'an identifier in ManufacturerModelName (0008,1090)',
      },
    });
  });

  it('looks into every kept text of every family, also in items', () => {
    for (const { list, sopClassUids } of CLASS_FAMILIES) {
      for (const [tag, action] of list) {
        const vr = vrOf(tag);
        if (action !== 'K' || !['LO', 'SH', 'CS', 'ST', 'LT', 'UT'].includes(vr)) continue;
        if (LISTED_TERMS.has(tag)) continue;
        const header = aHeader({ SOPClassUID: sopClassUids[0]! });
        header.setString(tag, 'KOOLSTRA', vr);
        // A code outside of an item goes whole.
        if (!PARTS_OF_CODES.has(tag)) expect([tag, run(header).ok]).toEqual([tag, false]);
        const region = datasetOf(code('51185008', 'Chest')).setString(tag, 'KOOLSTRA', vr);
        const nested = aHeader({ SOPClassUID: sopClassUids[0]! });
        expect(run(nested.setItems('AnatomicRegionSequence', [region])).ok).toBe(false);
      }
    }
  });

  it('never tells the value', () => {
    const detail = JSON.stringify(run(aHeader({ Manufacturer: 'Koolstra BV 1961-04-03' })));
    expect(detail).not.toMatch(/koolstra|1961|Meijden/i);
  });

  it('reads names in the character set of the object', () => {
    const header = aHeader({ SpecificCharacterSet: 'ISO_IR 100' });
    const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
    header.put({ tag: 0x00100010, vr: 'PN', value: latin('Grönefeld^Zoë') });
    header.put({ tag: 0x00080070, vr: 'LO', value: latin('Gr\xf6nefeld ') });
    expect(run(header).ok).toBe(false);
  });

  it('text of an identifier that does not decode is no reason to stop, nor a way around', () => {
    const header = aHeader({ Manufacturer: 'Aifi Koolstra' });
    header.put({ tag: 0x00101001, vr: 'PN', value: Buffer.from('Koolstra^\xff\xfe', 'latin1') });
    expect(run(header).ok).toBe(false);
    expect(run(header.setString('Manufacturer', 'Aifi')).ok).toBe(true);
  });

  // Patients who are called like a body part, a maker, a direction or a month are no reason.
  const everyday: [string, Attributes][] = [
    ['Hand', { BodyPartExamined: 'HAND' }],
    ['Voet', { StudyDescription: 'voet links' }],
    ['Philips', { Manufacturer: 'Philips Medical Systems' }],
    ['Wedge', { FilterType: 'WEDGE' }],
    ['Axial', { ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'] }],
    ['Silver', { FilterType: 'SILVER' }],
    ['Bos^Jan', { Manufacturer: 'Bosch Imaging' }],
    ['Berg', { ManufacturerModelName: 'Bergonie 3' }],
    ['Jansen', { ConvolutionKernel: 'Br40d' }],
    ['Arm^Jan', { ManufacturerModelName: 'C ARM 3', BodyPartExamined: 'ARM' }],
    ['Per^Hansson', { ScanOptions: 'PER' }],
    ['van der Ploeg', { Manufacturer: 'Philips van der Systems' }],
    ['Pro^Max', { ManufacturerModelName: 'Edge Pro 3' }],
    ['Bos^Jan', { BodyPartExamined: 'HAND BOS' }],
  ];
  it.each(everyday)('a patient called %s leaves with everyday words', (name, attributes) => {
    expect(run(aHeaderOf('CT', { PatientName: name, ...attributes }))).toMatchObject({ ok: true });
  });

  it.each<[string, Attributes]>([
    ['a short number', { PatientID: '1.0', SoftwareVersions: '1.0' }],
    ['a four digit number', { PatientID: '2012', SoftwareVersions: 'syngo 2012' }],
    ['a placeholder birth date', { PatientBirthDate: '19000101', SoftwareVersions: '19000101' }],
    ['a version like a number', { SoftwareVersions: '12.34.56.78.2' }],
    ['ten digits', { ManufacturerModelName: '1234567820' }],
    ['digits that fail the eleven test', { ManufacturerModelName: '123456789' }],
    ['only zeros', { ManufacturerModelName: '000000000' }],
  ])('%s is no identifier', (_, attributes) => {
    expect(run(aHeaderOf('CT', { PatientID: 'Q7', ...attributes }))).toMatchObject({ ok: true });
  });

  it('names and numbers more than any device writes are refused at once', () => {
    const names = Array.from({ length: 64 }, (_, i) =>
      Array.from({ length: 140 }, (__, j) => `Q${lettersOf(i * 140 + j)}`).join(' '),
    );
    expect(run(aHeader({ OperatorsName: names }))).toEqual({
      ok: false,
      refusal: {
        code: 'QUARANTINED_IDENTIFIER',
        detail: 'more names and numbers than can be looked for',
      },
    });
  });

  it('of many names, also with one beginning, the one that is there is found', () => {
    const names = Array.from({ length: 20 }, (_, i) =>
      Array.from({ length: 40 }, (__, j) => `Qwertyui${lettersOf(i * 40 + j)}`).join(' '),
    );
    const header = (model: string): DicomDataset =>
      aHeader({ OperatorsName: names, ManufacturerModelName: model });
    expect(run(header(`x Qwertyui${lettersOf(799)}`)).ok).toBe(false);
    expect(run(header('Qwertyui Qwerty')).ok).toBe(true);
  });

  it('names at any depth are found, however deep', () => {
    let deep: Attributes = { PatientName: 'Diepenveen^A' };
    for (let i = 0; i < 200; i += 1) deep = { ReferencedStudySequence: [deep] };
    expect(run(aHeader({ ...deep, Manufacturer: 'Aifi Diepenveen' })).ok).toBe(false);
  });

  it.each([
    ['SeriesNumber', '1234567'],
    ['AcquisitionNumber', '20240815'],
    ['InstanceNumber', '19610403'],
  ])('a count (%s) that is a number of the patient is emptied', (keyword, number) => {
    const header = aHeader({ AccessionNumber: '20240815', [keyword]: number });
    const result = run(header);
    expect(result.ok && result.value.dataset.get(keyword)?.value).toHaveLength(0);
    const enhanced = aHeaderOf('Enhanced CT', {
      ...IDENTITY,
      ...{ AccessionNumber: '20240815', [keyword]: number },
    });
    expect(run(enhanced).ok).toBe(false);
  });

  it('a measure that is a number of the patient holds the object', () => {
    for (const number of ['19610403', '0612345670', '+31612345670', ' 1234567 ']) {
      expect([number, run(aHeader({ KVP: number })).ok]).toEqual([number, false]);
    }
    expect(run(aHeader({ PatientID: '10000', ExposureTime: '10000' })).ok).toBe(true);
  });

  it('UIDs, other numbers and dates are exempt', () => {
    const header = aHeader({ FrameOfReferenceUID: '1.2.123456782.19610403', InstanceNumber: 1 });
    header.setString('SliceLocation', '123456782').setString('ContentDate', '19610403');
    expect(run(header)).toMatchObject({ ok: true });
  });

  it('a SNOMED CT code that passes the eleven test is a code; another number there is not', () => {
    const regionOf = (value: string): DicomDataset =>
      aHeader({ AnatomicRegionSequence: [code(value, 'Chest')] });
    const ambiguous = firstNumber(
      (digits) => isSnomedIdentifier(digits) && passesElevenTest(digits),
    );
    expect(run(regionOf(ambiguous))).toMatchObject({ ok: true });
    const social = firstNumber((digits) => !isSnomedIdentifier(digits) && passesElevenTest(digits));
    expect(run(regionOf(social)).ok).toBe(false);
    expect(run(aHeader({ Manufacturer: ambiguous })).ok).toBe(false);
  });

  it('more text than an attribute can hold is refused in bounded time', () => {
    const long = aHeader({});
    long.setString('Manufacturer', '1 2.'.repeat(500_000));
    expect(run(long)).toMatchObject({ refusal: { code: 'QUARANTINED_IDENTIFIER' } });
    const many = aHeader({ ImageType: Array.from({ length: 60_000 }, (_, i) => `W${i}`) });
    expect(run(many)).toMatchObject({ refusal: { code: 'QUARANTINED_IDENTIFIER' } });
    const names = aHeader({ Manufacturer: 'Aifi' });
    names.setString('OtherPatientNames', 'Aa^Bbbbb\\'.repeat(400_000));
    expect(run(names)).toMatchObject({ ok: true });
  });
});

const lettersOf = (number: number): string =>
  [...String(number)].map((digit) => 'BCDFGHJKLM'[Number(digit)]).join('');

function firstNumber(fits: (digits: string) => boolean): string {
  for (let i = 10_000_000; ; i += 1) if (fits(String(i))) return String(i);
}

describe(passesElevenTest.name, () => {
  it.each(['123456782', '111222333', '12345672', '000000012'])('%s passes', (digits) => {
    expect(passesElevenTest(digits)).toBe(
      [...digits.padStart(9, '0')].reduce(
        (sum, digit, i) => sum + Number(digit) * (i === 8 ? -1 : 9 - i),
        0,
      ) %
        11 ===
        0,
    );
  });
  it('holds for one of eleven numbers, and no changed digit passes', () => {
    const number = fc.integer({ min: 1, max: 99_999_999 }).map((n) => String(n).padStart(8, '0'));
    const last = (eight: string): string | undefined =>
      [...'0123456789'].map((d) => eight + d).find(passesElevenTest);
    fc.assert(
      fc.property(
        number,
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 1, max: 9 }),
        (n, i, d) => {
          const valid = last(n);
          if (!valid) return;
          const changed = (Number(valid[i]) + d) % 10;
          expect(passesElevenTest(valid.slice(0, i) + changed + valid.slice(i + 1))).toBe(false);
        },
      ),
    );
    const passing = Array.from({ length: 11_000 }, (_, i) => String(100_000_000 + i * 7919));
    expect(passing.filter(passesElevenTest).length / passing.length).toBeCloseTo(1 / 11, 2);
  });
});

it('the SNOMED CT check digit knows real codes', () => {
  for (const value of ['69536005', '85562004', '51185008', '12738006']) {
    expect(isSnomedIdentifier(value)).toBe(true);
    expect(isSnomedIdentifier(`${value.slice(0, -1)}${(Number(value.at(-1)) + 1) % 10}`)).toBe(
      false,
    );
  }
});
