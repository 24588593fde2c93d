/**
 * Anchor stage: signs the end of the gateway's audit chain once for each day (UTC), cuts what
 * retention allows, and forgets used idempotency keys.
 * Decides when: at the first look of a day, so a gateway that was away makes it up when it starts.
 * Invariants: an anchor once made stays; a cut ends at an anchor and leaves a record of itself.
 * Source: security specification 5 (daily signed anchor, retention of five years); NEN 7513.
 */
import { createPublicKey, randomUUID, type KeyObject } from 'node:crypto';
import { deletableUpTo, makeAnchor, retentionCut } from '@aifi/access-audit';
import type { AuditDraft, AuditRecord } from '@aifi/contracts-rest';
import { pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { AccessDatabase, AccessTx } from './access-database.js';
import type { GatewayActStore } from './act.store.js';
import type { AuditTrail } from './audit-trail.js';

export interface AnchorDependencies {
  readonly database: AccessDatabase;
  readonly trail: AuditTrail;
  readonly acts: GatewayActStore;
  readonly clock: Clock;
  /** Ed25519, of the gateway alone. */
  readonly signingKey: KeyObject;
  readonly onFault: (error: unknown) => void;
}

/** A day begins at most so much before its anchor. @unit ms */
const LOOK_MS = 60_000;

export function createAnchorStage(dependencies: AnchorDependencies): Stage {
  const { clock, onFault, acts } = dependencies;
  const runOnce = async (): Promise<number> => {
    if (await anchorDay(dependencies)) await cutTrail(dependencies);
    await acts.purge();
    // Nothing is ever left over for a second look.
    return 0;
  };
  return pollingStage({
    ...{ name: 'anchor', clock, wake: new Wake(), intervalMs: LOOK_MS, runOnce, onFault },
  });
}

export const publicKeyPemOf = (key: KeyObject): string =>
  String(createPublicKey(key).export({ type: 'spki', format: 'pem' }));

/** Signs the chain's end unless this day has its anchor; true when it made one. */
export function anchorDay(dependencies: AnchorDependencies): Promise<boolean> {
  const { database, trail, clock, signingKey } = dependencies;
  const madeAtMs = clock.nowMs();
  const day = new Date(madeAtMs).toISOString().slice(0, 10);
  return database.transaction(({ sql }) => {
    const { chain } = trail;
    const done = sql.get('SELECT 1 FROM audit_anchor WHERE chain = ? AND day = ?', chain, day);
    const head = sql.get<Pick<AuditRecord, 'sequence' | 'hash'>>(
      'SELECT sequence, hash FROM audit_head WHERE chain = ?',
      chain,
    );
    if (done || !head) return false;
    const anchor = makeAnchor({ record: { chain, ...head }, day, madeAtMs, signingKey });
    sql.run(
      'INSERT INTO audit_anchor VALUES (?, ?, ?, ?)',
      ...[chain, day, anchor.sequence, JSON.stringify(anchor)],
    );
    return true;
  });
}

/** Removes what is older than the retention time, up to an anchor; how many records. */
export async function cutTrail({ database, trail, clock }: AnchorDependencies): Promise<number> {
  const { chain } = trail;
  const nowMs = clock.nowMs();
  const beforeMs = retentionCut(nowMs);
  const upTo = deletableUpTo(await trail.anchors(), nowMs).get(chain) ?? 0;
  return database.transaction((tx) => {
    const last = lastToCut(tx, { chain, upTo, beforeMs });
    if (!last) return 0;
    tx.sql.run(
      'INSERT INTO audit_cut VALUES (?, ?, ?, ?, ?)',
      ...[chain, upTo, last.hash, beforeMs, nowMs],
    );
    tx.sql.run('DELETE FROM audit_patient WHERE chain = ? AND sequence <= ?', chain, upTo);
    const removed = tx.sql.run(
      'DELETE FROM audit_record WHERE chain = ? AND sequence <= ?',
      ...[chain, upTo],
    );
    trail.append(tx, cutDraft(trail, { lastSequence: upTo, removed }));
    return removed;
  });
}

/** The record to cut at; undefined: it is gone already, or a clock that was ahead keeps it. */
function lastToCut(
  { sql }: AccessTx,
  { chain, upTo, beforeMs }: { chain: string; upTo: number; beforeMs: number },
): { readonly hash: string } | undefined {
  const young = sql.get(
    'SELECT 1 FROM audit_record WHERE chain = ? AND sequence <= ? AND at_ms >= ? LIMIT 1',
    ...[chain, upTo, beforeMs],
  );
  if (young) return undefined;
  return sql.get<{ hash: string }>(
    'SELECT hash FROM audit_record WHERE chain = ? AND sequence = ?',
    ...[chain, upTo],
  );
}

const cutDraft = (trail: AuditTrail, detail: AuditDraft['detail']): AuditDraft => ({
  ...{ act: 'audit.cut', action: 'D', outcome: 'success', code: null },
  ...{ userId: 'gateway', userName: 'retention', userKind: 'system', role: null },
  ...{ responsibleUserId: null, siteId: trail.siteId, objectType: 'audit', objectId: trail.chain },
  ...{ patientId: null, reason: null, sourceAddress: '', correlationId: randomUUID(), detail },
});
