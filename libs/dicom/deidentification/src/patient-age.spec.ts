/**
 * Goal: an age is what the dates say, capped, and never made from a date that is none.
 * Method: birthdays around the borders, every placeholder, and properties over real dates.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DicomDataset } from '@aifi/dicom-core';
import { ageOf } from './patient-age.js';
import { PLACEHOLDER_BIRTH_DATES } from './placeholder-dates.table.js';

const header = (birth: string, study: string, age = ''): DicomDataset =>
  new DicomDataset()
    .setString('PatientBirthDate', birth)
    .setString('StudyDate', study)
    .setString('PatientAge', age);

describe(ageOf.name, () => {
  it.each([
    ['20200615', '20240614', '047M'],
    ['20200615', '20240615', '048M'],
    ['20040615', '20240614', '239M'],
    ['20040615', '20240615', '020Y'],
    ['20240229', '20240301', '000M'],
    ['20240229', '20240229', '000M'],
    ['20000229', '20250228', '024Y'],
    ['19610403', '20240229', '062Y'],
    ['19330101', '20240229', '090Y'],
    ['19050505', '20240229', '090Y'],
  ])('born %s, seen %s: %s', (birth, study, age) => {
    expect(ageOf(header(birth, study))).toBe(age);
  });

  it.each([...PLACEHOLDER_BIRTH_DATES, '19610400', '19610003', '19610231', '1961', 'onbekend'])(
    'of the birth date "%s" there is none, whatever the console has made of it',
    (birth) => {
      expect(ageOf(header(birth, '20240229'))).toBeUndefined();
      for (const written of ['124Y', '031Y', '140M']) {
        expect(ageOf(header(birth, '20240229', written))).toBeUndefined();
      }
    },
  );
  it('a written age holds where there is no birth date', () => {
    expect(ageOf(header('', '20240229', '031Y'))).toBe('031Y');
    expect(ageOf(new DicomDataset().setString('PatientAge', '031Y'))).toBe('031Y');
    expect(ageOf(header('', '20240229'))).toBeUndefined();
  });
  it('of a birth after the study, or of a study without a date, there is none', () => {
    expect(ageOf(header('20240301', '20240229', '031Y'))).toBeUndefined();
    expect(ageOf(header('19610403', ''))).toBeUndefined();
    expect(ageOf(header('19610403', '00000000', '062Y'))).toBeUndefined();
  });
  it('a site adds its own placeholders', () => {
    expect(ageOf(header('19700101', '20240229'))).toBe('054Y');
    expect(ageOf(header('19700101', '20240229', '054Y'), ['19700101'])).toBeUndefined();
  });
  it('the dates win over what the console wrote', () => {
    expect(ageOf(header('19610403', '20240229', '051Y'))).toBe('062Y');
  });

  it.each([
    ['089Y', '089Y'],
    ['104Y', '090Y'],
    ['012Y', '012Y'],
    ['140M', '140M'],
    ['239M', '239M'],
    ['240M', '020Y'],
    ['052W', '011M'],
    ['010D', '000M'],
    ['000Y', undefined],
    ['62', undefined],
    ['062y', undefined],
    ['Jan9', undefined],
  ])('the written age %s becomes %s', (age, expected) => {
    expect(ageOf(header('', '20240229', age))).toBe(expected);
  });

  it('is AS, at most 239M or 090Y, and never grows with a later birth', () => {
    const day = fc.date({
      ...{ min: new Date('1902-01-03'), max: new Date('2030-01-01'), noInvalidDate: true },
    });
    const text = (date: Date): string => date.toISOString().slice(0, 10).replaceAll('-', '');
    const months = (age: string): number => Number(age.slice(0, 3)) * (age.endsWith('M') ? 1 : 12);
    fc.assert(
      fc.property(day, day, (a, b) => {
        const [early, late] = [a, b].map(text).sort() as [string, string];
        const [older, younger] = [early, late].map((birth) => ageOf(header(birth, '20300101'))!);
        for (const age of [older!, younger!]) {
          expect(age).toMatch(/^((0\d\d|1\d\d|2[0-3]\d)M|0([2-8]\d|90)Y)$/);
        }
        expect(months(older!)).toBeGreaterThanOrEqual(months(younger!));
      }),
    );
  });
});
