/**
 * Goal: a product sees what its contract says and no more, and the object says so itself.
 * Method: headers of every family under every kind of contract and clearance; each rule of the
 * contract as one example.
 */
import { describe, expect, it } from '@jest/globals';
import {
  deidentificationContractSchema,
  type DeidentificationContract,
} from '@aifi/contracts-manifests';
import { type DicomDataset } from '@aifi/dicom-core';
import {
  CLAIMED_OPTIONS,
  DEFAULT_CONTRACT,
  DEIDENTIFICATION_METHOD,
  pseudonymiseHeader,
  UNCLAIMED_OPTIONS,
  type ActionReport,
  type PixelClearance,
} from './index.js';
import { aHeaderOf, code, datasetOf, HEADER_NAMES, type Attributes } from './test-headers.js';

const ALLOW: DeidentificationContract = {
  ...DEFAULT_CONTRACT,
  recognisableVisualFeatures: 'allow',
};
const EXAMINED: PixelClearance = { isExamined: true };
const keys = { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) };

function run(header: DicomDataset, contract = ALLOW, clearance = EXAMINED) {
  return pseudonymiseHeader(header, { siteCode: 'SITE-A', keys, contract }, clearance);
}
function pseudonymised(header: DicomDataset, contract = ALLOW, clearance = EXAMINED) {
  const result = run(header, contract, clearance);
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.value.dataset;
}
const codesOf = (dataset: DicomDataset): (string | undefined)[] =>
  dataset.items('DeidentificationMethodCodeSequence').map((item) => item.string('CodeValue'));

describe('a product without a contract', () => {
  it('has the one that the schema of a contract fills in', () => {
    expect(DEFAULT_CONTRACT).toEqual(deidentificationContractSchema.parse({}));
  });
});

describe('patient characteristics', () => {
  it('only what the contract retains stays; sex stays as an empty attribute', () => {
    const header = aHeaderOf('CT').setNumbers('PregnancyStatus', [4]);
    const plain = pseudonymised(header);
    expect(plain.string('PatientAge')).toBe('062Y');
    expect(plain.string('PatientSex')).toBe('F');
    for (const keyword of ['PatientSize', 'PatientWeight', 'PregnancyStatus']) {
      expect(plain.has(keyword)).toBe(false);
    }
    const all = pseudonymised(header, {
      ...ALLOW,
      retain: ['age', 'sex', 'size', 'weight', 'pregnancy'],
    });
    expect(all.number('PatientSize')).toBe(1.71);
    expect(all.number('PatientWeight')).toBe(64);
    expect(all.number('PregnancyStatus')).toBe(4);
    const none = pseudonymised(header, { ...ALLOW, retain: [] });
    expect(none.has('PatientAge')).toBe(false);
    expect(none.get('PatientSex')?.value).toHaveLength(0);
  });

  it('the option is claimed only when something is retained', () => {
    expect(codesOf(pseudonymised(aHeaderOf('CT')))).toContain('113108');
    const none = pseudonymised(aHeaderOf('CT'), { ...ALLOW, retain: [] });
    expect(codesOf(none)).not.toContain('113108');
  });

  it.each(['O', 'M', ''])('the sex "%s" stays as it is', (sex) => {
    const output = pseudonymised(aHeaderOf('CT', { PatientSex: sex }));
    expect(output.strings('PatientSex')).toEqual(sex === '' ? [] : [sex]);
  });

  it.each(['X', 'F mevr Pietersen', 'f'])('"%s" is no sex and is emptied', (sex) => {
    const output = pseudonymised(aHeaderOf('CT', { PatientSex: sex }));
    expect(output.get('PatientSex')?.value).toHaveLength(0);
  });
});

describe('dates', () => {
  const REMOVE: DeidentificationContract = { ...ALLOW, dates: 'remove' };
  it.each(HEADER_NAMES)('of %s are gone at every depth when the contract wants none', (name) => {
    const header = aHeaderOf(name);
    const output = pseudonymised(header, REMOVE);
    const seen: string[] = [];
    const walk = (dataset: DicomDataset): void => {
      for (const { vr, value, tag } of dataset) {
        if (!(value instanceof Uint8Array)) value.forEach(walk);
        else if (['DA', 'DT', 'TM'].includes(vr)) seen.push(...dataset.strings(tag));
      }
    };
    walk(output);
    const dummies = ['19000101', '19000101000000', '000000'];
    expect(seen.filter((text) => !dummies.includes(text))).toEqual([]);
    expect(seen.length > 0).toBe(name.startsWith('Enhanced'));
    expect(output.string('LongitudinalTemporalInformationModified')).toBe('REMOVED');
    expect(codesOf(output)).not.toContain('113107');
    expect(output.items('ContributingEquipmentSequence')[0]?.has('ContributionDateTime')).toBe(
      false,
    );
    // The age is made from the real dates all the same.
    expect(output.string('PatientAge')).toBe('062Y');
    expect(output.get('StudyDate')?.value).toHaveLength(0);
  });

  it('are shifted, and said to be, by default', () => {
    const output = pseudonymised(aHeaderOf('Enhanced MR'));
    expect(output.string('LongitudinalTemporalInformationModified')).toBe('MODIFIED');
    expect(codesOf(output)).toContain('113107');
    const [frame] = output.items('PerFrameFunctionalGroupsSequence');
    const shifted = frame?.items('FrameContentSequence')[0]?.string('FrameAcquisitionDateTime');
    expect(shifted).toBe(`${output.string('StudyDate')}101500`);
    expect(output.items('ContributingEquipmentSequence')[0]?.string('ContributionDateTime')).toBe(
      output.string('StudyDate'),
    );
  });
});

