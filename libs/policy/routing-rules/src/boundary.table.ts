/**
 * Boundary table: studies at the edge of a rule, with the codes that they must get.
 * Decides what the rules mean where prose leaves room; gateway and hub are tested on it.
 * Source: governance specification 4.3 (boundary vectors); PS3.5 6.2 (AS, DA).
 */
import type {
  AgeRule,
  DeployedProduct,
  IntendedUse,
  ProductCertificate,
} from '@aifi/contracts-manifests';
import type { Purpose, ReasonCode } from '@aifi/shared-kernel';
import type { StudyFacts } from './facts.js';
import { ageAtStudy, type AgeSources } from './patient-age.js';
import { aSeries, HOUR_MS, RECEIVED_MS } from './test-product.js';

export interface BoundaryRow {
  readonly is: string;
  readonly use?: Partial<IntendedUse>;
  readonly product?: Partial<DeployedProduct>;
  readonly facts?: Partial<StudyFacts>;
  readonly sitePurpose?: Purpose;
  readonly nowMs?: number;
  /** In the order of the gates; empty: allowed. */
  readonly codes: readonly ReasonCode[];
  /** Of the decisive reason, in English. */
  readonly words?: string;
}

const STUDY = '20260716';
const aged = (rule: Omit<AgeRule, 'onMissing'>, from: AgeSources, onMissing = 'deny') => ({
  use: { patient: { age: { ...rule, onMissing: onMissing as AgeRule['onMissing'] } } },
  facts: { age: ageAtStudy({ studyDate: STUDY, ...from }) },
});
const adult = (from: AgeSources, onMissing = 'deny') => aged({ minYears: 18 }, from, onMissing);

const AGES: readonly BoundaryRow[] = [
  { is: '002Y from 2 years', ...aged({ minYears: 2 }, { patientAge: '002Y' }), codes: [] },
  {
    is: '023M from 2 years',
    ...aged({ minYears: 2 }, { patientAge: '023M' }),
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'age 1 y < 2 y',
  },
  { is: '023M below 2 years', ...aged({ belowYears: 2 }, { patientAge: '023M' }), codes: [] },
  {
    is: '002Y below 2 years',
    ...aged({ belowYears: 2 }, { patientAge: '002Y' }),
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'age 2 y ≥ 2 y',
  },
  { is: '023M from 23 months', ...aged({ minMonths: 23 }, { patientAge: '023M' }), codes: [] },
  {
    is: '023M below 23 months',
    ...aged({ belowMonths: 23 }, { patientAge: '023M' }),
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'age 23 m ≥ 23 m',
  },
  { is: '002Y from 24 months', ...aged({ minMonths: 24 }, { patientAge: '002Y' }), codes: [] },
  {
    is: '002Y from 30 months: years do not tell',
    ...aged({ minMonths: 30 }, { patientAge: '002Y' }),
    codes: ['TAG_MISSING'],
    words: 'age in months is missing',
  },
  {
    is: '002Y from 36 months: at most 35',
    ...aged({ minMonths: 36 }, { patientAge: '002Y' }),
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'age 35 m < 36 m',
  },
  { is: '18 years exactly', ...adult({ birthDate: '20080716' }), codes: [] },
  {
    is: '18 years less a day',
    ...adult({ birthDate: '20080717' }),
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'age 17 y < 18 y',
  },
  {
    is: 'below 18 on the 18th birthday',
    ...aged({ belowYears: 18 }, { birthDate: '20080716' }),
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'age 18 y ≥ 18 y',
  },
  {
    is: 'below 18 on the day before',
    ...aged({ belowYears: 18 }, { birthDate: '20080717' }),
    codes: [],
  },
  {
    is: '34 where 19 is the most',
    ...aged({ maxYears: 19 }, { birthDate: '19920101' }),
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'age 34 y > 19 y',
  },
  {
    is: 'the day before the 20th birthday where 19 is the most',
    ...aged({ maxYears: 19 }, { birthDate: '20060717' }),
    codes: [],
  },
  {
    is: '29 February, 18 in a common year, on 28 February',
    ...adult({ birthDate: '20080229', studyDate: '20260228' }),
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'age 17 y < 18 y',
  },
  {
    is: '29 February, 18 in a common year, on 1 March',
    ...adult({ birthDate: '20080229', studyDate: '20260301' }),
    codes: [],
  },
  {
    is: '29 February, 16 in a leap year, on that day',
    ...aged({ minYears: 16 }, { birthDate: '20080229', studyDate: '20240229' }),
    codes: [],
  },
  ...['00010101', '18000101', '19000101', '18991230', '99991231', '20270101'].map((birthDate) => ({
    is: `placeholder ${birthDate}`,
    ...adult({ birthDate }),
    codes: ['TAG_MISSING'] as const,
    words: 'age (the birth date stands for "unknown") is missing',
  })),
  { is: 'placeholder, allowed', ...adult({ birthDate: '19000101' }, 'allow'), codes: [] },
  {
    is: 'placeholder with the age that it would give',
    ...adult({ birthDate: '19000101', patientAge: '126Y' }),
    codes: ['TAG_MISSING'],
  },
  {
    is: 'placeholder with an age of its own',
    ...adult({ birthDate: '19000101', patientAge: '034Y' }),
    codes: [],
  },
  {
    is: 'an age that contradicts the birth date',
    ...adult({ birthDate: '19860101', patientAge: '043Y' }),
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'age and birth date contradict each other',
  },
  {
    is: 'a contradiction where a missing age is allowed',
    ...adult({ birthDate: '19860101', patientAge: '043Y' }, 'allow'),
    codes: ['OUT_OF_INTENDED_USE'],
  },
  {
    is: 'an age that was rounded up',
    ...adult({ birthDate: '20080601', patientAge: '019Y' }),
    codes: [],
  },
  {
    is: 'nobody says, deny',
    ...adult({}),
    codes: ['TAG_MISSING'],
    words: 'age is missing',
  },
  {
    is: 'nobody says, review',
    ...adult({}, 'review'),
    codes: ['TAG_MISSING'],
    words: 'age is missing; a person may decide, which is not possible here yet',
  },
  { is: 'nobody says, allow', ...adult({}, 'allow'), codes: [] },
];

