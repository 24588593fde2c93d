/**
 * Who may open an association: AE title together with address, certificate, or both.
 * Decides that a name alone is never enough. Invariants: without TLS only a caller that is marked
 * for it, from its own address; with TLS every binding that is given must match, and one is given.
 * Source: security specification 5 (DICOM TLS, plain DICOM), PS3.15 annex B; reliability F9.
 */

/** A peer that may open associations. Over TLS every given binding must match, and one is given. */
export interface AllowedCaller {
  readonly aeTitle: string;
  /** Its IP address. */
  readonly host?: string | undefined;
  /** SHA-256 of its certificate (DER): 64 lower-case hexadecimal digits. */
  readonly certificateSha256?: string | undefined;
  /** May also come without TLS, from its host only. @default false */
  readonly plain?: boolean | undefined;
}
/** What is known of a peer before it says a word. */
export interface PeerIdentity {
  readonly address: string;
  /** Absent: the connection is not TLS. */
  readonly certificateSha256: string | undefined;
}

function isCaller(caller: AllowedCaller, { address, certificateSha256 }: PeerIdentity): boolean {
  const isHost = caller.host === address;
  if (certificateSha256 === undefined) return caller.plain === true && isHost;
  const isCertificate = caller.certificateSha256 === certificateSha256;
  if (caller.host !== undefined && !isHost) return false;
  if (caller.certificateSha256 !== undefined && !isCertificate) return false;
  return caller.host !== undefined || caller.certificateSha256 !== undefined;
}

export function isKnownCaller(
  callers: readonly AllowedCaller[] | 'any',
  callingAeTitle: string,
  peer: PeerIdentity,
): boolean {
  if (callers === 'any') return true;
  return callers.some((caller) => caller.aeTitle === callingAeTitle && isCaller(caller, peer));
}
