/**
 * Goal: planted identities are unique, reproducible and valid.
 * Method: identities of several studies and runs are compared with each other and with VR limits.
 */
import { describe, expect, it } from '@jest/globals';
import { passesElevenTest, plantIdentity } from './planted-identity.js';

const SHORT = [
  'AccessionNumber',
  'StudyID',
  'StationName',
  'PatientTelephoneNumbers',
  'Occupation',
];

describe(plantIdentity.name, () => {
  const sut = plantIdentity('t1-brain', 'run-1');

  it('gives equal identities for equal seeds and others for another study or run', () => {
    expect(plantIdentity('t1-brain', 'run-1')).toEqual(sut);
    const texts = [sut, plantIdentity('t1-brain', 'run-2'), plantIdentity('ct-head', 'run-1')]
      .flatMap((identity) => identity.canaries)
      .map((canary) => canary.text);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('plants no canary inside another and none that is short enough to occur by chance', () => {
    for (const a of sut.canaries) {
      expect(a.text.length).toBeGreaterThanOrEqual(8);
      const inside = sut.canaries.filter((b) => b !== a && b.text.includes(a.text));
      expect(inside).toEqual([]);
    }
  });

  it('has every canary in an attribute', () => {
    const { attributes, request, citizenServiceNumber, privateText, privateBytes } = sut;
    const carried = [
      ...Object.values(attributes),
      ...Object.values(request),
      citizenServiceNumber,
      privateText,
      privateBytes,
    ].join('\n');
    for (const { text } of sut.canaries) expect(carried).toContain(text);
  });

  it('keeps to the VRs: SH has 16 characters, a birth date is a date, a BSN passes the 11-test', () => {
    for (const keyword of SHORT) {
      expect(sut.attributes[keyword]!.length).toBeLessThanOrEqual(
        keyword === 'Occupation' ? 20 : 16,
      );
    }
    expect(sut.attributes['PatientBirthDate']).toMatch(
      /^19[3-9]\d(0[1-9]|1[0-2])(0[1-9]|1\d|2[0-8])$/,
    );
    expect(passesElevenTest(sut.citizenServiceNumber)).toBe(true);
    expect(passesElevenTest('123456782')).toBe(true);
    expect(passesElevenTest('123456789')).toBe(false);
  });
});