const certificate: ProductCertificate = {
  ...{ number: 'MDR 1', notifiedBody: '0344', class: 'IIa' },
  ...{ validFrom: '2025-01-01', validTo: '2026-07-16' },
};
/** A product in care, on a study that was made and judged at this instant. */
const inCare = (
  at: string,
  change: Partial<ProductCertificate> = {},
  product: Partial<DeployedProduct> = {},
): Pick<BoundaryRow, 'product' | 'facts' | 'sitePurpose' | 'nowMs'> => {
  const atMs = Date.parse(at);
  return {
    product: { purpose: 'clinical', certificate: { ...certificate, ...change }, ...product },
    facts: { acquiredAtMs: atMs, receivedAtMs: atMs },
    sitePurpose: 'clinical',
    nowMs: atMs,
  };
};
const CERTIFICATES: readonly BoundaryRow[] = [
  { is: 'its last second, summer time', ...inCare('2026-07-16T21:59:59.000Z'), codes: [] },
  { is: 'its last millisecond, summer time', ...inCare('2026-07-16T21:59:59.999Z'), codes: [] },
  {
    is: 'a millisecond later, summer time',
    ...inCare('2026-07-16T22:00:00.000Z'),
    codes: ['CERTIFICATE_INVALID'],
    words: 'the certificate was not valid when the images were made',
  },
  {
    is: 'its last millisecond, winter time',
    ...inCare('2026-12-31T22:59:59.999Z', { validTo: '2026-12-31' }),
    codes: [],
  },
  {
    is: 'a millisecond later, winter time',
    ...inCare('2026-12-31T23:00:00.000Z', { validTo: '2026-12-31' }),
    codes: ['CERTIFICATE_INVALID'],
  },
  {
    is: 'the end of the day on which summer time ends',
    ...inCare('2026-10-25T22:59:59.999Z', { validTo: '2026-10-25' }),
    codes: [],
  },
  {
    is: 'the end of the day on which summer time begins, a millisecond later',
    ...inCare('2026-03-29T22:00:00.000Z', { validTo: '2026-03-29' }),
    codes: ['CERTIFICATE_INVALID'],
  },
  {
    is: 'the first millisecond of its first day',
    ...inCare('2024-12-31T23:00:00.000Z'),
    codes: [],
  },
  {
    is: 'a millisecond before it',
    ...inCare('2024-12-31T22:59:59.999Z'),
    codes: ['CERTIFICATE_INVALID'],
  },
  {
    is: 'an instant with its offset',
    ...inCare('2026-07-16T10:00:00.001Z', { validTo: '2026-07-16T12:00:00+02:00' }),
    codes: ['CERTIFICATE_INVALID'],
  },
  {
    is: 'valid when the images were made, expired now',
    ...inCare('2026-07-16T21:00:00.000Z'),
    nowMs: Date.parse('2026-07-16T23:00:00.000Z'),
    codes: ['CERTIFICATE_INVALID'],
    words: 'the certificate is valid from 2025-01-01 to 2026-07-16, not now',
  },
  {
    is: 'no certificate in care',
    ...inCare('2026-07-16T10:00:00.000Z', {}, { certificate: undefined }),
    codes: ['CERTIFICATE_INVALID'],
    words: 'the product has no certificate',
  },
  { is: 'no certificate in a demonstration', codes: [] },
  {
    is: 'a demonstration product in care',
    ...{ sitePurpose: 'clinical', codes: ['NOT_DEPLOYED'] },
  },
];

