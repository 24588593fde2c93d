/**
 * Goal: the engine keeps nothing that identifies and everything that a model needs.
 * Method: one phantom header, properties over generated identities (fast-check), and each rule of
 * the specification as one example.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DicomDataset, encodeDataset, type DicomElement } from '@aifi/dicom-core';
import type { ReasonCode } from '@aifi/shared-kernel';
import { DEFAULT_CONTRACT, pseudonymiseHeader, type DeidentificationContext } from './index.js';
import { cleanDescriptor } from './vocabulary.js';

const EXPLICIT_LE = { explicitVr: true, littleEndian: true };
const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  contract: { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' },
};
const otherSite: DeidentificationContext = {
  ...context,
  keys: { uid: Buffer.alloc(32, 4), pid: Buffer.alloc(32, 5), date: Buffer.alloc(32, 6) },
};

function aHeader(): DicomDataset {
  const region = new DicomDataset()
    .setString('CodeValue', '69536005')
    .setString('CodingSchemeDesignator', 'SCT')
    .setString('CodeMeaning', 'Head');
  return new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY'])
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('SOPInstanceUID', '1.2.3.4.1')
    .setString('StudyInstanceUID', '1.2.3.4.2')
    .setString('SeriesInstanceUID', '1.2.3.4.3')
    .setString('FrameOfReferenceUID', '1.2.3.4.4')
    .setString('StudyDate', '20240229')
    .setString('AcquisitionDateTime', '20240301101530.25+0100')
    .setString('StudyTime', '101500')
    .setString('Modality', 'MR')
    .setString('PatientName', 'Berg^Jan^van der')
    .setString('PatientID', '0012345')
    .setString('PatientBirthDate', '19610403')
    .setString('PatientSex', 'M')
    .setString('PatientAge', '062Y')
    .setString('SeriesDescription', 'T1 MPRAGE sag dr. Visser')
    .setNumbers('PixelSpacing', [0.5, 0.75])
    .setNumbers('Rows', [4])
    .setItems('AnatomicRegionSequence', [region]);
}

function pseudonymised(dataset: DicomDataset, by = context): DicomDataset {
  const result = pseudonymiseHeader(dataset, by);
  if (!result.ok) throw new Error(result.refusal.code);
  return result.value.dataset;
}
const bytesOf = (dataset: DicomDataset): Buffer => encodeDataset(dataset, EXPLICIT_LE);

describe(pseudonymiseHeader.name, () => {
  it('lets no identity string of four characters or more survive in any output byte', () => {
    const baseline = bytesOf(pseudonymised(aHeader())).toString('latin1').toLowerCase();
    const word = fc
      .stringMatching(/^[A-Za-z][a-z0-9]{3,11}$/)
      .filter((text) => !baseline.includes(text.toLowerCase()) && cleanDescriptor(text) === '');
    const carriers = fc.record({ name: word, id: word, accession: word, place: word, note: word });
    fc.assert(
      fc.property(carriers, ({ name, id, accession, place, note }) => {
        const nested = new DicomDataset()
          .setString('PatientComments', note)
          .setString('CodeMeaning', 'x');
        const header = aHeader()
          .setString('PatientName', `${name}^${note}`)
          .setString('PatientID', id)
          .setString('IssuerOfPatientID', place)
          .setString('AccessionNumber', accession)
          .setString('InstitutionName', place)
          .setString('OperatorsName', name)
          .setString('StudyDescription', `CT ${name} ${id} head ${note}`)
          .setString('ProtocolName', `${name}_${accession}`)
          .setString('ImageComments', note)
          .setString('StudyID', accession)
          .setString(0x00290010, note, 'LO')
          .setString(0x00291001, `${name} ${id}`, 'UN')
          .setString(0x60000022, note, 'LO')
          .setString(0xfffcfffc, note, 'OB')
          .setString('ContentTime', note)
          .setString('SliceLocation', note)
          .setItems('AnatomicRegionSequence', [nested])
          .setItems('OtherPatientIDsSequence', [new DicomDataset().setString('PatientID', id)]);
        const output = bytesOf(pseudonymised(header)).toString('latin1').toLowerCase();
        for (const secret of [name, id, accession, place, note]) {
          expect(output.includes(secret.toLowerCase())).toBe(false);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('maps UIDs injectively, the same everywhere, and reports the map', () => {
    const uid = fc.stringMatching(/^1\.3(\.[1-9][0-9]{0,6}){3,6}$/);
    fc.assert(
      fc.property(fc.uniqueArray(uid, { minLength: 4, maxLength: 4 }), (uids) => {
        const keywords = [
          'SOPInstanceUID',
          'StudyInstanceUID',
          'SeriesInstanceUID',
          'FrameOfReferenceUID',
        ];
        const header = aHeader();
        keywords.forEach((keyword, i) => header.setString(keyword, uids[i]!));
        const result = pseudonymiseHeader(header, context);
        if (!result.ok) throw new Error('refused');
        const mapped = keywords.map((keyword) => result.value.dataset.string(keyword)!);
        expect(new Set(mapped).size).toBe(4);
        expect(mapped.map((m) => result.value.uids.get(m as never))).toEqual(uids);
        const again = pseudonymised(header, otherSite);
        expect(keywords.some((keyword, i) => again.string(keyword) === mapped[i])).toBe(false);
      }),
    );
  });

  it('is deterministic to the byte and keeps the input as it was', () => {
    const header = aHeader();
    const before = bytesOf(header);
    expect(bytesOf(pseudonymised(header))).toEqual(bytesOf(pseudonymised(aHeader())));
    expect(bytesOf(header)).toEqual(before);
  });

  it('shifts all dates of a patient by the same whole days, at most 3650 back, and keeps times', () => {
    const day = fc.date({
      min: new Date('1990-01-01'),
      max: new Date('2030-01-01'),
      noInvalidDate: true,
    });
    const text = (date: Date): string => date.toISOString().slice(0, 10).replaceAll('-', '');
    const parsed = (da: string): number =>
      Date.UTC(Number(da.slice(0, 4)), Number(da.slice(4, 6)) - 1, Number(da.slice(6, 8)));
    fc.assert(
      fc.property(day, day, (a, b) => {
        const header = aHeader().setString('StudyDate', text(a)).setString('ContentDate', text(b));
        const output = pseudonymised(header);
        const shifts = [
          parsed(output.string('StudyDate')!) - parsed(text(a)),
          parsed(output.string('ContentDate')!) - parsed(text(b)),
        ].map((ms) => ms / 86_400_000);
        expect(shifts[0]).toBe(shifts[1]);
        expect(shifts[0]).toBeLessThanOrEqual(-1);
        expect(shifts[0]).toBeGreaterThanOrEqual(-3650);
        expect(output.string('StudyTime')).toBe('101500');
      }),
    );
    expect(pseudonymised(aHeader()).string('AcquisitionDateTime')).toMatch(
      /^\d{8}101530\.25\+0100$/,
    );
  });

  it.each(['20240230', '2024.02.03', '19610403\\Jansen', 'today'])(
    'empties the invalid date %s instead of passing it on',
    (date) => {
      const header = aHeader().put({ tag: 0x00080020, vr: 'DA', value: Buffer.from(date) });
      expect(pseudonymised(header).get('StudyDate')?.value).toHaveLength(0);
    },
  );

  it.each(['E000', '+31-6-12345678', '1961-04-03', '12345678.9.1', 'e', '--', '12e', '12 34'])(
    'empties the number %s, which is none',
    (text) => {
      const header = aHeader().setString('SliceLocation', text).setString('SeriesNumber', text);
      const output = pseudonymised(header);
      expect(output.get('SliceLocation')?.value).toHaveLength(0);
      expect(output.get('SeriesNumber')?.value).toHaveLength(0);
    },
  );

  it.each(['1', '-0.5', '+1.', '.25', '1.5e-07', ' 12 ', '', '0.5\\0.75', '1\\\\3'])(
    'keeps the numbers "%s" as they are',
    (text) => {
      const output = pseudonymised(aHeader().setString('PixelSpacing', text));
      expect(output.bytes('PixelSpacing')).toEqual(
        aHeader().setString('PixelSpacing', text).bytes('PixelSpacing'),
      );
    },
  );

  it.each([
    ['089Y', '089Y'],
    ['091Y', '090Y'],
    ['104Y', '090Y'],
    ['140M', '140M'],
    ['62', undefined],
    ['Jan9', undefined],
  ])('gives the age %s as %s', (age, expected) => {
    const header = aHeader().setString('PatientAge', age).setString('PatientBirthDate', '');
    expect(pseudonymised(header).string('PatientAge')).toBe(expected);
  });

  it('drops a kept attribute whose VR is not the one of the standard', () => {
    const header = aHeader().setString('ContentDate', '19610403', 'LO');
    expect(pseudonymised(header).has('ContentDate')).toBe(false);
  });

  it('keeps what a model needs and reduces descriptions to the vocabulary', () => {
    const output = pseudonymised(aHeader());
    expect(output.numbers('PixelSpacing')).toEqual([0.5, 0.75]);
    expect(output.string('PatientSex')).toBe('M');
    expect(output.string('PatientAge')).toBe('062Y');
    expect(output.string('SeriesDescription')).toBe('T1 MPRAGE SAG');
    expect(output.items('AnatomicRegionSequence')[0]?.string('CodeMeaning')).toBe('Head');
  });

  it('writes the markers of the profile, the pseudonym and the empty values', () => {
    const output = pseudonymised(aHeader());
    expect(output.string('PatientID')).toMatch(/^SITE-A-[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(output.string('PatientName')).toBe(output.string('PatientID'));
    expect(output.string('StudyID')).toMatch(/^[0-9A-Z]{16}$/);
    for (const keyword of ['PatientBirthDate', 'AccessionNumber', 'ReferringPhysicianName']) {
      expect((output.get(keyword) as DicomElement).value).toHaveLength(0);
    }
    expect(output.string('PatientIdentityRemoved')).toBe('YES');
    expect(output.string('LongitudinalTemporalInformationModified')).toBe('MODIFIED');
    const codes = output.items('DeidentificationMethodCodeSequence');
    expect(codes.map((item) => item.string('CodeValue'))).toEqual([
      '113100',
      '113105',
      '113107',
      '113108',
    ]);
    const [equipment] = output.items('ContributingEquipmentSequence');
    expect(equipment?.items('PurposeOfReferenceCodeSequence')[0]?.string('CodeValue')).toBe(
      '109104',
    );
    expect(equipment?.string('ContributionDateTime')).toBe(output.string('StudyDate'));
    expect(output.string('SpecificCharacterSet')).toBe('ISO_IR 192');
  });

  it('gives one pseudonym per patient whatever the spelling, and another per issuer', () => {
    const id = (patientId: string, issuer = ''): string =>
      pseudonymised(
        aHeader().setString('PatientID', patientId).setString('IssuerOfPatientID', issuer),
      ).string('PatientID')!;
    expect(id(' abc 12')).toBe(id('ABC  12 '));
    expect(id('abc')).not.toBe(id('abc', 'HIS'));
    expect(id('0123')).not.toBe(id('123'));
  });

  it('writes text that was in another character set as UTF-8', () => {
    const header = aHeader()
      .setString('SpecificCharacterSet', 'ISO_IR 100')
      .put({ tag: 0x00080070, vr: 'LO', value: Buffer.from('Me\xdfger\xe4t', 'latin1') });
    expect(pseudonymised(header).string('Manufacturer')).toBe('Meßgerät');
  });

  const refusals: [string, (header: DicomDataset) => void, ReasonCode][] = [
    ['no Patient ID', (h) => h.delete('PatientID'), 'QUARANTINED_IDENTIFIER'],
    ['no Study Instance UID', (h) => h.delete('StudyInstanceUID'), 'QUARANTINED_IDENTIFIER'],
    [
      'a SOP class without keep-list',
      (h) => h.setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.88.33'),
      'QUARANTINED_IDENTIFIER',
    ],
    ['a private SOP class', (h) => h.setString('SOPClassUID', '1.2.3'), 'QUARANTINED_IDENTIFIER'],
    [
      'secondary capture',
      (h) => h.setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.7'),
      'QUARANTINED_PIXELS',
    ],
    ['burned-in annotation', (h) => h.setString('BurnedInAnnotation', 'YES'), 'QUARANTINED_PIXELS'],
    [
      'a screen save',
      (h) => h.setStrings('ImageType', ['DERIVED', 'SECONDARY', 'SCREEN SAVE']),
      'QUARANTINED_PIXELS',
    ],
    ['an overlay in the pixels', (h) => h.setNumbers(0x60020102, [12], 'US'), 'QUARANTINED_PIXELS'],
    [
      'identity removed elsewhere',
      (h) => h.setString('PatientIdentityRemoved', 'YES'),
      'QUARANTINED_IDENTIFIER',
    ],
    [
      'text that does not decode',
      (h) => h.put({ tag: 0x00080070, vr: 'LO', value: Buffer.from([0xff, 0xfe]) }),
      'QUARANTINED_IDENTIFIER',
    ],
    [
      'a code string that is not ASCII',
      (h) => h.put({ tag: 0x00180015, vr: 'CS', value: Buffer.from([0xc4, 0x41]) }),
      'QUARANTINED_IDENTIFIER',
    ],
  ];
  it.each(refusals)('refuses %s', (_, spoil, code) => {
    const header = aHeader();
    spoil(header);
    expect(pseudonymiseHeader(header, context)).toMatchObject({ ok: false, refusal: { code } });
  });
});