describe('recognisable visual features', () => {
  const regionOf = (value: string, meaning: string): Attributes => ({
    AnatomicRegionSequence: [code(value, meaning)],
  });
  const NONE = {
    BodyPartExamined: '',
    StudyDescription: '',
    SeriesDescription: '',
    ProtocolName: '',
  };
  const cases: [string, string, Attributes, 'YES' | 'NO'][] = [
    ['a CT of the chest', 'CT', { BodyPartExamined: 'CHEST' }, 'NO'],
    ['an MR of the knee', 'MR', { BodyPartExamined: 'KNEE' }, 'NO'],
    ['an MR of a wrist by its code', 'MR', { ...NONE, ...regionOf('8205005', 'Pols') }, 'NO'],
    ['a CT of the abdomen by description', 'CT', { ...NONE, StudyDescription: 'CT buik' }, 'NO'],
    ['a CT of the head', 'CT', { BodyPartExamined: 'HEAD' }, 'YES'],
    ['an MR of the brain', 'MR', { BodyPartExamined: 'BRAIN' }, 'YES'],
    ['a CT of the neck', 'CT', { BodyPartExamined: 'NECK' }, 'YES'],
    ['an MR of the cervical spine', 'MR', { BodyPartExamined: 'C-SPINE' }, 'YES'],
    ['a whole body CT', 'CT', { BodyPartExamined: 'WHOLEBODY' }, 'YES'],
    ['a head by its former code', 'MR', { ...NONE, ...regionOf('T-D1100', '') }, 'YES'],
    ['a head by its meaning', 'MR', { ...NONE, ...regionOf('99X', 'Head') }, 'YES'],
    ['a head by description', 'CT', { ...NONE, SeriesDescription: 'hersenen blanco' }, 'YES'],
    ['a total hip', 'MR', { ...NONE, StudyDescription: 'MR total hip' }, 'NO'],
    ['a CT with a whole body', 'CT', { ...NONE, StudyDescription: 'whole body thorax' }, 'YES'],
    ['a CT of an unknown part', 'CT', NONE, 'YES'],
    ['a CT of a part that no list has', 'CT', { ...NONE, BodyPartExamined: 'ONBEKEND' }, 'YES'],
    ['a chest with a head in its description', 'CT', { StudyDescription: 'CT head' }, 'YES'],
    ['a CT with two parts, one the neck', 'CT', { BodyPartExamined: ['CHEST', 'NECK'] }, 'YES'],
    ['an enhanced MR of the chest by its frames', 'Enhanced MR', {}, 'NO'],
    ['an enhanced CT of the head', 'Enhanced CT', { BodyPartExamined: 'HEAD' }, 'YES'],
    ['a radiograph of a hand', 'DX', {}, 'NO'],
    ['a radiograph of a skull', 'DX', { BodyPartExamined: 'SKULL' }, 'NO'],
    ['a mammogram', 'MG', {}, 'NO'],
    ['an ultrasound', 'US', {}, 'NO'],
    ['an angiogram of the head', 'XA', { BodyPartExamined: 'HEAD' }, 'NO'],
    ['a secondary capture that a person has released', 'SC', {}, 'NO'],
    ['a secondary capture of a head', 'SC', { BodyPartExamined: 'HEAD' }, 'YES'],
  ];
  it.each(cases)('%s', (_, name, attributes, expected) => {
    const header = aHeaderOf(name, attributes);
    expect(pseudonymised(header).string('RecognizableVisualFeatures')).toBe(expected);
    const denied = run(header, DEFAULT_CONTRACT);
    expect(denied.ok).toBe(expected === 'NO');
    if (!denied.ok) expect(denied.refusal.code).toBe('QUARANTINED_PIXELS');
  });

  it('the head may stand in the region of any frame', () => {
    const header = aHeaderOf('Enhanced MR');
    const second = header.items('PerFrameFunctionalGroupsSequence')[1]!;
    second.setItems('FrameAnatomySequence', [datasetOf(regionOf('69536005', 'Head'))]);
    expect(run(header, DEFAULT_CONTRACT)).toMatchObject({ ok: false });
  });
});