const modality = (value: string, rule: object = {}): BoundaryRow['use'] & object => ({
  series: [{ id: 'm', attribute: 'modality', oneOf: [value], onMissing: 'deny', ...rule } as never],
});
const series = (attributes: object, change: object = {}): Partial<StudyFacts> => ({
  series: [aSeries({ attributes: { modality: ['MR'], ...attributes }, ...change })],
});
const thin = { sliceThicknessMaxMm: 3 };
const knee = (onMissing: 'deny' | 'review' | 'allow') => ({
  study: { bodyPart: { oneOf: ['KNEE'], onMissing } },
});
const IMAGES: readonly BoundaryRow[] = [
  ...['CR', 'DX', 'RG'].map((found) => ({
    is: `${found} where DX is asked`,
    ...{ use: modality('DX'), facts: series({ modality: [found] }), codes: [] },
  })),
  ...['CR', 'RG'].map((found) => ({
    is: `${found} where exactly DX is asked`,
    use: modality('DX', { exactModality: true }),
    facts: series({ modality: [found] }),
    codes: ['OUT_OF_INTENDED_USE'] as const,
    words: `modality ${found} is not DX`,
  })),
  {
    is: 'CT where DX is asked',
    ...{ use: modality('DX'), facts: series({ modality: ['CT'] }) },
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'modality CT is not DX',
  },
  {
    is: 'slices of 3.0 at limit 3.0',
    use: thin,
    facts: series({}, { sliceThicknessMm: 3.0 }),
    codes: [],
  },
  {
    is: 'slices of 3.1 at limit 3.0',
    ...{ use: thin, facts: series({}, { sliceThicknessMm: 3.1 }) },
    codes: ['INPUT_INCOMPLETE'],
    words: 'slice thickness 3.1 mm > 3 mm',
  },
  { is: 'slices of unknown thickness', use: thin, codes: ['TAG_MISSING'] },
  {
    is: 'slices of unknown thickness, allowed',
    use: { ...thin, sliceThicknessOnMissing: 'allow' },
    codes: [],
  },
  { is: 'extent at the limit', use: { coverageMinMm: 120 }, codes: [] },
  {
    is: 'extent just below it',
    use: { coverageMinMm: 120 },
    facts: series({}, { coverageMm: 119.96 }),
    codes: ['COVERAGE_INSUFFICIENT'],
    words: 'images cover 119.9 mm, 120 mm needed',
  },
  {
    is: 'unknown extent',
    use: { coverageMinMm: 120 },
    facts: series({}, { coverageMm: undefined }),
    codes: ['COVERAGE_INSUFFICIENT'],
  },
  { is: 'as many images as needed', use: { instancesMin: 100 }, codes: [] },
  { is: 'one image too few', use: { instancesMin: 101 }, codes: ['INPUT_INCOMPLETE'] },
  {
    is: 'body part empty, deny',
    ...{ use: knee('deny'), facts: series({ bodyPartExamined: [''] }) },
    codes: ['TAG_MISSING'],
    words: 'body part is missing',
  },
  {
    is: 'body part empty, review',
    ...{ use: knee('review'), facts: series({ bodyPartExamined: [''] }) },
    codes: ['TAG_MISSING'],
  },
  {
    is: 'body part empty, allow',
    ...{ use: knee('allow'), facts: series({ bodyPartExamined: [''] }), codes: [] },
  },
  {
    is: 'body part empty, the catalogue knows it',
    use: knee('deny'),
    facts: {
      procedure: { codes: ['A:1'], from: 'order', mapped: { bodyPart: 'knee', products: [] } },
    },
    codes: [],
  },
  {
    is: 'the catalogue says another body part than the images',
    use: knee('deny'),
    facts: {
      ...series({ bodyPartExamined: ['KNEE'] }),
      procedure: { codes: ['A:1'], from: 'order', mapped: { bodyPart: 'CHEST', products: [] } },
    },
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'body part CHEST is not KNEE',
  },
  {
    is: 'an excluded manufacturer',
    use: modality('MR', { attribute: 'manufacturer', oneOf: undefined, noneOf: ['ACME'] }),
    facts: series({ manufacturer: ['ACME'] }),
    codes: ['OUT_OF_INTENDED_USE'],
    words: 'manufacturer is excluded by the rule m',
  },
];

