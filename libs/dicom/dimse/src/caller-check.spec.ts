/**
 * Goal: a name alone opens nothing; every binding that is configured must match.
 * Method: the whole table of bindings against plain and TLS peers.
 */
import { describe, expect, it } from '@jest/globals';
import { isKnownCaller, type AllowedCaller } from './caller-check.js';

const HOST = '192.0.2.7';
const CERTIFICATE = 'ab'.repeat(32);
const plain = { address: HOST, certificateSha256: undefined };
const secured = { address: HOST, certificateSha256: CERTIFICATE };
const elsewhere = { address: '192.0.2.8', certificateSha256: CERTIFICATE };
const otherCertificate = { address: HOST, certificateSha256: 'cd'.repeat(32) };

describe(isKnownCaller.name, () => {
  it.each<[string, Omit<AllowedCaller, 'aeTitle'>, string]>([
    ['nothing', {}, ''],
    ['plain without host', { plain: true }, ''],
    ['host', { host: HOST }, 'secured otherCertificate'],
    ['host, plain', { host: HOST, plain: true }, 'plain secured otherCertificate'],
    ['certificate', { certificateSha256: CERTIFICATE }, 'secured elsewhere'],
    ['certificate, plain', { certificateSha256: CERTIFICATE, plain: true }, 'secured elsewhere'],
    ['host and certificate', { host: HOST, certificateSha256: CERTIFICATE }, 'secured'],
    [
      'host and certificate, plain',
      { host: HOST, certificateSha256: CERTIFICATE, plain: true },
      'plain secured',
    ],
  ])('a caller bound to %s', (_, binding, expected) => {
    const callers = [
      { aeTitle: 'OTHER', host: HOST, plain: true },
      { aeTitle: 'CT1', ...binding },
    ];
    const peers = { plain, secured, elsewhere, otherCertificate };
    const known = Object.entries(peers).filter(([, peer]) => isKnownCaller(callers, 'CT1', peer));
    expect(known.map(([name]) => name).join(' ')).toBe(expected);
  });

  it('takes everybody where a stand-in says so', () => {
    expect(isKnownCaller('any', 'X', plain)).toBe(true);
  });
});