describe('clearance of the pixels', () => {
  it('Burned In Annotation says NO only when the pixel gate has looked', () => {
    for (const annotation of ['', 'NO']) {
      const header = aHeaderOf('DX', { BurnedInAnnotation: annotation });
      expect(pseudonymised(header).string('BurnedInAnnotation')).toBe('NO');
      const unexamined = pseudonymised(header, ALLOW, { isExamined: false });
      expect(unexamined.has('BurnedInAnnotation')).toBe(false);
    }
  });

  it.each(['US', 'US multi-frame', 'XA', 'RF', 'SC', 'SC multi-frame'])(
    'a %s leaves only when it has',
    (name) => {
      expect(run(aHeaderOf(name), ALLOW, { isExamined: false })).toMatchObject({
        refusal: { code: 'QUARANTINED_PIXELS' },
      });
      expect(run(aHeaderOf(name))).toMatchObject({ ok: true });
    },
  );

  it.each<[string, Attributes]>([
    ['declared burned-in text', { BurnedInAnnotation: 'YES' }],
    ['a screen save', { ImageType: ['DERIVED', 'SECONDARY', 'SCREEN SAVE'] }],
    ['a dose report', { ImageType: ['DERIVED', 'PRIMARY', 'DOSE REPORT'] }],
  ])('%s leaves only when it has', (_, attributes) => {
    expect(run(aHeaderOf('CT', attributes), ALLOW, { isExamined: false })).toMatchObject({
      refusal: { code: 'QUARANTINED_PIXELS' },
    });
    expect(run(aHeaderOf('CT', attributes))).toMatchObject({ ok: true });
  });

  it('overlay bits in the pixels are refused whoever has looked', () => {
    const header = aHeaderOf('CT').setNumbers(0x60020102, [12], 'US');
    expect(run(header)).toMatchObject({ refusal: { code: 'QUARANTINED_PIXELS' } });
  });

  const cleaned = (regionsSha256: string): PixelClearance => ({
    isExamined: true,
    cleaned: {
      transferSyntaxUid: '1.2.840.10008.1.2.1',
      attributes: datasetOf({ Rows: 8, LossyImageCompression: '01' }),
      vr: 'OW',
      length: 32,

      chunks: async function* () {
        yield new Uint8Array(32);
      },
      regionsSha256,
    },
  });

  it('cleaned pixels: their attributes, another instance per regions, the option claimed', () => {
    const header = aHeaderOf('CT', { SmallestImagePixelValue: 3 });
    const result = run(header, ALLOW, cleaned('a'.repeat(64)));
    if (!result.ok) throw new Error(result.refusal.detail);
    const { dataset, uids } = result.value;
    expect(dataset.number('Rows')).toBe(8);
    expect(dataset.string('LossyImageCompression')).toBe('01');
    expect(dataset.has('SmallestImagePixelValue')).toBe(false);
    expect(codesOf(dataset)).toContain('113101');
    const uid = dataset.string('SOPInstanceUID')!;
    expect(uids.get(uid as never)).toBe('1.2.3.4.1');
    const others = [pseudonymised(header), pseudonymised(header, ALLOW, cleaned('b'.repeat(64)))];
    expect(new Set([uid, ...others.map((one) => one.string('SOPInstanceUID'))]).size).toBe(3);
    expect(pseudonymised(header, ALLOW, cleaned('a'.repeat(64)))).toEqual(dataset);
    expect(codesOf(others[0]!)).not.toContain('113101');
  });
});

describe('markers', () => {
  it.each(HEADER_NAMES)('%s claims nothing that is never true', (name) => {
    const output = pseudonymised(aHeaderOf(name));
    const claimed = codesOf(output);
    expect(claimed).toEqual(['113100', '113105', '113107', '113108']);
    for (const [never] of UNCLAIMED_OPTIONS) expect(claimed).not.toContain(never);
    expect(output.strings('DeidentificationMethod')).toEqual([DEIDENTIFICATION_METHOD]);
    expect(DEIDENTIFICATION_METHOD.length).toBeLessThanOrEqual(64);
    for (const { meaning } of CLAIMED_OPTIONS) expect(meaning.length).toBeLessThanOrEqual(64);
    expect(output.string('PatientIdentityRemoved')).toBe('YES');
  });
});

describe('the report of actions', () => {
  it('names every attribute that was received once, with its path, and no value', () => {
    const told: string[] = [];
    const report: ActionReport = (tag, path, action) => {
      told.push([...path, tag].map((one) => one.toString(16)).join('/') + ` ${action}`);
    };
    const header = aHeaderOf('Enhanced CT').setString(0x00291001, 'GEHEIM', 'UN');
    const context = { siteCode: 'SITE-A', keys, contract: ALLOW };
    const result = pseudonymiseHeader(header, context, EXAMINED, report);
    expect(result.ok).toBe(true);
    expect(told.filter((line) => !line.includes('/')).length).toBe(header.size);
    for (const line of [
      ...['100010 replaced', '100030 emptied', '80020 shifted', '80030 kept', '20000d remapped'],
      ...['81030 removed', '291001 removed', '80080 removed', '280301 replaced', '80016 kept'],
      ...['52009229/289110/280030 kept', '52009230/209111/189074 shifted'],
      ...['52009229/189477/83010 remapped', '181000 replaced', '101010 replaced'],
    ]) {
      expect(told).toContain(line);
    }
    const ct = aHeaderOf('CT', { StudyDescription: 'CT thorax dr. Visser' });
    pseudonymiseHeader(ct, context, EXAMINED, report);
    expect(told).toContain('81030 cleaned');
  });
});
