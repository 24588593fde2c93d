/** Goal: a signature counts when a key that is trusted now made it, and not otherwise. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { signManifest, verifyManifest } from './manifest-codec.js';

const [old, next, foreign] = [newPair(), newPair(), newPair()];
const bytes = Buffer.from('{"schema":"a"}');
const untrusted = expect.objectContaining({ code: 'UNTRUSTED' });

function newPair() {
  return generateKeyPairSync('ed25519');
}

describe(verifyManifest.name, () => {
  it('takes the signature of any trusted key, and of no other', () => {
    const keys = () => [old.publicKey, next.publicKey];
    for (const { privateKey } of [old, next]) {
      const signature = signManifest(bytes, privateKey);
      expect(() => verifyManifest(bytes, signature, keys)).not.toThrow();
      const changed = Buffer.from('{"schema":"b"}');
      expect(() => verifyManifest(changed, signature, keys)).toThrow(untrusted);
    }
    const signature = signManifest(bytes, foreign.privateKey);
    expect(() => verifyManifest(bytes, signature, keys)).toThrow(untrusted);
    expect(() => verifyManifest(bytes, signature, old.publicKey)).toThrow(untrusted);
  });
  it('asks each time who is trusted: nobody is, then one key, then another', () => {
    let trusted = [old.publicKey].slice(1);
    const signature = signManifest(bytes, old.privateKey);
    const verified = () => verifyManifest(bytes, signature, () => trusted);
    expect(verified).toThrow(untrusted);
    trusted = [old.publicKey];
    expect(verified).not.toThrow();
    trusted = [next.publicKey];
    expect(verified).toThrow(untrusted);
  });
});
