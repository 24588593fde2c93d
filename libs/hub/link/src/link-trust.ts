/**
 * LinkTrust: the port through which the front asks whom a certificate stands for.
 * Decides nothing: the enrolment of the hub does, from its records. Invariants: an admission is
 * released when its connection ends; what `lapsed` names is cut.
 * Source: reliability specification C1; RFC 5280 6 (the TLS layer has verified the path before).
 */
import type { X509Certificate } from 'node:crypto';
import type { LinkPeer } from '@aifi/hub-identity';

/** One connection of a gateway that was let in. */
export interface Admission {
  readonly peer: LinkPeer;
  /** The connection has ended. */
  release(): void;
}

export interface LinkTrust {
  /** Certificates (PEM) of the authorities whose clients may connect, as of now. */
  anchors(): Promise<readonly string[]>;
  /**
   * Whom a verified certificate stands for. UNTRUSTED: nobody that may connect; another fault:
   * cannot be told now.
   */
  admit(certificate: X509Certificate): Promise<Admission>;
  /** Those that would not be let in again: revoked, expired, or of a site that is not active. */
  lapsed(open: readonly Admission[]): Promise<ReadonlySet<Admission>>;
}

/** Certificate chain and key (PEM) that the hub shows to gateways. */
export interface ServerIdentity {
  readonly certificate: string;
  readonly key: string;
}
