/**
 * Cases of the suite: generated objects with Dutch content in every place where it turns up, and
 * the answer key of each. Decides populations, carriers and negative controls. Invariant: the same
 * seed gives the same bytes; nobody in it exists. Source: pseudonymisation specification 3 (1-3).
 */
import { DicomDataset, tagOf, vrOf } from '@aifi/dicom-core';
import { phantomFile, type PhantomKind } from '@aifi/dicom-deidentification-check';
import type { PixelRegion } from '@aifi/dicom-pixels';
import type { MidiCase, MidiCheck } from './midi-key.js';
import { drawName, drawUltrasound, ULTRASOUND } from './midi-letters.js';
import { ageOn, personOf, type Person } from './midi-people.js';

interface Plan {
  readonly kind: PhantomKind;
  readonly person: number;
  readonly study: number;
  readonly series: number;
  readonly instance: number;
  readonly transferSyntaxUid?: string;
  /** What makes this case different. @default a clean image */
  readonly twist?: Twist;
}
interface Twist {
  readonly name: string;
  readonly mustStay: boolean;
  /** Blacked out at the top of the picture, by the layout of its device. @unit rows */
  readonly bar?: number;
  /** What is kept of it instead of what is kept of its kind. */
  readonly kept?: Readonly<Record<string, string>>;
  readonly apply: (dataset: DicomDataset, person: Person) => void;
}

const SYNTAXES = ['', '.1', '.1.99', '.2'].map((arc) => `1.2.840.10008.1.2${arc}`);
const ROOT = '1.2.826.0.1.3680043.9.7133.1';
/** 山田^太郎 in JIS X 0208 behind escape sequences. */
const JAPANESE = Buffer.concat([
  Buffer.from('Yamadaki^Tarouhei='),
  Buffer.from('1b2442' + '3b334544' + '1b2842', 'hex'),
  Buffer.from('^'),
  Buffer.from('1b2442' + '42404f3a' + '1b2842', 'hex'),
]);

/** Text in Latin-1, as ISO_IR 100 declares it. */
function latin(dataset: DicomDataset, keyword: string, text: string): void {
  const even = text.length % 2 === 0 ? text : `${text} `;
  const tag = tagOf(keyword);
  dataset.put({ tag, vr: vrOf(tag), value: Buffer.from(even, 'latin1') });
}

const studyDate = (study: number): string => `2019${study % 2 === 0 ? '0614' : '0302'}`;

function personalise(dataset: DicomDataset, person: Person, plan: Plan): void {
  const visit = studyDate(plan.study);
  if (person.isJapanese) {
    dataset.setStrings('SpecificCharacterSet', ['', 'ISO 2022 IR 87']);
    const even = JAPANESE.length % 2 === 0 ? JAPANESE : Buffer.concat([JAPANESE, Buffer.from(' ')]);
    dataset.put({ tag: tagOf('PatientName'), vr: 'PN', value: even });
  } else {
    latin(dataset, 'PatientName', person.name);
  }
  for (const keyword of ['StudyDate', 'SeriesDate', 'AcquisitionDate', 'ContentDate']) {
    dataset.setString(keyword, visit);
  }
  const other = new DicomDataset()
    .setString('PatientID', person.bsn)
    .setString('IssuerOfPatientID', '2.16.840.1.113883.2.4.6.3');
  const request = new DicomDataset().setString('AccessionNumber', person.accession);
  dataset
    .setString('PatientID', person.bsn)
    .setString('PatientBirthDate', person.born)
    .setString('PatientSex', person.sex)
    .setString('PatientAge', ageOn(person, visit))
    .setItems('OtherPatientIDsSequence', [other])
    .setItems('RequestAttributesSequence', [request])
    .setString('AccessionNumber', person.accession)
    .setString('PatientTelephoneNumbers', person.telephone)
    .setString('InstitutionName', person.hospital)
    .setString('InstitutionAddress', `Lindenhof 3, ${person.postcode} Eikendorp`)
    .setString('ReferringPhysicianName', `${person.physician}^A^^dr.`)
    .setString('StudyDescription', `CT thorax dr. ${person.physician}`)
    .setString('SeriesDescription', `Hand-Schueller-Christian, ${person.physician}`)
    .setString(
      'ImageComments',
      `zie ${person.accession}, d.d. ${person.bornWritten}, tel ${person.telephone}`,
    )
    .setString('PatientComments', `BSN ${person.bsn} AGB ${person.agb}`)
    .setString('ManufacturerModelName', 'Pieter-view 3')
    .setString(0x00290010, 'ELDERHOVEN PRIVE', 'LO')
    .setString(0x00291001, `AGB ${person.agb} ${person.hospital}`, 'LO')
    .setBytes(0x00291002, Buffer.from(`\x03\x01${person.born}\x00${person.bsn} `), 'OB');
}

