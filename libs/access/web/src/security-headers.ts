/**
 * Security headers of every answer, and the policy of the pages with its nonce.
 * Decides what a browser may do with what this server sends: nothing that is not listed.
 * Invariant: no inline script or style, no other origin, no framing.
 * Source: security specification 7; OWASP ASVS 5.0 V3; CSP Level 3.
 */
import type { HttpRequest, HttpResponse } from './http-request.js';

const FEATURES =
  'accelerometer autoplay camera display-capture encrypted-media fullscreen ' +
  'geolocation gyroscope hid identity-credentials-get idle-detection magnetometer microphone ' +
  'midi payment picture-in-picture publickey-credentials-create publickey-credentials-get ' +
  'screen-wake-lock serial storage-access usb xr-spatial-tracking';
const PERMISSIONS = FEATURES.split(' ')
  .map((feature) => `${feature}=()`)
  .join(', ');

/** Policy of answers that are no page: nothing may be loaded from them. */
const DATA_POLICY =
  "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export const pagePolicy = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ');

/** Headers of every answer; HSTS only where the server itself is reached over TLS. */
export function securityHeaders(publicUrl: string): Readonly<Record<string, string>> {
  const isTls = publicUrl.startsWith('https:');
  return {
    'Content-Security-Policy': DATA_POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': PERMISSIONS,
    'X-Frame-Options': 'DENY',
    'Cache-Control': 'no-store',
    ...(isTls && { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' }),
  };
}

export function headersMiddleware(publicUrl: string) {
  const headers = Object.entries(securityHeaders(publicUrl));
  return (_request: HttpRequest, response: HttpResponse, next: () => void): void => {
    for (const [name, value] of headers) response.set(name, value);
    next();
  };
}
