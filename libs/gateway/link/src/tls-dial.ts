/**
 * TLS to the hub over a tunnel, and what it means when the other side cannot prove itself.
 * Decides whom we speak to: a chain to the pinned anchors, the configured name, the protocol that
 * was asked for. Tells apart who opens the encryption on the way from a clock, a name or a page.
 * Invariants: nothing is written before the other side is known; no other authority of the machine
 * counts. Source: RFC 8446 (TLS 1.3); RFC 7301 (ALPN); RFC 9525 (names).
 */
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { AifiError, type ErrorCode } from '@aifi/shared-kernel';
import { linkFault, presentedOf, type FoundFacts } from './link-fault.js';
import { targetOf, type LinkSettings, type LinkTarget } from './link-settings.js';
import { openTunnel, TUNNEL_TIMEOUT_MS } from './tunnel.js';

/** Everything that is spoken on the hub's one port. */
export const LINK_PROTOCOLS = ['h2', 'aifi-objects/1', 'aifi-join/1'] as const;
export type LinkProtocol = (typeof LINK_PROTOCOLS)[number];

/** Who we are and whom we trust. */
export interface LinkCredentials {
  /** PEM. */
  readonly trustAnchors: readonly string[];
  /** PEM; absent for a gateway that has not joined. */
  readonly own?: { readonly key: string; readonly certificate: string };
}
export interface DialOptions {
  readonly settings: LinkSettings;
  readonly credentials: LinkCredentials;
  readonly protocol: LinkProtocol;
  readonly signal?: AbortSignal;
}

/** A connection whose other end is the hub, proven. Throws a link fault. */
export async function dialHub(options: DialOptions): Promise<TLSSocket> {
  const { settings, credentials, protocol } = options;
  const socket = await handshake(options);
  const fault = faultOf(socket, targetOf(settings)) ?? protocolFault(socket, protocol);
  if (!fault) return socket;
  socket.destroy();
  throw credentials.trustAnchors.length === 0 ? linkFault('NOT_JOINED') : fault;
}

/**
 * The certificates that are shown, nearest first, by whoever answers: nothing of it is trusted,
 * nothing is sent. Throws a link fault when there is no TLS.
 */
export async function presentedChain(
  options: Omit<DialOptions, 'credentials'>,
): Promise<readonly PeerCertificate[]> {
  const socket = await handshake({ ...options, credentials: { trustAnchors: [] } });
  const chain: PeerCertificate[] = [];
  let next = socket.getPeerCertificate(true);
  // A root names itself as its issuer.
  while (next?.raw && !chain.some((one) => one.raw.equals(next.raw)) && chain.length < CHAIN_MAX) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  socket.destroy();
  return chain;
}
const CHAIN_MAX = 10;

async function handshake(options: DialOptions): Promise<TLSSocket> {
  const { settings, credentials, protocol, signal: outer } = options;
  const timeout = AbortSignal.timeout(TUNNEL_TIMEOUT_MS);
  const signal = outer ? AbortSignal.any([outer, timeout]) : timeout;
  const tunnel = await openTunnel(settings, signal);
  const { serverName } = targetOf(settings);
  const { own, trustAnchors } = credentials;
  const socket = connect({
    ...{ socket: tunnel, ca: [...trustAnchors], minVersion: 'TLSv1.2' },
    ...{ ALPNProtocols: [protocol], ...(isIP(serverName) === 0 && { servername: serverName }) },
    ...(own && { key: own.key, cert: own.certificate }),
    // Judged below, where it can still be told what was shown; before anything is written.
    ...{ rejectUnauthorized: false, checkServerIdentity: () => undefined },
  });
  return secured(socket, tunnel, signal);
}

function secured(socket: TLSSocket, tunnel: Socket, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const end = (error: unknown): void => {
      signal.removeEventListener('abort', aborted);
      socket.destroy();
      tunnel.destroy();
      reject(handshakeFault(error));
    };
    const aborted = (): void => end(undefined);
    const closed = (): void => end(undefined);
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted, { once: true });
    socket.once('error', end).once('close', closed);
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', aborted);
      socket.off('error', end).off('close', closed);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** Codes of OpenSSL for bytes that are no TLS record: mostly the start of an HTTP answer. */
const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH|UNKNOWN_PROTOCOL|HTTP_REQUEST|BAD_RECORD_TYPE/;
/** Alerts of the other side: it speaks TLS but not with us. */
const ALERT = /ALERT/;
function handshakeFault(error: unknown): AifiError {
  if (error instanceof AifiError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (NOT_TLS.test(code)) return linkFault('LINK_NOT_TLS', { setting: 'hub.address' }, error);
  return linkFault(ALERT.test(code) ? 'PEER_REFUSED' : 'PEER_UNAVAILABLE', {}, error);
}

const TIME_FAULTS: readonly string[] = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];

/** Undefined when the other side has proven to be the hub. */
function faultOf(socket: TLSSocket, target: LinkTarget): AifiError | undefined {
  const certificate = socket.getPeerCertificate();
  const presented = presentedOf(certificate) ?? null;
  if (!socket.authorized) {
    const reason = String(socket.authorizationError);
    if (TIME_FAULTS.includes(reason)) return linkFault('LINK_CERTIFICATE_TIME', { presented });
    return inspected(target, presented);
  }
  if (!isNamed(certificate, target.serverName)) {
    return linkFault('LINK_WRONG_NAME', { presented, setting: 'hub.serverName' });
  }
  return undefined;
}

/** The certificate is not of our authority: somebody else ends the encryption. */
export function inspected(target: LinkTarget, presented: FoundFacts['presented']): AifiError {
  const { host, port, serverName: sni } = target;
  const exemption = { host, port, sni, alpn: [...LINK_PROTOCOLS] };
  const code: ErrorCode = 'LINK_INSPECTED';
  return linkFault(code, { presented: presented ?? null, exemption });
}

function isNamed(certificate: PeerCertificate, serverName: string): boolean {
  return checkServerIdentity(serverName, certificate) === undefined;
}

function protocolFault(socket: TLSSocket, protocol: LinkProtocol): AifiError | undefined {
  if (socket.alpnProtocol === protocol) return undefined;
  return linkFault('PEER_REFUSED', { setting: 'hub.address' });
}
