/**
 * Goal: a bound certificate stands for its gateway while it is connected, whatever it says itself.
 * Method: bindings of made-up fingerprints, asked for through the calls of a connection.
 */
import { describe, expect, it } from '@jest/globals';
import { bindPeer } from './bound-peers.js';
import { linkPeerOf, type PeerCall } from './site-from-peer.js';

const callWith = (fingerprint256: string, subjectaltname = ''): PeerCall => {
  const sslPeerCertificate = { fingerprint256, subjectaltname };
  return { getAuthContext: () => ({ sslPeerCertificate }) as never };
};

describe(bindPeer.name, () => {
  it('lets calls of the certificate be its gateway, not what its names say', () => {
    const bound = bindPeer('AA', { siteName: 'site-a', gateway: 2 });
    const call = callWith('AA', 'URI:spiffe://aifi/site/site-b/gw/1');
    expect(linkPeerOf(call)).toEqual({ siteId: 'site-a', gateway: 2 });
    expect(() => linkPeerOf(callWith('BB'))).toThrow('names no site');
    bound.release();
  });
  it('ends with the last connection, each counted once', () => {
    const name = { siteName: 'site-a', gateway: 2 };
    const [first, second] = [bindPeer('CC', name), bindPeer('CC', name)];
    first.release();
    first.release();
    expect(linkPeerOf(callWith('CC'))).toEqual({ siteId: 'site-a', gateway: 2 });
    second.release();
    expect(() => linkPeerOf(callWith('CC'))).toThrow('names no site');
  });
  it('refuses to mean two gateways at a time', () => {
    const bound = bindPeer('DD', { siteName: 'site-a', gateway: 2 });
    for (const other of [
      { siteName: 'site-b', gateway: 2 },
      { siteName: 'site-a', gateway: 3 },
    ]) {
      expect(() => bindPeer('DD', other)).toThrow('another gateway');
    }
    bound.release();
    bindPeer('DD', { siteName: 'site-b', gateway: 2 }).release();
  });
  it('takes no name that is no site', () => {
    expect(() => bindPeer('EE', { siteName: '../site', gateway: 1 })).toThrow();
  });
});
