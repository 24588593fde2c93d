/**
 * Headers of every answer of the embedded provider.
 * Decides that its pages run no script and send forms only to itself and to the pages it serves:
 * a browser follows the redirect after a form only to where form-action allows.
 * Invariant: HSTS only where the issuer itself has TLS. Source: security specification 7; CSP 3.
 */
/** Features that Chromium knows: it warns about each other one on every page. */
const FEATURES =
  'accelerometer autoplay camera display-capture encrypted-media fullscreen ' +
  'geolocation gyroscope hid identity-credentials-get idle-detection magnetometer microphone ' +
  'midi payment picture-in-picture publickey-credentials-create publickey-credentials-get ' +
  'screen-wake-lock serial storage-access usb xr-spatial-tracking';

/** `callbacks`: addresses that a sign-in or a sign-out returns to. */
export function responseHeaders(
  issuer: string,
  callbacks: readonly string[],
): Readonly<Record<string, string>> {
  const origins = [...new Set(callbacks.map((address) => new URL(address).origin))];
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "style-src 'self'",
      // The empty icon, so that no browser asks for another one.
      'img-src data:',
      `form-action ${["'self'", ...origins].join(' ')}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': FEATURES.split(' ')
      .map((feature) => `${feature}=()`)
      .join(', '),
    'X-Frame-Options': 'DENY',
    'Cache-Control': 'no-store',
    ...(issuer.startsWith('https:') && {
      'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
    }),
  };
}