function removals(person: Person): MidiCheck[] {
  const names = person.isJapanese ? ['Yamadaki^Tarouhei', '山田'] : [person.name];
  const texts = [
    ...names,
    ...[person.bsn, person.accession, person.agb, person.telephone.replaceAll(' ', '')],
    ...[person.telephone.slice(-8), person.bornWritten, person.physician, person.hospital],
    ...['Eikendorp', 'ELDERHOVEN'],
  ];
  return [
    ...texts.map((value) => ({ action: 'text_removed', value, category: 'HIPAA text' }) as const),
    { action: 'text_removed', value: person.born, category: 'HIPAA-C dates' },
  ];
}
const UID_PATHS: readonly (readonly [string, (plan: Plan) => string])[] = [
  ['StudyInstanceUID', ({ study }) => `${ROOT}.${study}`],
  ['SeriesInstanceUID', ({ study, series }) => `${ROOT}.${study}.${series}`],
  ['SOPInstanceUID', ({ study, series, instance }) => `${ROOT}.${study}.${series}.${instance}`],
];
function uidChecks(plan: Plan): MidiCheck[] {
  return UID_PATHS.flatMap(([keyword, of]): MidiCheck[] => [
    // The study's UID is the beginning of the series': a longer one would be a hit as well.
    { action: 'uid_changed', value: of(plan), category: 'HIPAA-R UIDs' },
    { action: 'uid_consistent', path: [keyword], value: of(plan), category: 'HIPAA-R UIDs' },
  ]);
}

/** Negative controls: what an algorithm needs, and words that only look like names. */
const KEPT: Readonly<Record<PhantomKind, Readonly<Record<string, string>>>> = {
  CT: {
    ...{ KVP: '120', RescaleIntercept: '-1024', RescaleSlope: '1', RescaleType: 'HU' },
    ...{ PixelSpacing: '1\\1', ImageOrientationPatient: '1\\0\\0\\0\\1\\0', SliceThickness: '5' },
    ...{ ImageType: 'ORIGINAL\\PRIMARY\\AXIAL', PatientPosition: 'HFS' },
  },
  MR: {
    ...{ ScanningSequence: 'SE', RepetitionTime: '500', EchoTime: '12', PixelSpacing: '1\\1' },
    ...{ ImageOrientationPatient: '1\\0\\0\\0\\1\\0', ImageType: 'ORIGINAL\\PRIMARY' },
  },
  CR: { KVP: '55', ViewPosition: 'PA', Laterality: 'L', ImageType: 'ORIGINAL\\PRIMARY' },
  DX: {
    ...{ PresentationIntentType: 'FOR PRESENTATION', ImageLaterality: 'L', WindowCenter: '2048' },
    ...{ WindowWidth: '4096', PixelIntensityRelationship: 'LIN', RescaleSlope: '1' },
    ...{ ImagerPixelSpacing: '0.15\\0.15', PresentationLUTShape: 'IDENTITY' },
  },
};
const KEPT_BY_ALL: Readonly<Record<string, string>> = {
  ...{ Manufacturer: 'ACME', ManufacturerModelName: 'Pieter-view 3' },
  ...{ SeriesDescription: 'Hand-Schueller-Christian', Rows: '32', Columns: '32' },
  ...{ BitsStored: '12', PhotometricInterpretation: 'MONOCHROME2', StudyTime: '101500' },
};

