/**
 * Site from the peer's certificate: with bound-peers.ts the only maker of a SiteId (guard C1).
 * Decides which certificate names a site: exactly one URI in the subject alternative name, of the
 * form spiffe://aifi/site/<siteId>/gw/<n>, in a certificate that the TLS layer has verified; or one
 * of a national PKI that was bound to a gateway, whose own names then count for nothing.
 * Invariant: no message, header or address takes part in the decision.
 * Source: reliability specification C1; SPIFFE-ID 2; RFC 5280 4.2.1.6.
 */
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { AifiError, siteId, type SiteId } from '@aifi/shared-kernel';
import { boundPeerOf } from './bound-peers.js';

const SITE_URI = /^URI:spiffe:\/\/aifi\/site\/([a-z][a-z0-9-]{0,31})\/gw\/(\d{1,4})$/;

/** Which gateway of which site is at the other end of a connection. */
export interface LinkPeer {
  readonly siteId: SiteId;
  /** Number of the gateway within its site, as in its certificate. */
  readonly gateway: number;
}

/** What of a grpc-js call says who called. */
export interface PeerCall {
  getAuthContext(): ReturnType<ServerUnaryCall<unknown, unknown>['getAuthContext']> | null;
}

/**
 * The calling gateway; UNTRUSTED (gRPC UNAUTHENTICATED) without a verified certificate
 * that names exactly one. grpc-js gives the certificate only when TLS has authorised it.
 */
export function linkPeerOf(call: PeerCall): LinkPeer {
  const certificate = call.getAuthContext()?.sslPeerCertificate;
  const bound = certificate && boundPeerOf(certificate.fingerprint256);
  return bound ?? peerFromAlternativeNames(certificate?.subjectaltname ?? '');
}

/** Parses Node's textual form: `URI:...` entries joined by comma and space, odd ones quoted. */
export function peerFromAlternativeNames(names: string): LinkPeer {
  const uris = names.split(', ').filter((name) => name.startsWith('URI:'));
  const [, site, gateway] = (uris.length === 1 && SITE_URI.exec(uris[0]!)) || [];
  if (site === undefined) throw new AifiError('UNTRUSTED', 'the certificate names no site');
  return { siteId: siteId(site), gateway: Number(gateway) };
}
