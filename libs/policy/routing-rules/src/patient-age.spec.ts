/** Goal: the age at the study from either source, in completed years and months. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AgeFact } from './facts.js';
import { ageAtStudy, type AgeSources } from './patient-age.js';

const birth = (years: number, months: number): AgeFact => ({
  ...{ kind: 'known', years, months, from: 'birth-date' },
});
const tag = (years: number, months?: number): AgeFact => ({
  ...{ kind: 'known', years, from: 'patient-age' },
  ...(months !== undefined && { months }),
});
const STUDY = '20260716';
const VECTORS: readonly [AgeSources, AgeFact][] = [
  [{ birthDate: '20080716' }, birth(18, 216)],
  [{ birthDate: '20080717' }, birth(17, 215)],
  [{ birthDate: '2008.07.16' }, birth(18, 216)],
  [{ birthDate: STUDY }, birth(0, 0)],
  [{ birthDate: '20260131', studyDate: '20260228' }, birth(0, 0)],
  [{ birthDate: '20260131', studyDate: '20260301' }, birth(0, 1)],
  [{ birthDate: '20240229', studyDate: '20250228' }, birth(0, 11)],
  [{ birthDate: '20240229', studyDate: '20250301' }, birth(1, 12)],
  [{ patientAge: '002Y' }, tag(2)],
  [{ patientAge: '34Y ' }, tag(34)],
  [{ patientAge: '023M' }, tag(1, 23)],
  [{ patientAge: '365D' }, tag(1, 12)],
  [{ patientAge: '364D' }, tag(0, 11)],
  // The year before holds 29 February 2024.
  [{ patientAge: '365D', studyDate: '20241231' }, tag(0, 11)],
  [{ patientAge: '000D' }, tag(0, 0)],
  [{ patientAge: '010W' }, tag(0, 2)],
  // 119 to 125 days: 3 months or 4.
  [{ patientAge: '017W' }, tag(0)],
  [{ patientAge: '500D', studyDate: undefined }, tag(1)],
  [{}, { kind: 'missing' }],
  [{ patientAge: '034A' }, { kind: 'missing' }],
  [{ patientAge: '999Y' }, { kind: 'missing' }],
  [{ birthDate: '20080230' }, { kind: 'missing' }],
  [{ birthDate: '1980' }, { kind: 'missing' }],
  [{ birthDate: '19800000', patientAge: '046Y' }, tag(46)],
  [{ birthDate: '19800101', studyDate: '' }, { kind: 'missing' }],
  [{ birthDate: '19800101', studyDate: '', patientAge: '046Y' }, tag(46)],
  [{ birthDate: '19000101' }, { kind: 'placeholder' }],
  [{ birthDate: '19000101', studyDate: '' }, { kind: 'placeholder' }],
  [{ birthDate: '20260717' }, { kind: 'placeholder' }],
  [{ birthDate: '19000102' }, { kind: 'placeholder' }],
  [{ birthDate: '19020101' }, birth(124, 1494)],
  [{ birthDate: '19000101', patientAge: '126Y' }, { kind: 'placeholder' }],
  [{ birthDate: '19000101', patientAge: '040Y' }, tag(40)],
  [{ birthDate: '19860101', patientAge: '041Y' }, birth(40, 486)],
  [{ birthDate: '19860101', patientAge: '042Y' }, { kind: 'contradiction' }],
  [{ birthDate: '20260616', patientAge: '005W' }, birth(0, 1)],
  [{ birthDate: '20260616', patientAge: '010W' }, { kind: 'contradiction' }],
  [{ birthDate: '20260616', patientAge: '003M' }, { kind: 'contradiction' }],
];

describe(ageAtStudy.name, () => {
  it.each(VECTORS)('of %j', (sources, age) => {
    expect(ageAtStudy({ studyDate: STUDY, ...sources })).toEqual(age);
  });
  it('never lets a birth date be worked out, and never contradicts its own tag', () => {
    const day = fc.date({
      ...{ min: new Date('1930-01-01'), max: new Date('2026-07-16'), noInvalidDate: true },
    });
    fc.assert(
      fc.property(day, (date) => {
        const birthDate = date.toISOString().slice(0, 10).replaceAll('-', '');
        const age = ageAtStudy({ birthDate, studyDate: STUDY });
        if (age.kind !== 'known') throw new Error(age.kind);
        expect(Object.keys(age).sort()).toEqual(['from', 'kind', 'months', 'years']);
        const patientAge = `${String(age.years).padStart(3, '0')}Y`;
        expect(ageAtStudy({ birthDate, studyDate: STUDY, patientAge })).toEqual(age);
      }),
    );
  });
});