const ofAge = (ms: number): Partial<StudyFacts> => ({ acquiredAtMs: RECEIVED_MS - ms });
const DAY_MS = 24 * HOUR_MS;
const mapped = (...products: string[]): Partial<StudyFacts> => ({
  procedure: { codes: ['A:1'], from: 'order', mapped: { products } },
});
const STUDIES: readonly BoundaryRow[] = [
  { is: '24 h old', facts: ofAge(DAY_MS), codes: [] },
  {
    is: '24 h and a millisecond old',
    ...{ facts: ofAge(DAY_MS + 1), codes: ['STUDY_TOO_OLD'] },
    words: 'study 24.1 h old on arrival > 24 h',
  },
  { is: 'old, judged a week after it came', nowMs: RECEIVED_MS + 7 * DAY_MS, codes: [] },
  {
    is: 'old, and asked for by name',
    ...{ facts: { ...ofAge(90 * DAY_MS), requested: ['brain'] }, codes: [] },
  },
  {
    is: 'old, and another product asked for by name',
    facts: { ...ofAge(90 * DAY_MS), requested: ['lung'] },
    codes: ['STUDY_TOO_OLD'],
  },
  {
    is: 'a limit of the product',
    ...{ product: { maxStudyAgeHours: 48 }, facts: ofAge(2 * DAY_MS), codes: [] },
  },
  {
    is: 'nobody says when it was made',
    ...{ facts: { acquiredAtMs: undefined }, codes: ['TAG_MISSING'] },
    words: 'date and time of the study is missing',
  },
  {
    is: 'nobody says when it was made, allowed',
    ...{ product: { studyAgeOnMissing: 'allow' }, facts: { acquiredAtMs: undefined }, codes: [] },
  },
  { is: 'a clock 24 h ahead', facts: ofAge(-DAY_MS), codes: [] },
  { is: 'a clock more than a day ahead', facts: ofAge(-DAY_MS - 1), codes: ['TAG_MISSING'] },
  { is: 'the catalogue names it', facts: mapped('lung', 'brain'), codes: [] },
  { is: 'the catalogue names no product', facts: mapped(), codes: [] },
  { is: 'the catalogue names another', facts: mapped('lung'), codes: ['NO_PRODUCT'] },
  {
    is: 'the catalogue names another, and it is asked for by name',
    ...{ facts: { ...mapped('lung'), requested: ['brain'] }, codes: [] },
  },
  {
    is: 'an objection, and asked for by name',
    facts: { objections: ['ai-in-own-care'], requested: ['brain'] },
    codes: ['OBJECTION'],
  },
  { is: 'sharing objected to', facts: { objections: ['sharing'] }, codes: ['OBJECTION'] },
  {
    is: 'secondary use objected to, demonstration',
    ...{ facts: { objections: ['secondary-use'] }, codes: ['OBJECTION'] },
  },
  {
    is: 'secondary use objected to, care',
    ...inCare('2026-07-16T10:00:00.000Z'),
    facts: { objections: ['secondary-use'] },
    codes: [],
  },
  { is: 'no images', facts: { series: [] }, codes: ['NO_PRODUCT'] },
  { is: 'suspended', product: { state: 'suspended' }, codes: ['SUSPENDED'] },
  { is: 'no contract', product: { state: 'no-contract' }, codes: ['NO_CONTRACT'] },
  { is: 'no agreement', product: { state: 'agreement-missing' }, codes: ['AGREEMENT_MISSING'] },
  { is: 'grace over', product: { state: 'licence-grace-over' }, codes: ['LICENCE_GRACE_OVER'] },
];

export const BOUNDARIES: readonly BoundaryRow[] = [...AGES, ...CERTIFICATES, ...IMAGES, ...STUDIES];
