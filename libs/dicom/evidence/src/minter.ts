/**
 * Minter: the UIDs that the hub makes for one job's results, and the list of them.
 * Decides that a UID follows from (job, model, role, index, issue), so that building a result again
 * gives the same bytes. Invariant: every UID handed out is in `minted`, which goes into the signed
 * outcome manifest; the gateway replaces each by one of its own.
 * Source: reliability specification 1, "UIDs that the hub mints".
 */
import type { OutcomeManifest } from '@aifi/contracts-manifests';
import {
  invariant,
  keyedUid,
  type JobId,
  type PseudonymousUid,
  type Sha256,
} from '@aifi/shared-kernel';
import type { Mint } from './evidence-context.js';

export type MintedUid = OutcomeManifest['mintedUids'][number];

export interface Minter {
  readonly mint: Mint;
  /** What was handed out so far, in the order of the first request. */
  readonly minted: readonly MintedUid[];
}

// Not a secret: these UIDs never reach a PACS, and the job id alone is 128 random bits.
const PUBLIC_KEY = Buffer.from('aifi.hub.minted-uid.v1');

/**
 * A minter for one outcome. `issue` is 0 at first and rises only on supersession. `key` separates
 * hubs that would share job ids; one hub always uses the same.
 */
export function createMinter(
  jobId: JobId,
  modelDigest: Sha256,
  issue: number,
  key: Uint8Array = PUBLIC_KEY,
): Minter {
  const minted: MintedUid[] = [];
  const mint: Mint = (role, index) => {
    invariant(/^[a-z][a-z0-9-]*$/.test(role), 'role of a minted UID is lower case');
    invariant(Number.isInteger(index) && index >= 0, 'index of a minted UID is a natural number');
    const known = minted.find((entry) => entry.role === role && entry.index === index);
    if (known) return known.uid;
    const parts = [jobId, modelDigest, role, String(index), String(issue)];
    const uid = keyedUid(key, ...parts) as PseudonymousUid;
    minted.push({ uid, role, index });
    return uid;
  };
  return { mint, minted };
}
