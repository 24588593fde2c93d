/**
 * Goal: the database learns an age, a moment and keys of a patient, and nothing else.
 * Method: words of made-up patients through the facts of two hospitals; moments as data.
 */
import { describe, expect, it } from '@jest/globals';
import { accessionKeyOf, keyRingOf, patientKeyOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { intakeFactsIn } from './intake-facts.js';

const keys = keyRingOf(fakeSiteKeys());
const sut = intakeFactsIn(keys);
const utc = (iso: string): number => Date.parse(iso);

describe(intakeFactsIn.name, () => {
  it('tells age, moment and keys, and none of the words', () => {
    const facts = sut({
      ...{ patientId: 'CANARY7', issuer: 'CANARYHUIS', accessionNumber: 'CANARY9' },
      ...{ birthDate: '19800229', patientAge: '046Y', date: '20260301', time: '101500' },
    });
    expect(facts).toEqual({
      age: expect.objectContaining({ kind: 'known', years: 46 }),
      acquiredAtMs: utc('2026-03-01T09:15:00Z'),
      patientKey: patientKeyOf(keys, { patientId: 'CANARY7', issuer: 'CANARYHUIS' }),
      accessionKey: accessionKeyOf(keys, 'CANARY9'),
    });
    expect(JSON.stringify(facts)).not.toMatch(/canary|1980|0229/i);
  });
  it('knows nothing of images that say nothing', () => {
    expect(sut({})).toEqual({ age: { kind: 'missing' } });
  });
  it.each([
    ['winter', '20260115', '120000', undefined, '2026-01-15T11:00:00Z'],
    ['summer', '20260715', '120000.123', undefined, '2026-07-15T10:00:00Z'],
    ['an offset of its own', '20260715', '120000', '-0330', '2026-07-15T15:30:00Z'],
    ['an offset that is none', '20260715', '120000', '+2500', '2026-07-15T10:00:00Z'],
    ['minutes only', '20260715', '1200', undefined, '2026-07-15T10:00:00Z'],
    ['the notation of before 1993', '2026.07.15', '12:00:30', undefined, '2026-07-15T10:00:30Z'],
    ['no time: the end of the day', '20260715', undefined, undefined, '2026-07-15T21:59:59Z'],
    ['the hour that comes twice: first', '20261025', '023000', undefined, '2026-10-25T00:30:00Z'],
    ['the hour after it', '20261025', '030000', undefined, '2026-10-25T02:00:00Z'],
    ['the hour that is left out', '20260329', '023000', undefined, '2026-03-29T00:30:00Z'],
    ['the last second of a year', '20251231', '235959', undefined, '2025-12-31T22:59:59Z'],
  ])('places %s', (_, ...said) => {
    const [date, time, zone, iso] = said;
    const words = { date, ...(time && { time }), ...(zone && { zone }) };
    expect(sut(words).acquiredAtMs).toBe(utc(iso!));
  });
  it.each([['20260230'], ['2026'], ['00000000'], ['tomorrow']])('has no moment of %s', (date) => {
    expect(sut({ date, time: '120000' })).not.toHaveProperty('acquiredAtMs');
  });
  it('goes by the zone of the hospital', () => {
    const words = { date: '20260715', time: '120000' };
    expect(intakeFactsIn(keys, 'America/Curacao')(words).acquiredAtMs).toBe(
      utc('2026-07-15T16:00:00Z'),
    );
  });
});
