/**
 * TLS of the link: versions, cipher suites, and that a connection is never resumed.
 * Decides that only suites with forward secrecy and authenticated encryption are spoken.
 * Invariant: no session tickets and no session cache, so that every connection shows its
 * certificate anew and a revoked one has no way in.
 * Source: RFC 9325 4.2; security specification 4 (TLS).
 */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { ServerIdentity } from './link-trust.js';

/** TLS 1.3 suites, then ECDHE with AEAD for TLS 1.2 (RFC 9325 4.2). */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export function secureContextOf(
  { certificate, key }: ServerIdentity,
  anchors: readonly string[],
): SecureContextOptions {
  return {
    ...{ cert: certificate, key, ca: [...anchors], ciphers: CIPHERS, honorCipherOrder: true },
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}
