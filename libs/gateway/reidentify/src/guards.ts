/**
 * Guards C4, C5 and C6: does this outcome belong to what we sent?
 * Decides by three independent paths: the sealed envelope, the vault's row, the digests of the
 * spool. Invariants: every guard must hold; a "no" never says which value differed.
 * Source: reliability specification C4, C5, C6.
 */
import type { OutcomeManifest } from '@aifi/contracts-manifests';
import { identityHmacs, openEnvelope, type Linkage, type Vault } from '@aifi/gateway-vault';
import {
  AifiError,
  objectsDigest,
  ok,
  refuse,
  type Result,
  type Sha256,
  type SiteId,
} from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';

/** What the pipeline database says was sent for this job. */
export interface SentJob {
  readonly revision: number;
  readonly product: string;
  readonly productVersion: string;
  readonly modelDigest: string;
  readonly manifestSha256: Sha256;
  readonly objectSha256s: readonly Sha256[];
}
export interface GuardInput {
  readonly manifest: OutcomeManifest;
  readonly envelope: Uint8Array;
  readonly sent: SentJob;
  readonly vault: Vault;
  readonly keys: KeyRing;
  readonly siteId: SiteId;
}

const mismatch = (guard: string): Result<never> => refuse('IDENTITY_MISMATCH', guard);

/** The linkage of the job when all guards hold. */
export function checkGuards(input: GuardInput): Result<Linkage> {
  const { manifest, sent, vault, keys } = input;
  const linkage = vault.linkage(manifest.jobId);
  if (!linkage) return mismatch('no linkage for this job');
  const hmacs = openedHmacs(input, linkage);
  if (!hmacs.ok) return hmacs;
  const epochKeys = keys.epoch(linkage.epoch);
  if (!epochKeys) return mismatch('the keys of this linkage are gone');
  const expected = identityHmacs(linkage.asSent, epochKeys.identity);
  const names = new Set([...Object.keys(expected), ...Object.keys(hmacs.value)]);
  for (const name of names) {
    if (hmacs.value[name] !== expected[name as keyof typeof expected]) {
      return mismatch('envelope and linkage differ (C5)');
    }
  }
  const isSameProduct =
    manifest.product.id === sent.product &&
    manifest.product.version === sent.productVersion &&
    manifest.product.modelDigest === sent.modelDigest;
  if (!isSameProduct) return mismatch('another product or model ran');
  if (manifest.manifestSha256 !== sent.manifestSha256) return mismatch('another manifest (C6)');
  // Nothing ran when the outcome has a code: then there is no digest of what was read.
  if (manifest.inputDigest && manifest.inputDigest !== objectsDigest(sent.objectSha256s)) {
    return mismatch('the worker read other bytes (C6)');
  }
  return ok(linkage);
}

function openedHmacs(
  { manifest, envelope, sent, keys, siteId }: GuardInput,
  linkage: Linkage,
): Result<Readonly<Record<string, string>>> {
  try {
    const { jobId } = manifest;
    const { pseudonymousStudyUid } = linkage;
    const binding = { siteId, jobId, pseudonymousStudyUid, manifestSha256: sent.manifestSha256 };
    const opened = openEnvelope(envelope, binding, keys);
    const isOurs = opened.jobId === jobId && opened.revision === manifest.revision;
    return isOurs && opened.revision === sent.revision
      ? ok(opened.identityHmacs)
      : mismatch('the envelope is of another job (C4)');
  } catch (error) {
    if (AifiError.from(error).code !== 'UNTRUSTED') throw error;
    return mismatch('the envelope does not open (C4)');
  }
}
