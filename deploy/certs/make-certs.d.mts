/** Types of make-certs.mjs: the files that it makes. */

/** Files of one side of the mutual TLS. */
export interface CredentialFiles {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}
export interface DevelopmentCertificates {
  readonly hub: CredentialFiles;
  /** By site id. */
  readonly sites: Readonly<Record<string, CredentialFiles>>;
  /** Of gateway 2, by site id. */
  readonly standbys: Readonly<Record<string, CredentialFiles>>;
  /** Ed25519, PKCS #8. */
  readonly signingKeyFile: string;
  /** Ed25519, SPKI. */
  readonly signingPublicKeyFile: string;
}

/** Makes all files in `folder` (mode 600, valid for 90 days). */
export function makeDevelopmentCertificates(options: {
  readonly folder: string;
  readonly sites: readonly string[];
  /** Sites that have a gateway 2. */
  readonly standbys?: readonly string[];
}): Promise<DevelopmentCertificates>;
