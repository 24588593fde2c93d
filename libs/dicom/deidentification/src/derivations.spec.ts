/**
 * Goal: pseudonyms, UIDs and dates depend on the keys of one hospital and on nothing else.
 * Method: properties over generated identifiers and dates, and edge cases of the calendar.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isUid } from '@aifi/shared-kernel';
import type { DeidentificationContext } from './index.js';
import * as derive from './derivations.js';

const contextOf = (seed: number): DeidentificationContext => ({
  siteCode: 'SITE-A',
  keys: {
    uid: Buffer.alloc(32, seed),
    pid: Buffer.alloc(32, seed + 1),
    date: Buffer.alloc(32, seed + 2),
  },
});
const [context, otherSite] = [contextOf(1), contextOf(11)];
const patient = fc.string({ minLength: 1, maxLength: 64 });
const dayText = (date: Date): string => date.toISOString().slice(0, 10).replaceAll('-', '');
const dayNumber = (text: string): number =>
  Date.UTC(Number(text.slice(0, 4)), Number(text.slice(4, 6)) - 1, Number(text.slice(6, 8))) /
  86_400_000;

describe('pseudonymous UIDs', () => {
  it('are injective over twenty thousand, valid, and shared with no other site', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 20_000; i += 1) seen.add(derive.pseudonymousUidOf(`1.2.3.${i}`, context));
    expect(seen.size).toBe(20_000);
    expect([...seen].every((uid) => isUid(uid) && uid.length <= 44)).toBe(true);
    for (let i = 0; i < 2_000; i += 1) {
      expect(seen.has(derive.pseudonymousUidOf(`1.2.3.${i}`, otherSite))).toBe(false);
    }
  });
});

describe('patient pseudonyms', () => {
  it('are the same again, and shared with no other site whatever the identifier', () => {
    fc.assert(
      fc.property(patient, (id) => {
        const sut = derive.patientPseudonym(id, context);
        expect(derive.patientPseudonym(id, context)).toBe(sut);
        expect(derive.patientPseudonym(id, otherSite)).not.toBe(sut);
        expect(derive.studyIdPseudonym(id, otherSite)).not.toBe(
          derive.studyIdPseudonym(id, context),
        );
      }),
    );
  });
  it('are not mixed up with other derivations when one key serves all', () => {
    const key = Buffer.alloc(32, 7);
    const one = { siteCode: 'S', keys: { uid: key, pid: key, date: key } };
    const apart = { siteCode: 'S', keys: { uid: Buffer.from(key), pid: key, date: key } };
    for (const context of [one, { ...apart, keys: { ...apart.keys, date: Buffer.from(key) } }]) {
      expect(derive.patientPseudonym('1.2.3', context)).toMatch(/^S-[0-9A-Z]{26}$/);
      expect(derive.dateOffsetDays('1.2.3', context)).toBeLessThan(0);
      expect(derive.pseudonymousUidOf('1.2.3', context)).toMatch(/^2\.25\./);
      expect(derive.patientPseudonym('1.2.3', context)).toMatch(/^S-[0-9A-Z]{26}$/);
      expect(derive.studyIdPseudonym('1.2.3', context)).toHaveLength(16);
    }
  });
  it('fit the VR of Patient ID with the longest site code', () => {
    const longest = { ...context, siteCode: 'A'.repeat(32) };
    expect(derive.patientPseudonym('x', longest).length).toBeLessThanOrEqual(64);
  });
});

describe('dates', () => {
  it('move 1 to 3650 days back, by one offset per patient, and keep every interval', () => {
    const day = fc.date({
      ...{ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true },
    });
    fc.assert(
      fc.property(patient, day, day, (id, a, b) => {
        const offset = derive.dateOffsetDays(id, context);
        expect(Number.isInteger(offset) && offset <= -1 && offset >= -3650).toBe(true);
        const [before, after] = [a, b].map((date) => dayText(date));
        const moved = [before!, after!].map((text) => derive.shiftDate(text, offset)!);
        expect(dayNumber(moved[0]!) - dayNumber(before!)).toBe(offset);
        expect(dayNumber(moved[1]!) - dayNumber(moved[0]!)).toBe(
          dayNumber(after!) - dayNumber(before!),
        );
      }),
    );
  });

  it('spread over many offsets', () => {
    const offsets = Array.from({ length: 500 }, (_, i) => derive.dateOffsetDays(`p${i}`, context));
    expect(new Set(offsets).size).toBeGreaterThan(400);
  });

  it.each([
    ['20240301', -1, '20240229'],
    ['20230301', -1, '20230228'],
    ['20240101', -366, '20221231'],
    ['19000301', -1, '19000228'],
    ['00010102', -1, '00010101'],
  ])('%s moved by %i is %s', (date, offset, expected) => {
    expect(derive.shiftDate(date, offset)).toBe(expected);
  });

  it.each([
    '20230229',
    '20241301',
    '20240100',
    '00000101',
    '2024-01-01',
    '202401',
    '',
    '20240101 ',
  ])('the invalid date "%s" does not move but vanishes', (date) =>
    expect(derive.shiftDate(date, -1)).toBeUndefined(),
  );
  it('before the first year there is none', () => {
    expect(derive.shiftDate('00010101', -1)).toBeUndefined();
  });

  it.each([
    ['20240301101530.123456+0100', '20240229101530.123456+0100'],
    ['20240301101530', '20240229101530'],
    ['2024030110', '2024022910'],
    ['20240301', '20240229'],
    ['202403', '202402'],
    ['2024', '2023'],
    ['20240301-1200', '20240229-1200'],
  ])('the time of %s stays, and so does its precision: %s', (dateTime, expected) => {
    expect(derive.shiftDateTime(dateTime, -1)).toBe(expected);
  });
  it.each(['20240230101530', '20240301T101530', '202403011', '20240301+1', 'today', ''])(
    'the invalid date and time "%s" vanishes',
    (dateTime) => expect(derive.shiftDateTime(dateTime, -1)).toBeUndefined(),
  );
});
