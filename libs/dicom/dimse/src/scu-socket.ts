/**
 * The connection of our SCU: TCP, or TLS with both sides' certificates checked.
 * Decides protocol versions and cipher suites, and what a broken connection means: a certificate
 * that does not hold is UNTRUSTED, which no retry heals; all else is PEER_UNAVAILABLE.
 * Invariant: with `tls` given nothing is ever sent in clear, and no name goes unchecked.
 * Source: PS3.15 B.12 and B.13 (BCP 195: RFC 8996, RFC 9325 4.2); RFC 8446 6.2.
 */
import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, TLSSocket } from 'node:tls';
import { AifiError } from '@aifi/shared-kernel';
import { PeerClosed, TlsFault, type PeerPhase } from './peer-fault.js';

/** Certificates in PEM. */
export interface PeerTls {
  /** Who signs the certificate of the peer. */
  readonly ca: Buffer;
  /** Ours: DICOM peers ask for one. */
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Name in the certificate of the peer. @default its host */
  readonly serverName?: string | undefined;
}
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls?: PeerTls | undefined;
}

/** TLS 1.3, and of TLS 1.2 the suites with forward secrecy and AEAD (RFC 9325 4.2). */
export const TLS_CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  ...['ECDSA', 'RSA'].flatMap((signature) => [
    `ECDHE-${signature}-AES256-GCM-SHA384`,
    `ECDHE-${signature}-CHACHA20-POLY1305`,
    `ECDHE-${signature}-AES128-GCM-SHA256`,
  ]),
].join(':');

/** Alerts by which a peer says that it does not trust us, as OpenSSL names them. */
const CERTIFICATE_ALERT =
  /_ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_[A-Z]+|UNKNOWN_CA|ACCESS_DENIED)$/;

/** How `name` is checked: an address is looked for in the certificate but never sent (RFC 6066). */
export function serverIdentity(name: string): {
  readonly rejectUnauthorized: true;
  readonly servername: string;
  readonly checkServerIdentity: typeof checkServerIdentity;
} {
  return {
    // Said, because a variable of the environment could turn it off otherwise.
    rejectUnauthorized: true,
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  };
}

/** Begins to connect; CONFIG_INVALID when our own certificate or key cannot be used. */
export function openSocket({ host, port, tls }: PeerAddress): Socket {
  if (!tls) return connect({ host, port, noDelay: true });
  try {
    const socket = connectTls({
      host,
      port,
      ca: tls.ca,
      cert: tls.certificate,
      key: tls.key,
      minVersion: 'TLSv1.2',
      ciphers: TLS_CIPHERS,
      ...serverIdentity(tls.serverName ?? host),
    });
    return socket.setNoDelay(true);
  } catch (cause) {
    throw new AifiError('CONFIG_INVALID', 'certificate or key for TLS is unusable', { cause });
  }
}

/** Of an errno, an OpenSSL or a Node error; ENDED where there was none. */
function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code ?? (error === undefined ? 'ENDED' : 'UNKNOWN');
}

/** What the end of `socket` means; `error` as it was emitted, if it was. */
export function connectionFault(
  socket: Socket | null,
  phase: PeerPhase,
  error?: unknown,
): AifiError {
  const code = codeOf(error);
  const isOurVerdict = socket instanceof TLSSocket && Boolean(socket.authorizationError);
  if (isOurVerdict || CERTIFICATE_ALERT.test(code)) {
    const cause = new TlsFault(true, code);
    return new AifiError('UNTRUSTED', 'a certificate is not trusted', { cause });
  }
  const isHandshake = code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_');
  const cause = isHandshake ? new TlsFault(false, code) : new PeerClosed(phase, code);
  const what = isHandshake ? 'no TLS connection to the peer' : 'the peer does not answer';
  return new AifiError('PEER_UNAVAILABLE', what, { cause });
}
