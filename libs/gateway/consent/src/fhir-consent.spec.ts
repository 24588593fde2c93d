/**
 * Goal: a FHIR Consent sets or withdraws exactly what it says, and what does not map is refused by
 * its element without a value of it. Method: resources by hand, one change each.
 */
import { describe, expect, it } from '@jest/globals';
import { OBJECTION_CODE_SYSTEM, readConsent } from './fhir-consent.js';

const SCOPE = 'http://terminology.hl7.org/CodeSystem/consentscope';
const coded = (system: string, code: string) => ({ coding: [{ system, code }] });
const LOINC = coded('http://loinc.org', '59284-0');
const consent = (changes: object = {}) => ({
  ...{ resourceType: 'Consent', id: 'x', status: 'active', scope: coded(SCOPE, 'research') },
  ...{ category: [LOINC], patient: { identifier: { system: 'urn:oid:1.2', value: 'PAT-77' } } },
  ...{ provision: { type: 'deny' }, ...changes },
});
const own = (code: string) => ({ category: [coded(OBJECTION_CODE_SYSTEM, code)] });

describe(readConsent.name, () => {
  it.each([
    [consent(), 'secondary-use'],
    [consent(own('ai-in-own-care')), 'ai-in-own-care'],
    [consent(own('sharing')), 'sharing'],
    [
      consent({
        scope: coded(SCOPE, 'patient-privacy'),
        provision: { type: 'deny', action: [coded('x', 'disclose')] },
      }),
      'sharing',
    ],
  ])('maps %j to %s', (resource, kind) => {
    expect(readConsent(resource)).toEqual({
      ...{ kind, event: 'set', sinceMs: undefined, untilMs: undefined },
      patient: { patientId: 'PAT-77', issuer: '' },
    });
  });
  it('takes the period, days as days of the hospital with the last one included', () => {
    const period = { start: '2026-11-01', end: '2026-11-30' };
    expect(readConsent(consent({ provision: { type: 'deny', period } }))).toMatchObject({
      ...{ sinceMs: +new Date(2026, 10, 1), untilMs: +new Date(2026, 11, 1) },
    });
    const exact = { start: '2026-11-01T10:00:00Z' };
    expect(readConsent(consent({ provision: { type: 'deny', period: exact } })).sinceMs).toBe(
      Date.UTC(2026, 10, 1, 10),
    );
  });
  it('takes the assigner for the issuer', () => {
    const identifier = { value: '1', assigner: { display: 'ZIEKENHUIS' } };
    expect(readConsent(consent({ patient: { identifier } })).patient.issuer).toBe('ZIEKENHUIS');
  });
  it.each(['inactive', 'entered-in-error'])('withdraws one that is %s', (status) => {
    expect(readConsent(consent({ status })).event).toBe('withdrawn');
  });
  it.each<[string, object]>([
    ['Consent.status: only active', { status: 'draft' }],
    ['Consent.provision.type: only deny', { provision: { type: 'permit' } }],
    ['Consent.provision.type: only deny', { provision: {} }],
    ['Consent.provision.actor: ', { provision: { type: 'deny', actor: [{}] } }],
    ['Consent.provision.provision: ', { provision: { type: 'deny', provision: [{}] } }],
    ['Consent.provision.data: ', { provision: { type: 'deny', data: [{}] } }],
    ['Consent.provision: is missing', { provision: undefined }],
    ['Consent.patient.identifier: is missing', { patient: { reference: 'Patient/PAT-77' } }],
    [
      'Consent.patient.identifier: the number of the hospital',
      {
        patient: {
          identifier: { system: 'http://fhir.nl/fhir/NamingSystem/bsn', value: 'PAT-77' },
        },
      },
    ],
    ['Consent.category: needs a code', { scope: coded(SCOPE, 'treatment') }],
    ['Consent.category: one kind', own('everything')],
    [
      'Consent.provision.period: it ends before',
      { provision: { type: 'deny', period: { start: '2026-02-01', end: '2026-01-01' } } },
    ],
    [
      'Consent.provision.period.start: is missing or not',
      { provision: { type: 'deny', period: { start: 'PAT-77' } } },
    ],
  ])('refuses with %s', (words, changes) => {
    const reading = () => readConsent(consent(changes));
    expect(reading).toThrow(words);
    expect(reading).not.toThrow('PAT-77');
  });
});
