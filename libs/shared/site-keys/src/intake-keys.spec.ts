/**
 * Goal: equal numbers give equal keys, in every epoch, and a key tells nothing without the ring.
 * Method: rings of made-up keys, numbers with padding, issuers and none.
 */
import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { accessionKeyOf, keyRingOf, patientKeyOf } from './index.js';

const ring = keyRingOf(fakeSiteKeys());
const patient = { patientId: '123456', issuer: 'ZIEKENHUIS' };

describe(patientKeyOf.name, () => {
  it('is the same whatever the padding and the form of its letters', () => {
    const written = { patientId: ' 12\u00e9  34 ', issuer: ' A ' };
    const typed = { patientId: '12e\u0301 34', issuer: 'A' };
    expect(patientKeyOf(ring, written)).toBe(patientKeyOf(ring, typed));
    expect(patientKeyOf(ring, patient)).toMatch(/^[0-9a-f]{64}$/);
  });
  it('tells issuers apart, and one that is absent from none', () => {
    const keys = [patient, { ...patient, issuer: 'B' }, { patientId: '123456' }];
    expect(new Set(keys.map((each) => patientKeyOf(ring, each))).size).toBe(3);
    expect(patientKeyOf(ring, { patientId: '123456', issuer: '' })).toBe(
      patientKeyOf(ring, { patientId: '123456' }),
    );
  });
  it('is undefined without a number', () => {
    expect(patientKeyOf(ring, { patientId: '  ', issuer: 'A' })).toBeUndefined();
  });
  it('stays over a rotation, and is of no use to another hospital', () => {
    const next = { ...fakeSiteKeys('site-a', 2), index: fakeSiteKeys().index };
    const rotated = keyRingOf(fakeSiteKeys(), next);
    expect(patientKeyOf(rotated, patient)).toBe(patientKeyOf(ring, patient));
    expect(patientKeyOf(keyRingOf(next), patient)).toBe(patientKeyOf(ring, patient));
    const other = keyRingOf({ ...fakeSiteKeys(), index: randomBytes(32) });
    expect(patientKeyOf(other, patient)).not.toBe(patientKeyOf(ring, patient));
  });
});

describe(accessionKeyOf.name, () => {
  it('is never the key of a patient with that number', () => {
    const key = accessionKeyOf(ring, '123456');
    expect(key).toBe(accessionKeyOf(ring, ' 123456 '));
    expect(key).not.toBe(patientKeyOf(ring, { patientId: '123456' }));
  });
  it('is undefined without a number', () => {
    expect(accessionKeyOf(ring, '')).toBeUndefined();
  });
});