function retentions({ kind, study, twist }: Plan, person: Person): MidiCheck[] {
  const values = {
    ...KEPT_BY_ALL,
    Modality: kind,
    ...(twist?.kept ?? KEPT[kind]),
    PatientSex: person.sex,
    PatientAge: ageOn(person, studyDate(study)),
  };
  const tags = 'SOPClassUID PatientBirthDate AccessionNumber ReferringPhysicianName StudyDate';
  return [
    ...Object.entries(values).map(([keyword, value]): MidiCheck => ({
      ...{ action: 'text_retained', path: [keyword], value, category: 'TCIA best practice' },
    })),
    ...tags.split(' ').map((keyword): MidiCheck => ({
      ...{ action: 'tag_retained', path: [keyword], category: 'DICOM IOD' },
    })),
    ...['PatientName', 'PatientID', 'StudyID'].map((keyword): MidiCheck => ({
      ...{ action: 'text_notnull', path: [keyword], category: 'DICOM IOD' },
    })),
  ];
}

function caseOf(plan: Plan): MidiCase {
  const { kind, person: number, study, series, instance, transferSyntaxUid, twist } = plan;
  const person = personOf(number);
  const file = phantomFile(kind, {
    ...{ instance, seriesNumber: series, studyNumber: study },
    ...(transferSyntaxUid !== undefined && { transferSyntaxUid }),
    change: (dataset) => {
      personalise(dataset, person, plan);
      twist?.apply(dataset, person);
    },
  });
  const mustStay = twist?.mustStay ?? false;
  const dates = ['StudyDate', 'SeriesDate', 'AcquisitionDate', 'ContentDate'].map(
    (keyword): MidiCheck => ({
      ...{ action: 'date_shifted', path: [keyword], value: studyDate(study) },
      category: 'HIPAA-C dates',
    }),
  );
  const hidden: MidiCheck = { action: 'pixels_hidden', category: 'HIPAA-A pixels' };
  const retained: MidiCheck = { action: 'pixels_retained', category: 'P15-PIX-K' };
  const { bar } = twist ?? {};
  const leaves: MidiCheck[] = [
    { action: 'patid_consistent', path: ['PatientID'], value: person.bsn, category: 'patient' },
    bar === undefined ? retained : hidden,
    ...uidChecks(plan),
    ...retentions(plan, person),
  ];
  const name = `${kind} ${study}.${series}.${instance}${twist ? `, ${twist.name}` : ''}`;
  const checks = [...removals(person), ...dates, ...(mustStay ? [hidden] : leaves)];
  const blackBox = bar === undefined ? undefined : barOf(bar);
  return { name, file, mustStay, blackBox, checks };
}

const barOf = (height: number): PixelRegion => ({ x: 0, y: 0, width: ULTRASOUND.columns, height });

/** A device whose layout is in the shared filter file: its bar goes, the rest stays. */
const KNOWN_LAYOUT: Twist = {
  ...{ name: 'ultrasound of a known layout', mustStay: false, bar: ULTRASOUND.bar },
  kept: {
    ...{ Modality: 'US', Manufacturer: 'ZONARE', ManufacturerModelName: 'ZS3', BitsStored: '8' },
    ...{ Rows: String(ULTRASOUND.rows), Columns: String(ULTRASOUND.columns) },
  },
  apply: (dataset, person) => {
    for (const keyword of ['ViewPosition', 'KVP']) dataset.delete(keyword);
    dataset
      .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.6.1')
      .setString('Modality', 'US')
      .setString('Manufacturer', 'ZONARE')
      .setString('ManufacturerModelName', 'ZS3')
      // No two examinations begin in the same second: by it originals are found again.
      .setString('ContentTime', `101800.${person.bsn.slice(-6)}`)
      .setString('BodyPartExamined', 'ABDOMEN');
    drawUltrasound(dataset, Number(person.bsn) % 40);
  },
};
/** People with such an image: each is read as a whole, which takes its time. */
export const ULTRASOUND_PEOPLE = 4;

