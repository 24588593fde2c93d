/**
 * Goal: an identity keeps its bytes and is compared without being shown.
 * Method: datasets in memory.
 */
import { describe, expect, it } from '@jest/globals';
import { aPatient } from '../test/vault-fixtures.js';
import { identityElements, identityHmacs, identityOf } from './index.js';

describe(identityOf.name, () => {
  it('keeps the value bytes of the modules as they were, sequences included, and nothing else', () => {
    const elements = identityElements(identityOf(aPatient('B\xe4cken^Jan ')));
    expect(Buffer.from(elements.bytes('PatientName')!).toString('latin1')).toBe('B\xe4cken^Jan ');
    expect(elements.string('PatientName')).toBe('Bäcken^Jan');
    const [issuer] = elements.items('IssuerOfAccessionNumberSequence');
    expect(issuer?.bytes('LocalNamespaceEntityID')).toBeDefined();
    expect(elements.has('InstitutionName')).toBe(false);
  });
  it('gives equal HMACs for equal fields whatever the padding, and others under another key', () => {
    const [a, b] = [aPatient('Berg^Jan'), aPatient('Berg^Jan  ')].map(identityOf);
    const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    expect(identityHmacs(a!, key)).toEqual(identityHmacs(b!, key));
    expect(identityHmacs(a!, key).PatientName).not.toBe(identityHmacs(a!, other).PatientName);
    expect(JSON.stringify(identityHmacs(a!, key))).not.toContain('0012345');
  });
});
