/** Goal: rules that cannot be evaluated are refused where they are read; old rules stay valid. */
import { describe, expect, it } from '@jest/globals';
import { productCertificateSchema } from './certificate.js';
import { intendedUseSchema } from './intended-use.js';

const series = [{ id: 'm', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' }];
const full = {
  series: [{ ...series[0], exactModality: true, noneOf: ['CT'], matches: 'M', noneMatch: 'X' }],
  patient: {
    age: { minYears: 2, maxYears: 19, belowYears: 20, minMonths: 24, onMissing: 'deny' },
    sex: { oneOf: ['F'], onMissing: 'allow' },
  },
  study: {
    bodyPart: { oneOf: ['KNEE'], onMissing: 'deny' },
    side: { oneOf: ['L', 'R'], onMissing: 'review' },
    phase: { oneOf: ['venous'], onMissing: 'allow' },
    procedureCodes: { oneOf: ['A:1'], onMissing: 'allow' },
  },
  ...{ coverageMinMm: 120, sliceThicknessMaxMm: 3, sliceThicknessOnMissing: 'allow' },
  instancesMin: 2,
  negativeRequires: { series: [{ rules: series, instancesMin: 2 }], views: ['AP'], imagesMin: 2 },
  earlyStart: false,
};

describe('intendedUseSchema', () => {
  it('reads rules of an older release, and every field of this one', () => {
    expect(intendedUseSchema.parse({ series })).toEqual({ series, instancesMin: 1 });
    expect(intendedUseSchema.parse(full)).toEqual(full);
  });
  it.each<[string, object]>([
    ['a pattern that does not compile', { series: [{ ...series[0], matches: '(' }] }],
    ['an attribute that nobody reads', { series: [{ ...series[0], attribute: 'patientName' }] }],
    ['a rule that is silent about missing values', { series: [{ ...series[0], onMissing: '' }] }],
    ['a side that DICOM does not know', { study: { side: { oneOf: ['X'], onMissing: 'deny' } } }],
    ['half a year', { patient: { age: { minYears: 1.5, onMissing: 'deny' } } }],
    ['a field that it does not know', { sliceThickness: 3 }],
  ])('refuses %s', (_, change) => {
    expect(intendedUseSchema.safeParse({ ...full, ...change }).success).toBe(false);
  });
});

describe('productCertificateSchema', () => {
  const certificate = {
    ...{ number: 'MDR 1', notifiedBody: '0344', class: 'IIa' },
    ...{ validFrom: '2025-01-01', validTo: '2026-07-16T12:00:00+02:00' },
  };
  it('takes a plain date, or an instant with its offset', () => {
    expect(productCertificateSchema.parse(certificate)).toEqual(certificate);
  });
  it.each(['2026-02-30', '2026-07-16T12:00:00', '16-07-2026', ''])('refuses "%s"', (validTo) => {
    expect(productCertificateSchema.safeParse({ ...certificate, validTo }).success).toBe(false);
  });
});
