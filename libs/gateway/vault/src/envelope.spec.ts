/**
 * Goal: an envelope opens only where it belongs, with keys of its own epoch.
 * Method: spliced, changed and foreign envelopes.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AifiError, newJobId, pseudonymousUid, sha256Hex, siteId } from '@aifi/shared-kernel';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { aLinkage } from '../test/vault-fixtures.js';
import { identityHmacs, openEnvelope, sealEnvelope, type EnvelopeBinding } from './index.js';

describe('envelope', () => {
  const fill = (value: number): Buffer => Buffer.alloc(32, value);
  const keys = fakeSiteKeys();
  const ring = keyRingOf(keys);
  const binding: EnvelopeBinding = {
    siteId: siteId('site-a'),
    jobId: aLinkage().jobId,
    pseudonymousStudyUid: aLinkage().pseudonymousStudyUid,
    manifestSha256: sha256Hex('manifest'),
  };
  const content = {
    jobId: binding.jobId,
    revision: 1,
    targetId: 'pacs',
    identityHmacs: { ...identityHmacs(aLinkage().asSent, keys.identity) },
  };
  const sealed = sealEnvelope(content, binding, keys);

  it('opens where it belongs, and is the same for the same content', () => {
    expect(openEnvelope(sealed, binding, ring)).toEqual(content);
    expect(sealEnvelope(content, binding, keys)).toEqual(sealed);
    expect(sealEnvelope({ ...content, revision: 2 }, binding, keys).subarray(5, 17)).not.toEqual(
      sealed.subarray(5, 17),
    );
  });
  it.each<[string, Partial<EnvelopeBinding>]>([
    ['site', { siteId: siteId('site-b') }],
    ['job', { jobId: newJobId() }],
    ['study', { pseudonymousStudyUid: pseudonymousUid('2.25.2') }],
    ['manifest', { manifestSha256: sha256Hex('other') }],
  ])('does not open for another %s', (_, other) => {
    expect(() => openEnvelope(sealed, { ...binding, ...other }, ring)).toThrow(AifiError);
  });
  it('does not open under another key or epoch', () => {
    expect(() => openEnvelope(sealed, binding, keyRingOf({ ...keys, seal: fill(9) }))).toThrow(
      AifiError,
    );
    expect(() => openEnvelope(sealed, binding, keyRingOf({ ...keys, epoch: 2 }))).toThrow(
      AifiError,
    );
  });
  it('holds nothing readable, and says nothing when it does not open', () => {
    expect(sealed.toString('latin1')).not.toMatch(/pacs|PatientName|0012345/);
    expect(() => openEnvelope(sealed.subarray(1), binding, ring)).toThrow(
      expect.objectContaining({ code: 'UNTRUSTED' }),
    );
  });
  it('does not open when its parts come from two envelopes', () => {
    const other = sealEnvelope({ ...content, revision: 2 }, binding, keys);
    for (const cut of [5, 17, 33]) {
      const spliced = Buffer.concat([sealed.subarray(0, cut), other.subarray(cut)]);
      // Header and epoch are the same in both: a splice after them is the other envelope whole.
      if (cut > 5) expect(() => openEnvelope(spliced, binding, ring)).toThrow(AifiError);
      else expect(openEnvelope(spliced, binding, ring).revision).toBe(2);
    }
  });
  it('refuses sealed content that is no envelope', () => {
    const strange = sealEnvelope({ ...content, targetId: 'x'.repeat(65) }, binding, keys);
    expect(() => openEnvelope(strange, binding, ring)).toThrow(AifiError);
  });
  it('does not open after any change of its bytes', () => {
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(sealed);
        changed[at]! ^= flip;
        expect(() => openEnvelope(changed, binding, ring)).toThrow(AifiError);
        expect(() => openEnvelope(sealed.subarray(0, at), binding, ring)).toThrow(AifiError);
      }),
    );
  });
});
