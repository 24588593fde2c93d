/**
 * Retention of the audit trail: removing the oldest part of a chain, at an anchor.
 * Decides nothing about age: the database refuses what is younger than five years or not covered by
 * a signed anchor, whoever asks. Invariant: a cut leaves one record in the chain that it shortens,
 * in its own transaction. Source: NEN 7513 (five years); security specification 5.
 */
import { AifiError } from '@aifi/shared-kernel';
import { appendAudit, siteOfChain, systemDraft, type HubDatabase } from '@aifi/hub-database';

export interface AuditCut {
  readonly chain: string;
  /** Last record to remove: the one of an anchor. */
  readonly lastSequence: number;
  readonly correlationId: string;
  readonly atMs: number;
}

/** Removes records up to that one; how many. STATE_CONFLICT when the database refuses the cut. */
export async function cutAudit(database: HubDatabase, cut: AuditCut): Promise<number> {
  const siteId = siteOfChain(cut.chain);
  const { lastSequence, correlationId, atMs } = cut;
  try {
    return await database.withAccess(async (sql) => {
      const row = await sql.row<{ removed: number }>(
        'SELECT public.audit_cut($1, $2)::float8 AS removed',
        siteId,
        lastSequence,
      );
      const removed = row!.removed;
      const about = { siteId, objectType: 'audit', objectId: cut.chain, correlationId };
      const draft = systemDraft('audit.cut', { ...about, detail: { lastSequence, removed } });
      await appendAudit(sql, draft, atMs);
      return removed;
    });
  } catch (error) {
    const state = ((error as AifiError).cause as { code?: string } | undefined)?.code;
    if (state !== 'AF001') throw error;
    throw new AifiError('STATE_CONFLICT', 'this part of the trail has to be kept', {
      cause: error,
    });
  }
}
