/**
 * Certificates of a run, made by deploy/certs.
 * Decides nothing: names the files that each process gets.
 */
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import type { Credentials } from './stack-config.js';

export interface Certificates {
  readonly hub: Credentials;
  /** By site id. */
  readonly sites: Readonly<Record<string, Credentials>>;
  /** Of the second gateway of a site that has one. */
  readonly standbys: Readonly<Record<string, Credentials>>;
  /** Ed25519 key of the hub for rules and results. */
  readonly signingKeyFile: string;
  readonly signingPublicKeyFile: string;
}

/** Makes all files of a run below `folder`; valid for as long as a demonstration lasts. */
export function createCertificates(
  folder: string,
  siteIds: readonly string[],
  standbys: readonly string[] = [],
): Promise<Certificates> {
  return makeDevelopmentCertificates({ folder, sites: siteIds, standbys });
}
