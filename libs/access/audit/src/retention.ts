/**
 * Retention: when a record may be deleted at all.
 * Decides two conditions that must both hold: older than the retention, and covered by a signed
 * anchor that is older than it too, so that the chain still verifies from the anchor on.
 * Invariant: never less than five years, whatever is configured.
 * Source: NEN 7513 (retention of log data); security specification 5 (at least 5 years).
 */
import type { AuditAnchor } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';

/** @source security specification 5 */
export const RETENTION_YEARS_MIN = 5;

/**
 * What is older than this may go. Calendar years in UTC; from a 29 February the 28th, which keeps a
 * day more. CONFIG_INVALID for less than five years. @unit ms since epoch
 */
export function retentionCut(nowMs: number, years = RETENTION_YEARS_MIN): number {
  if (!Number.isInteger(years) || years < RETENTION_YEARS_MIN) {
    throw new AifiError('CONFIG_INVALID', 'audit records are kept for at least five years');
  }
  const cut = new Date(nowMs);
  const month = cut.getUTCMonth();
  cut.setUTCFullYear(cut.getUTCFullYear() - years);
  // From 29 February the date runs over into March, which would delete a day early.
  if (cut.getUTCMonth() !== month) cut.setUTCDate(0);
  return cut.getTime();
}

/**
 * Up to which record of each chain retention may delete, that record included; chains that are not
 * named keep everything. The anchor itself is kept: the rest of the chain is verified from it.
 */
export function deletableUpTo(
  anchors: readonly AuditAnchor[],
  nowMs: number,
  years = RETENTION_YEARS_MIN,
): ReadonlyMap<string, number> {
  const cutMs = retentionCut(nowMs, years);
  const upTo = new Map<string, number>();
  for (const { chain, sequence, madeAtMs } of anchors) {
    // An anchor is made after its record, so everything up to it is older still.
    if (madeAtMs < cutMs) upTo.set(chain, Math.max(sequence, upTo.get(chain) ?? 0));
  }
  return upTo;
}