const TWISTS: readonly (Twist & { readonly kind: PhantomKind })[] = [
  {
    ...{ kind: 'CR', name: 'overlay in its own data', mustStay: false },
    apply: (dataset, person) =>
      void dataset
        .setNumbers(0x60000010, [32], 'US')
        .setNumbers(0x60000102, [0], 'US')
        .setString(0x60000022, person.physician, 'LO')
        .setBytes(0x60003000, Buffer.alloc(128, 0xff), 'OW'),
  },
  {
    ...{ kind: 'CR', name: 'overlay bits in the pixels', mustStay: true },
    apply: (dataset) => void dataset.setNumbers(0x60000102, [15], 'US'),
  },
  {
    ...{ kind: 'DX', name: 'text declared as burned in', mustStay: true },
    apply: (dataset) => void dataset.setString('BurnedInAnnotation', 'YES'),
  },
  {
    ...{ kind: 'DX', name: 'screen saved', mustStay: true },
    apply: (dataset) =>
      void dataset.setStrings('ImageType', ['DERIVED', 'SECONDARY', 'SCREEN SAVE']),
  },
  {
    ...{ kind: 'CR', name: 'a name in the pixels', mustStay: true },
    apply: drawName,
  },
  {
    ...{ kind: 'CR', name: 'secondary capture', mustStay: true },
    apply: (dataset) =>
      drawName(
        dataset.setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.7').setString('Modality', 'OT'),
      ),
  },
  {
    ...{ kind: 'MR', name: 'a sequence of VR UN', mustStay: false },
    apply: (dataset, person) => {
      const text = Buffer.from(`\x10\x00\x10\x00\x10\x00\x00\x00${person.bsn}       `, 'latin1');
      const item = Buffer.from([0xfe, 0xff, 0x00, 0xe0, text.length, 0, 0, 0]);
      dataset.setBytes('ReferencedPatientSequence', Buffer.concat([item, text]), 'UN');
    },
  },
];

/** Every population for `people` persons: hands, limbs, chests with priors, brains, odd ones. */
export function midiCases(people: number): MidiCase[] {
  const plans: Plan[] = [];
  for (let person = 0; person < people; person += 1) {
    const syntax = (n: number): string => SYNTAXES[(person + n) % SYNTAXES.length]!;
    const [now, prior] = [100 + person * 4, 101 + person * 4];
    const base = { person, study: now, series: 1, instance: 1 };
    plans.push({ ...base, kind: 'DX', transferSyntaxUid: syntax(0) });
    plans.push({ ...base, kind: 'CR', series: 2, transferSyntaxUid: syntax(1) });
    plans.push({ ...base, kind: 'MR', series: 3, transferSyntaxUid: syntax(2) });
    for (const study of [now, prior]) {
      for (const series of [4, 5]) {
        for (const instance of [1, 2]) plans.push({ ...base, kind: 'CT', study, series, instance });
      }
    }
    if (person < ULTRASOUND_PEOPLE) {
      const [series, transferSyntaxUid] = [30, syntax(0)];
      plans.push({ ...base, kind: 'CR', series, transferSyntaxUid, twist: KNOWN_LAYOUT });
    }
    for (const [index, { kind, ...twist }] of TWISTS.entries()) {
      const [study, series] = [now + 2, 10 + index];
      plans.push({ ...base, kind, study, series, twist });
    }
  }
  return plans.map(caseOf);
}
